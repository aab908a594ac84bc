"""How a base is divided into slices. Called by plan_export, plan_audience and plan_refresh."""

from dataclasses import dataclass
from typing import Any

from waypost.bulk.pages import BaseSize


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceSize:
    """How much one slice holds, about, and how many slices there are at most.

    A slice is finished in as many invocations as it takes, so a wrong estimate of the base makes a run slower and nothing
    worse.
    """

    items: int
    most: int
    bytes: int | None = None

    def slices(self, base: BaseSize) -> int:
        """The number of slices for a base of this size: at least one, because the estimate may be zero."""
        by_bytes = -(-base.bytes // self.bytes) if self.bytes else 0
        return min(self.most, max(1, by_bytes, -(-base.items // self.items)))


def slice_payloads(number: int, **shared: Any) -> list[dict[str, Any]]:
    """The input of the Map over ``number`` slices: each ``{**shared, slice}``, ``slice`` from 0."""
    return [{**shared, "slice": each} for each in range(number)]
