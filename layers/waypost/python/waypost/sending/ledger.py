"""The ledger: one row per message key, claimed before the provider is called. Used by the sender and the sweeper.

States::

    (none) ──▶ claimed ──▶ accepted ──▶ delivered | bounced | complained
      │  ▲        ├──────▶ rejected
      │  │        ├──────▶ unknown ──▶ accepted | delivered | bounced | …   (a provider event settles it)
      ▼  │        ▼
    skipped ◀─ deferred          (claimed ──▶ deferred only after a definite refusal: nothing was sent)
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal, Protocol, Self, assert_never

from waypost.clock import format_instant, parse_instant
from waypost.contacts.profile import Contact
from waypost.content.message import MessageKind, Priority, PublishedMessage
from waypost.events.envelope import Event
from waypost.sending.occasion import Occasion
from waypost.sending.ports import EnrolmentView
from waypost.sending.request import SendOutcome, SendRequest, SendResult

LedgerState = Literal[
    "claimed", "accepted", "rejected", "unknown", "deferred", "skipped", "delivered", "bounced", "complained"
]
Confirmation = Literal["accepted", "delivered", "bounced", "complained", "rejected"]
CONFIRMATIONS: Final[Mapping[str, Confirmation]] = {
    "message_accepted": "accepted",
    "message_delivered": "delivered",
    "message_bounced": "bounced",
    "message_complained": "complained",
    "message_failed": "rejected",
}
"""What a provider's event says of the message whose key it carries."""
TOUCHES_KEPT: Final = timedelta(days=90)
"""The longest that a guard's policy may look back."""
MOST_TOUCHES: Final = 500
"""Recent messages of a contact, the newest: five a day for as long as a policy looks back."""
MOST_DEFERRALS_NOTED: Final = 120
"""Deferrals of one message whose reasons its row keeps; of later ones it keeps until when alone."""
ClaimResult = Literal["claimed", "taken", "touches_changed"]


@dataclass(frozen=True, slots=True)
class Decision:
    """One verdict on a message: why it was (not) sent, at what time where the contact lives.

    ``place`` is where its step stands in the journey (``step_place``), "" outside of one. ``saw`` has what each guard saw that
    was asked, by its code; ``elsewhere`` why the message's earlier channels were passed over, by channel; ``policy`` is the
    version of the sending policy. They are absent where no guard was asked.
    """

    at: datetime
    local_time: str
    outcome: SendOutcome
    reason: str
    channel: str | None
    place: str = ""
    saw: Mapping[str, str] = field(default_factory=dict)
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    policy: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The stored form."""
        return {
            "at": format_instant(self.at),
            "local_time": self.local_time,
            "outcome": self.outcome,
            "reason": self.reason,
            "channel": self.channel,
            **({"place": self.place} if self.place else {}),
            **({"saw": dump_seen(self.saw)} if self.saw else {}),
            **({"elsewhere": dict(self.elsewhere)} if self.elsewhere else {}),
            **({"policy": self.policy} if self.policy else {}),
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of ``to_dict``."""
        return cls(
            at=parse_instant(value["at"]),
            local_time=value["local_time"],
            outcome=value["outcome"],
            reason=value["reason"],
            channel=value.get("channel"),
            place=value.get("place", ""),
            saw=load_seen(value.get("saw", "")),
            elsewhere=dict(value.get("elsewhere", {})),
            policy=value.get("policy", ""),
        )


def dump_seen(saw: Mapping[str, str]) -> str:
    """What guards saw as one short text, ``erna;co=word 2027-03-01;fc=1/2 in 24h``: a row has room for no more.

    The codes, of two letters each, of guards that saw nothing follow one another.
    """
    parts: list[str] = []
    for code, value in saw.items():
        if value:
            parts.append(f"{code}={value.replace(';', ',')}")
        elif parts and "=" not in parts[-1]:
            parts[-1] += code
        else:
            parts.append(code)
    return ";".join(parts)


def load_seen(text: str) -> dict[str, str]:
    """The inverse of ``dump_seen``."""
    seen: dict[str, str] = {}
    for part in text.split(";"):
        code, has_value, value = part.partition("=")
        seen |= {code: value} if has_value else {code[at : at + 2]: "" for at in range(0, len(code), 2)}
    return seen


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """What is known of one message key; ``attempt`` is the deferred attempt that is booked next.

    ``in_answer`` is what stood in the answer to a provider's callback: a repeated callback gets the same.
    """

    message_key: str
    occasion: Occasion
    message: str
    state: LedgerState
    attempt: int = 0
    channel: str | None = None
    claim_id: str | None = None
    provider_message_id: str | None = None
    claimed_at: datetime | None = None
    claimed_local_time: str = ""
    deferred_until: datetime | None = None
    decisions: Sequence[Decision] = ()
    links: Sequence[str] = ()
    in_answer: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def contact_id(self) -> str:
        """The contact it goes to."""
        return self.occasion.contact_id

    @property
    def is_unsettled(self) -> bool:
        """Whether a provider was or may have been called, and it is not known what it answered."""
        return self.state in {"claimed", "unknown"}

    def result(self) -> SendResult:
        """The result of the request, for a caller that repeats it."""
        last = self.decisions[-1] if self.decisions else None
        outcome: SendOutcome
        match self.state:
            case "accepted" | "delivered" | "bounced" | "complained":
                outcome = "sent"
            case "claimed":
                outcome = "unknown"
            case "rejected" | "unknown" | "deferred" | "skipped":
                outcome = self.state
            case never:
                assert_never(never)
        decided_at = last.at if last else self.claimed_at
        at = self.deferred_until if self.state == "deferred" else decided_at
        return SendResult(
            outcome=outcome,
            reason="no_answer" if self.state == "claimed" or last is None else last.reason,
            channel=self.channel,
            message_key=self.message_key,
            at=at,
            in_answer=self.in_answer,
            is_repeated=True,
        )


@dataclass(frozen=True, slots=True)
class Touch:
    """One marketing message a contact was claimed for: what caps and pauses between messages count.

    ``lived_at`` is when, in the time of a journey that a test contact lives faster.
    """

    message_key: str
    at: datetime
    channel: str
    message: str
    kind: MessageKind
    topic: str
    priority: Priority
    lived_at: datetime | None = None

    @classmethod
    def of(
        cls,
        request: SendRequest,
        message: PublishedMessage,
        *,
        at: datetime,
        channel: str,
        lived_at: datetime | None = None,
    ) -> Self:
        """The touch that a claim of this request counts."""
        return cls(
            message_key=request.message_key,
            at=at,
            channel=channel,
            message=request.message,
            kind=message.kind,
            topic=message.topic,
            priority=message.priority,
            lived_at=lived_at,
        )

    def to_dict(self) -> dict[str, Any]:
        """The stored form."""
        form = {
            "message_key": self.message_key,
            "at": format_instant(self.at),
            "channel": self.channel,
            "message": self.message,
            "kind": self.kind,
            "topic": self.topic,
            "priority": self.priority,
        }
        return form if self.lived_at is None else form | {"lived_at": format_instant(self.lived_at)}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of ``to_dict``."""
        instants = {name: parse_instant(value[name]) for name in ("at", "lived_at") if name in value}
        return cls(**{**value, **instants})


@dataclass(frozen=True, slots=True)
class Touches:
    """The recent marketing messages of a contact; ``version`` lets a claim notice that another came in between.

    ``contact_id`` says whose they are when the request's contact is part of another one now.
    """

    recent: Sequence[Touch] = ()
    version: int = 0
    contact_id: str = ""

    def others(self, message_key: str) -> list[Touch]:
        """The touches of other messages than this one."""
        return [touch for touch in self.recent if touch.message_key != message_key]

    def count(self, message_key: str) -> bool:
        """Whether this message is among them."""
        return any(touch.message_key == message_key for touch in self.recent)

    def plus(self, touch: Touch) -> "Touches":
        """These and one more, without what no policy looks back to; a message counts once, the last time it was claimed."""
        kept = [known for known in self.others(touch.message_key) if known.at > touch.at - TOUCHES_KEPT]
        return replace(self, recent=[*kept, touch][-MOST_TOUCHES:])

    def together_with(self, other: "Touches") -> "Touches":
        """These and another contact's, oldest first, for one contact: each message counts once."""
        both = {touch.message_key: touch for touch in (*other.recent, *self.recent)}
        return replace(self, recent=sorted(both.values(), key=lambda touch: touch.at)[-MOST_TOUCHES:])

    def to_dict(self) -> dict[str, Any]:
        """The stored form, without the id of whose they are."""
        return {"recent": [touch.to_dict() for touch in self.recent], "version": self.version}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of ``to_dict``."""
        return cls([Touch.from_dict(touch) for touch in value["recent"]], value["version"])


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a request is decided on, read consistently in one go: no more than its occasion needs.

    ``enrolment`` is read for a journey step, ``event`` (the one that is answered) for a reply.
    """

    contact: Contact | None
    row: LedgerRow | None
    enrolment: EnrolmentView | None = None
    event: Event | None = None
    touches: Touches = field(default_factory=Touches)

    @property
    def unsettled_claim(self) -> str | None:
        """The id of the claim of a call that was or may have been made, and whose answer is not known."""
        return self.row.claim_id if self.row is not None and self.row.is_unsettled else None


class Ledger(Protocol):
    """Keeps message rows and touches."""

    def snapshot(self, request: SendRequest, *, with_row: bool = True) -> Snapshot:
        """What this request is decided on; without the row, ``row`` is None whatever the ledger has."""
        ...

    def claim(
        self,
        request: SendRequest,
        *,
        channel: str,
        claim_id: str,
        at: datetime,
        local_time: str,
        touches: Touches | None,
        links: Sequence[str] = (),
        repeats: str | None = None,
    ) -> ClaimResult:
        """Replace the touches that were read by ``touches``, then take the key for one provider call.

        ``links`` are the targets of the message's short links, kept with it. With ``repeats``, the id of a claim whose answer
        is unknown, the key is taken over for a call that the provider knows as a repetition; ``claimed_at`` stays that of the
        first call.

        A crash in between leaves a touch without a claim: a cap counts one too many until the key is sent or skipped.
        ``claimed`` also when this very ``claim_id`` holds it already (an answer that got lost); ``taken`` when another
        call has it; ``touches_changed`` when the contact was claimed for another message since they were read.
        """
        ...

    def settle(
        self,
        request: SendRequest,
        *,
        claim_id: str,
        state: Literal["accepted", "rejected", "unknown"],
        decision: Decision,
        provider_message_id: str | None = None,
        asked_at: datetime | None = None,
        in_answer: Mapping[str, Any] | None = None,
    ) -> None:
        """Write what the provider answered to our claim; the touch of a ``rejected`` message is taken back.

        ``asked_at`` is when the provider is to be asked what became of the message, which it does not report.
        When the provider's own event was faster, its state stays and the decision is written all the same.
        """
        ...

    def skip(self, request: SendRequest, *, decision: Decision) -> bool:
        """Write that the message is not sent; False when another call was first."""
        ...

    def defer(self, request: SendRequest, *, decision: Decision, until: datetime, claim_id: str | None = None) -> bool:
        """Write that the message waits until ``until``; False when another call was first.

        With ``claim_id`` our own claim is given back, because the provider definitely refused; the touch too.
        """
        ...

    def deferred_of(self, contact_id: str, origin: str) -> list[LedgerRow]:
        """The contact's rows of this origin that wait for a later attempt, read consistently."""
        ...

    def drop(self, row: LedgerRow, *, decision: Decision) -> None:
        """Turn a deferred row into a skipped one, unless it has moved on."""
        ...

    def stale_claims(self, before: datetime) -> Iterator[LedgerRow]:
        """Rows claimed before this instant and not settled since; not those of a ``fails_hop``, see ``claims_of``."""
        ...

    def claims_of(self, contact_id: str, origin: str, before: datetime) -> list[LedgerRow]:
        """The contact's rows of this origin that were claimed before this instant and not settled since, read consistently.

        A hop's claim is found through its enrolment, which is due for the sweep for as long as a hop walks.
        """
        ...

    def give_up_claim(self, row: LedgerRow, *, at: datetime) -> bool:
        """Turn a claimed row into ``unknown``; False when it was settled in between."""
        ...

    def results_due(self, now: datetime) -> Iterator[LedgerRow]:
        """Accepted rows whose provider is to be asked by now, the longest due first within a shard."""
        ...

    def ask_again(self, row: LedgerRow, at: datetime | None) -> None:
        """Ask for the result of a row at another time, None: never; a row that has its result meanwhile stays."""
        ...

    def row_of(self, contact_id: str, key_prefix: str) -> LedgerRow | None:
        """The contact's message whose key begins with this; the one that was claimed first if there are several."""
        ...

    def sent_as(self, contact_id: str, provider_message_id: str) -> LedgerRow | None:
        """The contact's message that its provider calls so; None for another system's."""
        ...

    def confirm(self, contact_id: str, message_key: str, *, state: Confirmation, at: datetime) -> bool:
        """Record a later report of the provider; this settles an ``unknown``. False for an unknown key."""
        ...
