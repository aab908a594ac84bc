"""One slice of a refresh as it travels through the state machine. Used by every step of refresh-contacts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from waypost.bulk.slices import SliceSize
from waypost.codec import JsonForm, dump_fields
from waypost.segments.scores import Measure

SLICES: Final = SliceSize(items=25_000, most=400)
"""A slice is what one worker goes through. The counts of all slices come back in one state of the machine: 256 KiB."""

CONTACTS_PER_INVOCATION: Final = 5_000
"""150 ms for each still fit into the 15 minutes of a function."""

RefreshKind = Literal["daily", "hourly"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshSlice(JsonForm):
    """Slice ``slice`` (from 0) of ``of``. ``at`` is the time for which the run measures, the same in all its slices.

    ``ranks`` say where the classes of each measure begin, for the second pass of a daily refresh.
    """

    run: str
    at: datetime
    refresh: RefreshKind
    slice: int
    of: int
    ranks: Mapping[Measure, Sequence[float]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The form in which it travels: no ranks in the first pass."""
        return {name: value for name, value in dump_fields(self).items() if value != {}}
