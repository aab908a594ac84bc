"""Long streams, some items at a time."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def batched(items: Iterable[T], number: int) -> Iterator[list[T]]:
    """So many items at a time, fewer at the end: ``itertools.batched`` of Python 3.12, with lists."""
    rest = iter(items)
    while some := list(islice(rest, number)):
        yield some
