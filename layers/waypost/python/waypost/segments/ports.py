"""What bulk runs need from whoever keeps the contacts: all profiles, one slice at a time. Used by audiences, counts, exports and the refresh."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from waypost.bulk.pages import BaseSize, Page
from waypost.contacts.profile import Contact
from waypost.segments.reads import Reads
from waypost.segments.subject import Subject

Stored = Any
"""A profile as its store keeps it, perhaps only the part that was asked for; only the scan it came from can read it."""


class ProfileScan(Protocol):
    """Reads every living profile once. Slices are disjoint, and together they are everybody."""

    def size(self) -> BaseSize:
        """About how large the base is: to plan slices with, never to report."""
        ...

    def slice(self, segment: int, total: int, *, after: str | None = None) -> Iterator[Page[Contact]]:
        """The pages of slice ``segment`` (from 0) of ``total``, in an order that stays; ``after`` goes on behind a page.

        Profiles are as of some moment of the run, not read consistently: nobody decides on a sending by them. Raises
        TemporarilyUnavailable when the store throttles for longer than our patience; go on behind the last page.
        """
        ...

    def stored(self, segment: int, total: int, *, reads: Reads, after: str | None = None) -> Iterator[Page[Stored]]:
        """Like ``slice``, unread, and with no more of each profile than rules with these ``reads`` look at."""
        ...

    def viewer(self, reads: Reads, *, now: datetime, default_zone: ZoneInfo) -> Callable[[Stored], Subject]:
        """A function that makes of a stored profile what a rule with these ``reads`` is asked about, at ``now``.

        The rule decides the same on it as on the whole contact. The profile's ``stored`` must have asked for as much.
        """
        ...

    def partitions_of(self, stored: Stored) -> tuple[str, ...]:
        """The contact ids under which something of this contact is stored, when its ``reads`` name history or enrolments."""
        ...
