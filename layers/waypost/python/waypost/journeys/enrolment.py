"""One passage of a contact through a journey, as stored. Used by the engine, the sender's guards and the timeline."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from waypost.clock import format_instant
from waypost.codec import JsonForm

EnrolmentStatus = Literal["active", "leaving", "ended"]
"""``leaving``: a goal or exit event has arrived and the body of the journey is being left."""

EnrolmentOutcome = Literal["completed", "goal", "exited", "failed", "timed_out", "aborted"]
LeavingOutcome = Literal["goal", "exited"]


@dataclass(frozen=True, slots=True)
class TriggerEvent(JsonForm):
    """The event that started a journey: what a Pause or a goal may be correlated with."""

    id: str
    type: str
    occurred_at: datetime
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Enrolment(JsonForm):
    """A contact in a journey.

    ``anchor_at`` is when the latest deferred message goes out: the next Pause counts from it. ``left_on`` is the event
    that ended the body early.
    """

    enrolment_id: str
    contact_id: str
    journey: str
    version: int
    trigger: TriggerEvent
    enrolled_at: datetime
    correlation_id: str = ""
    status: EnrolmentStatus = "active"
    outcome: EnrolmentOutcome | None = None
    anchor_at: datetime | None = None
    left_on: TriggerEvent | None = None
    exclusive_group: str | None = None

    def execution_input(self) -> dict[str, Any]:
        """What the journey's state machine is started with: ids and times, no personal data; always the same."""
        return {
            "contact_id": self.contact_id,
            "enrolment_id": self.enrolment_id,
            "journey": self.journey,
            "version": self.version,
            "trigger_event_id": self.trigger.id,
            "enrolled_at": format_instant(self.enrolled_at),
            "correlation_id": self.correlation_id,
        }
