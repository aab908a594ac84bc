"""What an export needs from whoever keeps all profiles."""

from collections.abc import Iterator
from typing import Protocol

from waypost.contacts.profile import Contact
from waypost.segments.ports import BaseSize, Page


class EveryProfile(Protocol):
    """The part of a ProfileScan that gives whole contacts."""

    def size(self) -> BaseSize:
        """About how large the base is."""
        ...

    def slice(self, segment: int, total: int, *, after: str | None = None) -> Iterator[Page[Contact]]:
        """The pages of one slice; ``after`` goes on behind a page."""
        ...
