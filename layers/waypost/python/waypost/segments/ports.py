"""What bulk runs that evaluate rules need of the store of contacts. Used by audiences, counts and the refresh."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from waypost.bulk.pages import Page
from waypost.bulk.ports import SlicedScan
from waypost.contacts.profile import Contact
from waypost.segments.reads import Reads
from waypost.segments.subject import Subject

Stored = Any
"""A profile as its store keeps it, perhaps only the part that was asked for; only the scan it came from can read it."""


class ProfileScan(SlicedScan[Contact], Protocol):
    """Reads every living profile once, whole or only the part that a rule looks at."""

    def stored(self, segment: int, total: int, *, reads: Reads, after: str | None = None) -> Iterator[Page[Stored]]:
        """Like ``slice``, not deserialized, and with no more of each profile than rules with these ``reads`` look at."""
        ...

    def viewer(self, reads: Reads, *, now: datetime, default_zone: ZoneInfo) -> Callable[[Stored], Subject]:
        """A function that makes of a stored profile what a rule with these ``reads`` is asked about, at ``now``.

        The rule decides the same on it as on the whole contact. The profile's ``stored`` must have asked for as much.
        """
        ...

    def partitions_of(self, stored: Stored) -> tuple[str, ...]:
        """The contact ids under which something of this contact is stored, when its ``reads`` name history or enrolments."""
        ...
