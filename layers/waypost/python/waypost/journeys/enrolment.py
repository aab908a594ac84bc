"""One passage of a contact through a journey, as stored. Used by the engine, the sender's guards and the timeline."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Self

from waypost.clock import format_instant, parse_instant

EnrolmentStatus = Literal["active", "leaving", "ended"]
"""``leaving``: a goal or exit event has arrived and the body of the journey is being left."""

EnrolmentOutcome = Literal["completed", "goal", "exited", "failed", "timed_out", "aborted"]
LeavingOutcome = Literal["goal", "exited"]


@dataclass(frozen=True, slots=True)
class TriggerEvent:
    """The event that started a journey: what a Pause or a goal may be correlated with."""

    id: str
    type: str
    occurred_at: datetime
    properties: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The stored form, and the form in which a journey sees an event."""
        return {
            "id": self.id,
            "type": self.type,
            "occurred_at": format_instant(self.occurred_at),
            "properties": dict(self.properties),
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of ``to_dict``."""
        return cls(
            id=value["id"],
            type=value["type"],
            occurred_at=parse_instant(value["occurred_at"]),
            properties=value.get("properties", {}),
        )


@dataclass(frozen=True, slots=True)
class Enrolment:
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

    def to_dict(self) -> dict[str, Any]:
        """The stored form."""
        return {
            "enrolment_id": self.enrolment_id,
            "contact_id": self.contact_id,
            "journey": self.journey,
            "version": self.version,
            "trigger": self.trigger.to_dict(),
            "enrolled_at": format_instant(self.enrolled_at),
            "correlation_id": self.correlation_id,
            "status": self.status,
            "outcome": self.outcome,
            "anchor_at": format_instant(self.anchor_at) if self.anchor_at else None,
            "left_on": self.left_on.to_dict() if self.left_on else None,
            "exclusive_group": self.exclusive_group,
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of ``to_dict``."""
        anchor_at, left_on = value.get("anchor_at"), value.get("left_on")
        return cls(
            enrolment_id=value["enrolment_id"],
            contact_id=value["contact_id"],
            journey=value["journey"],
            version=value["version"],
            trigger=TriggerEvent.from_dict(value["trigger"]),
            enrolled_at=parse_instant(value["enrolled_at"]),
            correlation_id=value.get("correlation_id", ""),
            status=value["status"],
            outcome=value.get("outcome"),
            anchor_at=parse_instant(anchor_at) if anchor_at else None,
            left_on=TriggerEvent.from_dict(left_on) if left_on else None,
            exclusive_group=value.get("exclusive_group"),
        )
