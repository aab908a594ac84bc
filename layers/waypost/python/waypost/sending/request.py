"""What the sender is asked for, and what it answers. Crosses the edge to state machines and schedules as JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, Self

from waypost.clock import format_instant, parse_instant
from waypost.contacts.channels import Channel, channel_named
from waypost.content.message import MOST_SOLD
from waypost.sending.occasion import HopVisit, JourneyStep, Occasion, dump_occasion, load_occasion

ACCOUNT_REFUSED: Final = "account: "
"""How the reason of a message begins that the provider refuses because of the account."""

SendOutcome = Literal["sent", "deferred", "skipped", "rejected", "unknown"]


@dataclass(frozen=True, slots=True)
class SendRequest:
    """One message, by its id in the catalogue, to the contact of one occasion.

    ``sells`` are the ids of the products that the step sells with it, where it says so instead of the message.
    ``refused`` are channels whose provider has definitely not taken the message: it goes out on another one, under the same key.
    ``attempt`` counts deferrals: 0 is the caller's own request, n the n-th deferred one. ``send_by`` is the last moment
    at which the message still makes sense. ``lived_at`` is when it is tried in the time of a journey that a test contact lives faster. ``visit`` is the execution of the journey that asks; a deferred attempt has none.
    ``fails_hop``: when this call fails for good, so does its hop, and the sweep of the enrolment finds what was claimed.
    """

    occasion: Occasion
    message: str
    channel: Channel | None = None
    sells: tuple[str, ...] = ()
    refused: tuple[Channel, ...] = ()
    attempt: int = 0
    send_by: datetime | None = None
    lived_at: datetime | None = None
    visit: HopVisit | None = field(default=None, compare=False)
    fails_hop: bool = field(default=False, compare=False)

    @property
    def message_key(self) -> str:
        """The key under which at most one provider call is made."""
        return self.occasion.message_key

    @property
    def contact_id(self) -> str:
        """The contact it goes to."""
        return self.occasion.contact_id

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Self:
        """From a journey's task (the ASL context as ``context``), or what ``to_dict`` gives.

        A journey calls its own message by its name: the catalogue has it as ``<journey>/<name>``.
        """
        if "occasion" in payload:
            return cls.from_dict(payload)
        step, channel = JourneyStep.from_payload(payload), payload.get("channel")
        return cls(
            occasion=step,
            message=f"{step.journey}/{payload['message']}",
            channel=None if channel is None else channel_named(channel),
            sells=_ids(payload.get("sells")),
            visit=HopVisit.from_payload(payload),
            fails_hop=payload.get("fails_hop", False),
        )

    def to_dict(self) -> dict[str, Any]:
        """The form a deferred schedule carries: ids and names, no personal data."""
        return {
            "occasion": dump_occasion(self.occasion),
            "message": self.message,
            "channel": self.channel,
            **({"sells": list(self.sells)} if self.sells else {}),
            **({"refused": list(self.refused)} if self.refused else {}),
            "attempt": self.attempt,
            "send_by": format_instant(self.send_by) if self.send_by else None,
            **({"lived_at": format_instant(self.lived_at)} if self.lived_at else {}),
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of ``to_dict``."""
        send_by, lived_at, channel = value.get("send_by"), value.get("lived_at"), value.get("channel")
        return cls(
            occasion=load_occasion(value["occasion"]),
            message=value["message"],
            channel=None if channel is None else channel_named(channel),
            sells=_ids(value.get("sells")),
            refused=tuple(channel_named(each) for each in value.get("refused", ())),
            attempt=value.get("attempt", 0),
            send_by=parse_instant(send_by) if send_by else None,
            lived_at=parse_instant(lived_at) if lived_at else None,
        )


def _ids(given: Any) -> tuple[str, ...]:
    """The ids of products in a payload: one, or a list; what an expression found nothing for is left out."""
    listed = given if isinstance(given, list) else [given]
    return tuple(str(each) for each in listed if each not in (None, ""))[:MOST_SOLD]


@dataclass(frozen=True, slots=True)
class SendResult:
    """What became of a request; ``at`` is when, or for ``deferred`` when it will be tried again.

    ``in_answer`` is what the answer to a provider's callback says (``answers.Accepted``). ``is_repeated``: an earlier request
    had this result already.
    """

    outcome: SendOutcome
    reason: str
    channel: str | None
    message_key: str
    at: datetime | None
    in_answer: Mapping[str, Any] = field(default_factory=dict, repr=False, hash=False)
    is_repeated: bool = field(default=False, compare=False)

    @property
    def account_refused(self) -> bool:
        """Whether the provider takes nothing from this account, which an operator has to cure."""
        return self.reason.startswith(ACCOUNT_REFUSED)

    def to_dict(self) -> dict[str, Any]:
        """The task's result, as a journey sees it."""
        return {
            "outcome": self.outcome,
            "reason": self.reason,
            "channel": self.channel,
            "message_key": self.message_key,
            "at": format_instant(self.at) if self.at else None,
        }
