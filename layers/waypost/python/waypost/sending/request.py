"""What the sender is asked for, and what it answers. Crosses the edge to state machines and schedules as JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal, Self

from waypost import ids
from waypost.clock import format_instant, parse_instant
from waypost.contacts.channels import Channel, channel_named
from waypost.journeys.step import Step

SendOutcome = Literal["sent", "deferred", "skipped", "rejected", "unknown"]


@dataclass(frozen=True, slots=True)
class SendRequest:
    """One message to one contact from one step of a journey.

    ``attempt`` counts deferrals: 0 is the journey's own call, n the n-th deferred one. ``send_by`` is the last moment at
    which the message still makes sense. ``after_exit`` marks a step outside the journey's body, which speaks to somebody
    who may have left it.
    """

    step: Step
    message: str
    channel: Channel | None = None
    after_exit: bool = False
    attempt: int = 0
    send_by: datetime | None = None

    @property
    def message_key(self) -> str:
        """The key under which at most one provider call is made."""
        return ids.message_key(self.step.execution, self.step.state, self.step.occurrence, self.step.contact_id)

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Self:
        """From a journey's task (with ``context``) or from a deferred schedule (with ``deferred``)."""
        deferred = payload.get("deferred")
        if deferred is not None:
            return cls.from_dict(deferred)
        return cls(
            step=Step.from_payload(payload),
            message=payload["message"],
            channel=channel_named(channel) if (channel := payload.get("channel")) is not None else None,
            after_exit=payload.get("after_exit", False),
        )

    def to_dict(self) -> dict[str, Any]:
        """The form a deferred schedule carries: ids and names, no personal data."""
        return {
            "step": asdict(self.step),
            "message": self.message,
            "channel": self.channel,
            "after_exit": self.after_exit,
            "attempt": self.attempt,
            "send_by": format_instant(self.send_by) if self.send_by else None,
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of ``to_dict``."""
        send_by = value.get("send_by")
        return cls(
            step=Step(**value["step"]),
            message=value["message"],
            channel=value.get("channel"),
            after_exit=value.get("after_exit", False),
            attempt=value.get("attempt", 0),
            send_by=parse_instant(send_by) if send_by else None,
        )


@dataclass(frozen=True, slots=True)
class SendResult:
    """What became of a request; ``at`` is when, or for ``deferred`` when it will be tried again."""

    outcome: SendOutcome
    reason: str
    channel: str | None
    message_key: str
    at: datetime | None

    def to_dict(self) -> dict[str, Any]:
        """The task's result, as a journey sees it."""
        return {
            "outcome": self.outcome,
            "reason": self.reason,
            "channel": self.channel,
            "message_key": self.message_key,
            "at": format_instant(self.at) if self.at else None,
        }
