"""What an export needs from whoever keeps all profiles."""

from collections.abc import Iterator
from typing import Protocol

from waypost.bulk.pages import BaseSize, Page
from waypost.contacts.profile import Contact


class EveryProfile(Protocol):
    """The part of a ProfileScan that gives whole contacts."""

    def size(self) -> BaseSize:
        """About how large the base is."""
        ...

    def slice(self, segment: int, total: int, *, after: str | None = None) -> Iterator[Page[Contact]]:
        """The pages of one slice; ``after`` is the cursor of the page before."""
        ...
