"""What a run of personas needs: who groups rows of numbers. The real one is ``personas.clustering``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


class Grouping(Protocol):
    """The groups that were found. ``centres`` are in standard deviations from the mean of all, largest group first.

    ``silhouettes`` has the score of each number of groups that was tried (-1 to 1, more is better separated).
    """

    @property
    def centres(self) -> Sequence[Sequence[float]]:
        """The centres, each with a number for every column of the rows."""
        ...

    @property
    def silhouettes(self) -> Mapping[int, float]:
        """Number of groups → score."""
        ...

    def assign(self, rows: Sequence[Sequence[float]]) -> list[int]:
        """The group of each row, as its place in ``centres``."""
        ...


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many groups are tried, and the seed of chance: the same rows and seed give the same groups."""

    fewest: int = 3
    most: int = 8
    seed: int = 20270301


class Grouper(Protocol):
    """Finds groups."""

    def group(self, rows: Sequence[Sequence[float]], bounds: Bounds) -> Grouping:
        """The best grouping within the bounds. Raises InvalidInput when nothing tells the rows apart."""
        ...
