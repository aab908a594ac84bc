"""The slices of a refresh: how many there are, and how far each has come. Used by every step of refresh-contacts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal, Self

from waypost.clock import format_instant, parse_instant
from waypost.segments.scores import Measure

CONTACTS_PER_SLICE: Final = 25_000
"""A slice is what one worker goes through; a small base is one slice."""

MOST_SLICES: Final = 400
"""The counts of all slices come back in one state of the machine, which may hold 256 KiB."""

CONTACTS_PER_CALL: Final = 5_000
"""After so many a call of a function ends and says where it stopped: 150 ms for each still fit into its 15 minutes."""

RefreshKind = Literal["daily", "hourly"]

Counts = Counter[str]

COUNTED: Final = (
    "contacts", "customers", "changed", "measured", "tags_expired", "tags_added", "tags_removed", "stages_changed",
    "segments_entered", "segments_left", "failed",
)  # fmt: skip
"""What a run counts. ``changed`` are profiles that were written, ``measured`` those with other metrics than before,
``failed`` contacts that were left as they were."""


@dataclass(frozen=True, slots=True)
class SlicePart:
    """Where a run is in one slice. ``at`` is the time for which the run measures, the same in all its slices.

    ``part`` counts the calls, ``after`` is where the next one goes on, ``counts`` what the calls so far have done.
    """

    run: str
    at: datetime
    refresh: RefreshKind
    segment: int
    total: int
    part: int = 0
    after: str | None = None
    done: bool = False
    counts: Counts = field(default_factory=Counter)
    ranks: Mapping[Measure, Sequence[float]] = field(default_factory=dict)
    failures: tuple[Mapping[str, str], ...] = ()

    def further(self, *, after: str | None, counts: Counts, failures: tuple[Mapping[str, str], ...] = ()) -> Self:
        """Where the run is after one more call; ``after`` is None when the slice is done."""
        return replace(
            self,
            part=self.part + 1,
            after=after,
            done=after is None,
            counts=self.counts + counts,
            failures=(*self.failures, *failures),
        )

    def planned(self) -> dict[str, Any]:
        """The form of a slice that nobody has begun: short, because all of them stand in one state of the machine."""
        return {
            "run": self.run,
            "at": format_instant(self.at),
            "refresh": self.refresh,
            "segment": self.segment,
            "total": self.total,
        }

    def to_dict(self) -> dict[str, Any]:
        """The form in which it travels through the machine."""
        return self.planned() | {
            "part": self.part,
            "after": self.after,
            "done": self.done,
            "counts": {name: self.counts[name] for name in COUNTED},
            "ranks": dict(self.ranks),
            "failures": [dict(failure) for failure in self.failures],
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of ``to_dict``, and of ``planned``."""
        return cls(
            run=value["run"],
            at=parse_instant(value["at"]),
            refresh=value["refresh"],
            segment=value["segment"],
            total=value["total"],
            part=value.get("part", 0),
            after=value.get("after"),
            done=value.get("done", False),
            counts=Counter(value.get("counts", {})),
            ranks=value.get("ranks", {}),
            failures=tuple(value.get("failures", ())),
        )


def slices_for(contacts: int) -> int:
    """How many slices a base of about so many contacts gets."""
    return max(1, min(MOST_SLICES, -(-contacts // CONTACTS_PER_SLICE)))
