"""What a bulk run needs of the store it reads. Implemented by profile scans; used by exports, audiences and the refresh."""

from collections.abc import Iterator
from typing import Protocol, TypeVar

from waypost.bulk.pages import BaseSize, Page

T_co = TypeVar("T_co", covariant=True)


class SlicedScan(Protocol[T_co]):
    """Reads every item once. Slices are disjoint, and together they are the whole base."""

    def size(self) -> BaseSize:
        """The approximate size of the base: for planning slices, never for reports."""
        ...

    def slice(self, segment: int, total: int, *, after: str | None = None) -> Iterator[Page[T_co]]:
        """The pages of slice ``segment`` (from 0) of ``total``, in a stable order; ``after`` is the cursor of the page before.

        Items are as of some moment of the run, not read consistently: no message may be sent on their strength. Raises
        TemporarilyUnavailable when the store throttles for longer than our patience; resume at the last page's cursor.
        """
        ...
