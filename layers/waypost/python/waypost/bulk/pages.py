"""What a bulk run reads: pages of items, with the cursor at which reading resumes. Used by scans, the runner and its users."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Page(Generic[T_co]):
    """Some of the items of a slice.

    ``after`` is the cursor: pass it as ``after=`` to resume behind this page; None on the last one. A page may be empty
    and still not be the last. ``read_units`` are the DynamoDB read request units it cost.
    """

    items: Sequence[T_co]
    after: str | None
    read_units: float = 0.0

    def __iter__(self) -> Iterator[T_co]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True, slots=True)
class BaseSize:
    """How many items there are and how many bytes they take, as last counted by the store: hours old, or zero."""

    items: int
    bytes: int
