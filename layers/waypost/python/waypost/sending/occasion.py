"""Why a message is sent. Read by the sender, its guards and the ledger; the message key comes from it (design rule 4).

A repeated, redriven or restarted caller names the same occasion, and so finds the row of the first try.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import cache
from typing import Any, ClassVar, Final, Literal, Self, assert_never

from waypost import ids
from waypost.clock import format_instant, parse_instant
from waypost.errors import InvalidInput

TEST: Final = "message_test"
"""The notice that is a message for contacts, sent to a member of staff to look at."""

TASK_ASSIGNED: Final = "task_assigned"
TASK_OVERDUE: Final = "task_overdue"
"""The notices about a task of a member of staff: it is theirs; its deadline has passed without an answer."""

OccasionKind = Literal["journey_step", "broadcast_slot", "staff_notice", "reply"]


@dataclass(frozen=True, slots=True)
class JourneyStep:
    """One visit to one state of an enrolment.

    ``occurrence`` tells the visits of a state in a loop apart; a retry of the same visit keeps it. ``after_exit`` marks a
    step outside the journey's body, for a contact that may have left it.
    """

    kind: ClassVar[Literal["journey_step"]] = "journey_step"
    contact_id: str
    enrolment_id: str
    journey: str
    state: str
    occurrence: int = 1
    after_exit: bool = False
    correlation_id: str = ""

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Self:
        """The step of a task's payload, which passes the whole ASL context as ``context``."""
        context = payload["context"]
        given = context["Execution"]["Input"]
        return cls(
            contact_id=given["contact_id"],
            enrolment_id=given["enrolment_id"],
            journey=given["journey"],
            state=context["State"]["Name"],
            occurrence=int(payload.get("occurrence", 1)),
            after_exit=payload.get("after_exit", False),
            correlation_id=given.get("correlation_id", ""),
        )

    @property
    def message_key(self) -> str:
        """From (enrolment, state, occurrence)."""
        return ids.message_key(self.kind, self.enrolment_id, self.state, str(self.occurrence))

    @property
    def origin(self) -> str:
        """Leaving the journey calls off what its enrolment still has to send."""
        return enrolment_origin(self.enrolment_id)

    @property
    def label(self) -> str:
        """What reports call it."""
        return self.state


@dataclass(frozen=True, slots=True)
class HopVisit:
    """The execution in which a task of a journey is called: of which hop, and which of its (possibly doubled) executions."""

    hop_id: str
    execution: str
    entered_at: str = field(default="", compare=False)
    """When the machine entered the state: of two steps of a hop it says which came first."""

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Self:
        """From a task's payload, which passes the whole ASL context as ``context``.

        Every Express execution has an ARN of its own, a doubled one too; its digest is short and tells them apart.
        Source: Step Functions Developer Guide, "Express Workflows": executions are started at least once.
        """
        context = payload["context"]
        execution, entered_at = context["Execution"], context["State"].get("EnteredTime", "")
        return cls(execution["Input"]["hop"]["id"], ids.digest(execution["Id"]), entered_at)


def step_place(pauses: int, visit: HopVisit | None) -> str:
    """Where a step stands in a contact's passage: such texts sort as the steps were taken.

    ``pauses`` is how many lay behind it; ``visit`` is None for the later attempt of a deferred message, which no hop makes.
    """
    return f"{pauses:04d}/{visit.entered_at if visit else ''}"


@dataclass(frozen=True, slots=True)
class BroadcastSlot:
    """One contact's place in one phase of one run of a campaign; whichever ``variant`` it gets, the slot is the same."""

    kind: ClassVar[Literal["broadcast_slot"]] = "broadcast_slot"
    contact_id: str
    campaign: str
    run: str
    phase: str
    variant: str = ""

    @property
    def message_key(self) -> str:
        """From (campaign, run, phase, contact)."""
        return ids.message_key(self.kind, self.campaign, self.run, self.phase, self.contact_id)

    @property
    def origin(self) -> str:
        """Stopping the run calls off what it still has to send."""
        return run_origin(self.campaign, self.run)

    @property
    def label(self) -> str:
        """What reports call it."""
        return " / ".join(part for part in (self.campaign, self.run, self.phase, self.variant) if part)


@dataclass(frozen=True, slots=True)
class StaffNotice:
    """A notice to a member of staff about something that needs them; ``contact_id`` is the member's (``staff.directory``).

    ``notice`` says what happened (``order_refused``), ``about`` is the id of what it happened to. An ``urgent`` one does
    not wait for the morning. ``details`` are ids and names that its message shows as ``event.properties``. A test of a message
    for contacts (``TEST``) is filled in with the values of the contact ``shown_for``, and so is a notice that a journey sends:
    there ``event`` is what started ``enrolment_id``. A notice about a task (``about`` is the task's id) shows the task itself.
    """

    kind: ClassVar[Literal["staff_notice"]] = "staff_notice"
    contact_id: str
    notice: str
    about: str
    urgent: bool = False
    details: Mapping[str, Any] = field(default_factory=dict, hash=False)
    shown_for: str = ""
    enrolment_id: str = ""

    @property
    def is_test(self) -> bool:
        """Whether it shows a member what contacts will get."""
        return self.notice == TEST

    @property
    def is_about_task(self) -> bool:
        """Whether it is about a task of the member, which may have been answered meanwhile."""
        return self.notice in {TASK_ASSIGNED, TASK_OVERDUE}

    @property
    def message_key(self) -> str:
        """From (notice, about, contact)."""
        return ids.message_key(self.kind, self.notice, self.about, self.contact_id)

    @property
    def origin(self) -> str:
        """Settling the matter calls off its notices."""
        return f"notice:{self.notice}/{self.about}"

    @property
    def label(self) -> str:
        """What reports call it."""
        return f"{self.notice} / {self.about}"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to an event of the contact's own, at once; ``occurrence`` tells several answers to one event apart."""

    kind: ClassVar[Literal["reply"]] = "reply"
    contact_id: str
    event_id: str
    event_type: str
    occurred_at: datetime
    occurrence: int = 1

    @property
    def message_key(self) -> str:
        """From (event, contact, occurrence)."""
        return ids.message_key(self.kind, self.event_id, self.contact_id, str(self.occurrence))

    @property
    def origin(self) -> str:
        """The event it answers."""
        return f"event:{self.event_id}"

    @property
    def label(self) -> str:
        """What reports call it."""
        return f"reply to {self.event_type}"


Occasion = JourneyStep | BroadcastSlot | StaffNotice | Reply


def enrolment_origin(enrolment_id: str) -> str:
    """The origin of every step of an enrolment."""
    return f"enrolment:{enrolment_id}"


def run_origin(campaign: str, run: str) -> str:
    """The origin of every slot of a campaign's run."""
    return f"run:{campaign}/{run}"


def journey_of(occasion: Occasion) -> str:
    """The name of the journey, or "" when no journey sends this."""
    match occasion:
        case JourneyStep():
            return occasion.journey
        case BroadcastSlot() | StaffNotice() | Reply():
            return ""
        case _:
            assert_never(occasion)


def dump_occasion(occasion: Occasion) -> dict[str, Any]:
    """The stored form: ids and names, no personal data."""
    kind: type = type(occasion)
    values = {name: getattr(occasion, name) for name in _names(kind)}
    return {"kind": occasion.kind} | {
        name: format_instant(value) if isinstance(value, datetime) else value for name, value in values.items()
    }


@cache
def _names(kind: Any) -> tuple[str, ...]:
    """The fields of a kind of occasion."""
    return tuple(each.name for each in fields(kind))


def load_occasion(value: Mapping[str, Any]) -> Occasion:
    """The inverse of ``dump_occasion``. Raises InvalidInput for a kind that does not exist or fields that do not fit."""
    kind = _KINDS.get(value.get("kind", ""))
    if kind is None:
        raise InvalidInput("occasion.kind", f"expected one of {', '.join(_KINDS)}, got {value.get('kind')!r}")
    given = {name: each for name, each in value.items() if name != "kind"}
    if "occurred_at" in given:
        given["occurred_at"] = parse_instant(given["occurred_at"])
    try:
        return kind(**given)
    except TypeError:
        raise InvalidInput(
            "occasion", f"expected the fields of a {kind.kind}, got {', '.join(sorted(given))}"
        ) from None


_KINDS: Final[Mapping[str, type[JourneyStep | BroadcastSlot | StaffNotice | Reply]]] = {
    kind.kind: kind for kind in (JourneyStep, BroadcastSlot, StaffNotice, Reply)
}
