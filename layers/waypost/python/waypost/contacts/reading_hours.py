"""At which hours of its day a contact reads: counted by the nightly refresh from openings and clicks, read by the guard of the best hour.

Kept among the contact's metrics: ``readings`` (how many were counted) and ``reading_hours`` (``"8:3 20:24"``, the weight of each hour).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final, Self
from zoneinfo import ZoneInfo

READ_BY: Final = ("message_opened", "message_clicked")
"""Events of readers; what programs open and follow are others."""

HALVINGS: Final = 3
FRESH: Final = 2**HALVINGS
"""What a reading weighs in its first half life; then half of it, and nothing after the fourth. Whole numbers that change four times in
the life of a reading leave most profiles as they are from night to night."""

READINGS: Final = "readings"
READING_HOURS: Final = "reading_hours"

HOURS: Final = 24


@dataclass(frozen=True, slots=True)
class ReadingHours:
    """``weights`` by hour (0 to 23) where the contact lives, of ``readings`` hours in which it read."""

    weights: Mapping[int, int] = field(default_factory=dict)
    readings: int = 0

    @classmethod
    def counted(cls, times: Iterable[datetime], *, half_life: timedelta, zone: ZoneInfo, now: datetime) -> Self:
        """An hour in which a contact read counts once, however much it opened in it; what lies ahead does not count."""
        newest: dict[tuple[date, int], datetime] = {}
        for at in times:
            if timedelta() <= now - at < window(half_life):
                local = at.astimezone(zone)
                slot = (local.date(), local.hour)
                newest[slot] = max(at, newest.get(slot, at))
        weights: dict[int, int] = {}
        for (_, hour), at in sorted(newest.items()):
            weights[hour] = weights.get(hour, 0) + (FRESH >> ((now - at) // half_life))
        return cls(weights, len(newest))

    @classmethod
    def of(cls, metrics: Mapping[str, Any]) -> Self:
        """Those among a contact's metrics; none for a contact that reads nothing, or of whom nothing was counted yet."""
        pairs = (each.split(":") for each in str(metrics.get(READING_HOURS, "")).split())
        return cls({int(hour): int(weight) for hour, weight in pairs}, int(metrics.get(READINGS, 0)))

    def metrics(self) -> dict[str, Any]:
        """The inverse of ``of``."""
        if not self.readings:
            return {}
        shown = " ".join(f"{hour}:{weight}" for hour, weight in sorted(self.weights.items()))
        return {READINGS: self.readings, READING_HOURS: shown}

    @property
    def total(self) -> int:
        """The weight of all hours."""
        return sum(self.weights.values())

    def likelihood(self, hour: int) -> int:
        """How well an hour does: twice its weight, and that of its neighbours, since who reads about eight reads before and after it."""
        of = self.weights.get
        return 2 * of(hour, 0) + of((hour - 1) % HOURS, 0) + of((hour + 1) % HOURS, 0)


def window(half_life: timedelta) -> timedelta:
    """How far back readings count."""
    return half_life * (HALVINGS + 1)
