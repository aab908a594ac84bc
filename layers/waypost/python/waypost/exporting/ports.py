"""What an export needs of the store of profiles."""

from collections.abc import Iterator
from typing import Protocol

from waypost.bulk.pages import BaseSize, Page
from waypost.contacts.profile import Contact


class EveryProfile(Protocol):
    """The part of a ProfileScan that gives whole contacts."""

    def size(self) -> BaseSize:
        """The approximate size of the base."""
        ...

    def slice(self, segment: int, total: int, *, after: str | None = None) -> Iterator[Page[Contact]]:
        """The pages of one slice; ``after`` is the cursor of the page before."""
        ...
