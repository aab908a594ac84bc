"""Schedules in memory."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from tests.fakes.effects import Effects, effect


@dataclass(frozen=True)
class Booking:
    """A one-time schedule: when, which function, with what."""

    name: str
    at: datetime
    function: Literal["resume_journey", "send_deferred"]
    payload: dict[str, Any]


class FakeSchedules:
    """Schedules that a test fires itself."""

    label = "schedules"

    def __init__(self, effects: Effects | None = None) -> None:
        self.effects = effects or Effects()
        self.booked: dict[str, Booking] = {}

    def __contains__(self, name: object) -> bool:
        return name in self.booked

    def __len__(self) -> int:
        return len(self.booked)

    @effect
    def resume_at(self, name: str, instant: datetime, request: Mapping[str, Any]) -> None:
        """See Timers."""
        if name not in self.booked:
            self._book(name, instant, "resume_journey", request)

    @effect
    def send_at(self, name: str, instant: datetime, request: Mapping[str, Any]) -> None:
        """See DeferredSends."""
        self._book(name, instant, "send_deferred", request)

    @effect
    def cancel(self, name: str) -> None:
        """See DeferredSends."""
        self.booked.pop(name, None)

    def next_due(self) -> Booking | None:
        """The schedule that fires first."""
        return min(self.booked.values(), key=lambda each: (each.at, each.name), default=None)

    def take(self, booking: Booking) -> None:
        """It fires: it deletes itself, unless it was booked again."""
        if self.booked.get(booking.name) == booking:
            del self.booked[booking.name]

    def _book(
        self,
        name: str,
        instant: datetime,
        function: Literal["resume_journey", "send_deferred"],
        payload: Mapping[str, Any],
    ) -> None:
        whole = instant.astimezone(UTC).replace(microsecond=0)
        at = whole if whole == instant else whole + timedelta(seconds=1)
        self.booked[name] = Booking(name, at, function, json.loads(json.dumps(dict(payload))))
