"""Why messages were sent to a contact, wait or were not sent, from what was stored with each decision. Used by explain_contact.

Of a message that was never decided on it says what keeps the contact from the step that sends it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, assert_never
from zoneinfo import ZoneInfo

from waypost.clock import format_instant, parse_instant
from waypost.codec import JsonForm
from waypost.contacts.zones import zone_of
from waypost.journeys.enrol_contact import EntryReason
from waypost.journeys.enrolment import Enrolment
from waypost.pages.texts import gettext_noop
from waypost.reports.timeline import ContactItems, decided, rows_of
from waypost.sending.judge import VARIANT, all_guards
from waypost.sending.ledger import load_seen
from waypost.sending.occasion import JourneyStep, journey_of, load_occasion
from waypost.sending.request import SendOutcome
from waypost.sending.ways_out import what_would_help

ENTRY_REASONS: Final[Mapping[EntryReason, str]] = {
    "trigger_condition_not_met": gettext_noop("An event that fulfils the condition of the journey's trigger."),
    "entry_rule_not_met": gettext_noop("The contact has to be in the journey's entry segment when the event comes."),
    "property_missing": gettext_noop(
        "The event has to carry the property that tells the passages of the journey apart."
    ),
    "no_such_journey": gettext_noop("The request has to name a journey that there is."),
    "not_a_test_contact": gettext_noop("The operation mark-test-contact has to make the contact one."),
    "journey_held": gettext_noop("An operator has to resume the journey: journey-control with the action resume."),
    "journey_closed": gettext_noop("The journey has to take contacts in again."),
    "trigger_too_old": gettext_noop("The event has to arrive sooner after it happened."),
    "over_before_entry": gettext_noop("A newer event: the goal or an exit had come before this one was read."),
    "enrolled_before": gettext_noop("The journey's re_entry decides when the contact may enter once more."),
    "already_in_journey": gettext_noop("The contact's passage that goes on now has to end first."),
    "exclusive_group_taken": gettext_noop(
        "The contact has to end the journey of the same exclusive group that it is in."
    ),
    "audience_limit_reached": gettext_noop("A higher audience_limit of the journey."),
}
"""What would help against each reason for which a contact does not enter a journey."""

ABSENCES: Final = {
    "never_triggered": gettext_noop("An event that starts the journey; none has come for this contact."),
    "on_its_way": gettext_noop("The contact has to reach the step; it is in the journey."),
    "passed_by": gettext_noop(
        "The contact's way through the journey did not lead to the step; it would have to enter again."
    ),
}
"""What would help a message that no step has asked for."""


VARIANT_TITLE: Final = gettext_noop("Variant for a segment")


@dataclass(frozen=True, slots=True)
class GuardView(JsonForm):
    """One guard that was asked: its name, what it saw ("" for nothing but its verdict), and whether it decided."""

    guard: str
    title: str
    saw: str
    decided: bool


@dataclass(frozen=True, slots=True)
class ClosedChannel(JsonForm):
    """A channel of the message that was passed over, why, and what would help there."""

    channel: str
    reason: str
    what_would_help: str


@dataclass(frozen=True, slots=True)
class ExplainedDecision(JsonForm):
    """One decision. ``next_possible_at``: when the message is or was tried next; ``policy``: the version that was applied."""

    at: datetime
    local_time: str
    outcome: SendOutcome
    reason: str
    channel: str | None
    guards: tuple[GuardView, ...]
    elsewhere: tuple[ClosedChannel, ...]
    policy: str
    next_possible_at: datetime | None
    what_would_help: str


@dataclass(frozen=True, slots=True)
class ExplainedMessage(JsonForm):
    """All decisions on one message, oldest first, and where it stands: the ledger's state and what decides now."""

    message_key: str
    occasion: str
    journey: str
    step: str
    message: str
    state: str
    decisions: tuple[ExplainedDecision, ...]
    reason: str
    next_possible_at: datetime | None
    what_would_help: str


@dataclass(frozen=True, slots=True)
class Absence(JsonForm):
    """Why no step of a journey has asked for a message so far. ``detail`` names the Pause, the outcome or the event."""

    journey: str
    message: str
    reason: str
    detail: str
    next_possible_at: datetime | None
    what_would_help: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is known of the messages asked about; ``absence`` if there is none and a journey was named."""

    contact_id: str
    zone: ZoneInfo
    messages: tuple[ExplainedMessage, ...]
    absence: Absence | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "contact_id": self.contact_id,
            "zone": self.zone.key,
            "messages": [each.to_dict() for each in self.messages],
            "absence": self.absence.to_dict() if self.absence else None,
        }


def explain(
    contact_id: str,
    items: ContactItems,
    *,
    default_zone: ZoneInfo,
    journey: str = "",
    message: str = "",
    message_key: str = "",
) -> Explanation | None:
    """Explain the contact's messages, oldest first, or only those named; None for an unknown contact.

    ``message`` is a message's name in its journey, its id in the catalogue, or the name of the step that sends it.
    """
    contact, rows = rows_of(contact_id, items)
    if contact is None:
        return None
    found = [_explained(row) for row in rows if str(row["sk"]).startswith("message#")]
    chosen = [
        each
        for each in found
        if message_key in {"", each.message_key}
        and journey in {"", each.journey}
        and message in {"", each.message, each.message.rpartition("/")[2], each.step}
    ]
    return Explanation(
        contact_id=contact.contact_id,
        zone=zone_of(contact, default_zone),
        messages=tuple(sorted(chosen, key=_first_decided)),
        absence=None if chosen or not journey else _absence(journey, message, rows),
    )


def _first_decided(message: ExplainedMessage) -> tuple[str, str]:
    return format_instant(message.decisions[0].at) if message.decisions else "", message.message_key


def _explained(row: Mapping[str, Any]) -> ExplainedMessage:
    occasion, made = load_occasion(row["occasion"]), decided(row)
    tried_again = [each["at"] for each in made[1:]]
    waits_until = row.get("deferred_until") if row["state"] == "deferred" else row.get("claimed_at")
    then = [*tried_again, waits_until][: len(made)]
    decisions = tuple(_decision(decision, tried) for decision, tried in zip(made, then, strict=True))
    reason = "no_answer" if row["state"] == "claimed" or not decisions else decisions[-1].reason
    return ExplainedMessage(
        message_key=row["message_key"],
        occasion=occasion.kind,
        journey=journey_of(occasion),
        step=occasion.state if isinstance(occasion, JourneyStep) else occasion.label,
        message=row["message"],
        state=row["state"],
        decisions=decisions,
        reason=reason,
        next_possible_at=decisions[-1].next_possible_at if decisions and row["state"] == "deferred" else None,
        what_would_help=what_would_help(reason),
    )


def _decision(decision: Mapping[str, Any], then: str | None) -> ExplainedDecision:
    """``then`` is when the message was or will be tried next, if it was deferred."""
    outcome: SendOutcome = decision["outcome"]
    match outcome:
        case "deferred":
            next_possible_at = parse_instant(then) if then else None
        case "sent" | "skipped" | "rejected" | "unknown":
            next_possible_at = None
        case _:
            assert_never(outcome)
    reason = decision["reason"]
    return ExplainedDecision(
        at=parse_instant(decision["at"]),
        local_time=decision["local_time"],
        outcome=outcome,
        reason=reason,
        channel=decision["channel"],
        guards=tuple(explained_guards(load_seen(decision.get("saw", "")), reason)),
        elsewhere=tuple(
            ClosedChannel(channel, why, what_would_help(why)) for channel, why in decision.get("elsewhere", {}).items()
        ),
        policy=decision.get("policy", ""),
        next_possible_at=next_possible_at,
        what_would_help=what_would_help(reason),
    )


def explained_guards(saw: Mapping[str, str], reason: str) -> Iterable[GuardView]:
    """The guards that were asked; one that exists no more is called by its code."""
    known = {guard.code: guard for guard in all_guards()}
    for code, value in saw.items():
        if code == VARIANT:
            yield GuardView("variant", VARIANT_TITLE, value, decided=False)
        elif guard := known.get(code):
            name = type(guard).__module__.rpartition(".")[2]
            yield GuardView(name, guard.title, value, reason in {each.name for each in guard.reasons})
        else:
            yield GuardView(code, code, value, decided=False)


def _absence(journey: str, message: str, rows: Sequence[Mapping[str, Any]]) -> Absence:
    """What keeps the contact from the step: it is not in the journey, has not come there, or went by."""
    passages = [Enrolment.from_dict(row) for row in rows if str(row["sk"]).startswith("enrolment#")]
    passages = [each for each in passages if each.journey == journey]
    if not passages:
        return _not_entered(journey, message, rows)
    last = max(passages, key=lambda each: each.enrolled_at)
    if last.status == "ended":
        detail = " ".join(filter(None, (last.outcome, format_instant(last.ended_at) if last.ended_at else "")))
        return Absence(journey, message, "passed_by", detail, None, ABSENCES["passed_by"])
    pause = last.pause if last.position == "parked" else None
    detail, until = (pause.state, pause.due_at) if pause else ("", None)
    return Absence(journey, message, "on_its_way", detail, until, ABSENCES["on_its_way"])


def _not_entered(journey: str, message: str, rows: Sequence[Mapping[str, Any]]) -> Absence:
    """The reason of the last event that would have started the journey."""
    refusals = [
        (row["routed_at"], row["event_type"], decision["reason"])
        for row in rows
        if str(row["sk"]).startswith("routed#")
        for decision in row["decisions"]
        if decision["journey"] == journey and decision.get("reason") in ENTRY_REASONS
    ]
    if not refusals:
        return Absence(journey, message, "never_triggered", "", None, ABSENCES["never_triggered"])
    at, event_type, reason = max(refusals)
    return Absence(journey, message, reason, f"{event_type} {at}", None, ENTRY_REASONS[reason])
