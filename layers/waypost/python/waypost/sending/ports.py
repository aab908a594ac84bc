"""What sending needs of the journeys above it and of the scheduler. Implemented by the adapters, met by Enrolment."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from waypost.sending.occasion import HopVisit


class SeenEvent(Protocol):
    """An event as templates see it."""

    @property
    def properties(self) -> Mapping[str, Any]:
        """What it says."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """``{id, type, occurred_at, properties}``."""
        ...


class EnrolmentView(Protocol):
    """What guards and templates read of an enrolment."""

    @property
    def status(self) -> Literal["active", "leaving", "ended"]:
        """Whether the contact is in the journey."""
        ...

    @property
    def outcome(self) -> Literal["completed", "goal", "exited", "failed", "stopped"] | None:
        """How it ended, or why it is being left."""
        ...

    @property
    def enrolled_at(self) -> datetime:
        """When it began."""
        ...

    @property
    def trigger(self) -> SeenEvent:
        """The event that started it."""
        ...

    @property
    def held_out(self) -> bool:
        """Whether the contact belongs to the hold-out of the journey."""
        ...

    @property
    def left_on(self) -> SeenEvent | None:
        """The event that ended its body early."""
        ...

    @property
    def pauses_passed(self) -> int:
        """How many Pauses lie behind the contact."""
        ...

    @property
    def is_test(self) -> bool:
        """Whether a test contact lives it faster than the clock."""
        ...

    def lived_at(self, now: datetime) -> datetime:
        """What time it is in the journey: the clock's, unless it is a test."""
        ...

    def by_the_clock(self, wait: timedelta) -> timedelta:
        """How long a wait of the journey takes."""
        ...

    def held_by(self, visit: HopVisit) -> bool:
        """Whether this execution is the one that may walk."""
        ...


class EnrolmentAnchors(Protocol):
    """Remembers until when an enrolment has a message pending: its next Pause counts from then."""

    def hold_until(self, contact_id: str, enrolment_id: str, instant: datetime) -> None:
        """A message of this enrolment goes out at ``instant``, in the journey's time; an earlier one than the stored changes nothing."""
        ...


class DeferredSends(Protocol):
    """Books one-time calls of send_message."""

    def send_at(self, name: str, instant: datetime, request: Mapping[str, Any]) -> None:
        """Have send_message called at ``instant`` (rounded up to the second); booking again moves the schedule."""
        ...

    def cancel(self, name: str) -> None:
        """Drop a schedule; one that has fired or never was is no error."""
        ...
