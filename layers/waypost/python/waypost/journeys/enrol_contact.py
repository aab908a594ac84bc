"""Start the journeys an event asks for, each at most once per occasion. Called by the router."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, Self, assert_never
from zoneinfo import ZoneInfo

from waypost import ids
from waypost.clock import Clock
from waypost.codec import JsonForm
from waypost.contacts.profile import Contact
from waypost.events.envelope import Event
from waypost.events.history import EventHistory, since_under
from waypost.journeys.draws import drawn
from waypost.journeys.enrolment import ONCE, Enrolment, TriggerEvent, first_hop, occasion_of
from waypost.journeys.hops import start_hop
from waypost.journeys.matching import EventRules, asks_the_profile, enrolments_for, history_for, holds, subject_of
from waypost.journeys.ports import NEVER, EnrolmentStore, EntryTerms, Machines, Refusal
from waypost.journeys.published import REQUEST, TEST_PACE, PublishedJourney, PublishedJourneys, ReEntry
from waypost.journeys.shortened_time import LARGEST_PACE, USUAL_PACE, ShortenedTime
from waypost.segments.subject import Subject
from waypost.sending.held_journeys import HeldJourneys

EntryReason = (
    Literal[
        "enrolled", "trigger_condition_not_met", "entry_rule_not_met", "property_missing", "journey_closed",
        "journey_held", "trigger_too_old", "over_before_entry", "no_such_journey", "not_a_test_contact",
    ]
    | Refusal
)  # fmt: skip

LONGEST_NAME: Final = 50
"""Characters of a journey's name; a request may say anything."""


@dataclass(frozen=True, slots=True)
class EntryDecision(JsonForm):
    """Whether an event put a contact into a journey, and why (not)."""

    journey: str
    reason: EntryReason
    enrolment_id: str | None = None

    @property
    def moves_contact(self) -> bool:
        """Whether the contact has entered the journey."""
        return self.reason == "enrolled"


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolContact:
    """Decides entry: trigger, age, entry rule, the journeys under way, re-entry, what ended it already, audience limit.

    What the event, the profile and the journeys under way say is asked first, in memory: a journey that they keep the contact
    out of reads and writes nothing. What is written asks for re-entry and the exclusive group once more, as it is written.
    """

    journeys: PublishedJourneys
    default_zone: ZoneInfo
    enrolments: EnrolmentStore
    history: EventHistory
    machines: Machines
    held: HeldJourneys
    clock: Clock

    def consider(self, contact: Contact, event: Event, under_way: Sequence[Enrolment]) -> list[EntryDecision]:
        """Start every journey that this event triggers for this contact; highest priority first.

        ``under_way`` are the contact's journeys as they stood when the event came, under all its ids. Doing it again for the same
        event starts nothing twice: an enrolment it opened before is found, and its first hop, if no execution has taken it, is
        started again.
        """
        at_hand = subject_of(contact, now=self.clock(), default_zone=self.default_zone, properties=event.properties)
        standing = _Standing.of(under_way)
        if event.type == REQUEST:
            return [self._requested(contact, event, at_hand, standing)]
        decisions = list[EntryDecision]()
        for journey in self.journeys.triggered_by(event.type):
            if any(holds(rule, at_hand) for rule in journey.trigger.rules_for(event.type)):
                decision = self._decide(journey, contact, event, at_hand, standing)
                standing = standing.after(journey, decision)
            else:
                decision = EntryDecision(journey.name, "trigger_condition_not_met")
            decisions.append(decision)
        return decisions

    def _requested(self, contact: Contact, event: Event, at_hand: Subject, standing: "_Standing") -> EntryDecision:
        """Start the journey that the request names; its trigger is not asked, all the rest is."""
        name = str(event.properties.get("journey", ""))
        journey = self.journeys.by_name.get(name)
        if journey is None:
            return EntryDecision(name[:LONGEST_NAME], "no_such_journey")
        if TEST_PACE in event.properties:
            if not contact.test:
                return EntryDecision(name, "not_a_test_contact")
            journey = journey.tried
        return self._decide(journey, contact, event, at_hand, standing)

    def _decide(
        self, journey: PublishedJourney, contact: Contact, event: Event, at_hand: Subject, standing: "_Standing"
    ) -> EntryDecision:
        entry_key = _entry_key(journey, event)
        if entry_key is None:
            return EntryDecision(journey.name, "property_missing")
        for owner in contact.partitions:
            if known := standing.by_id.get(ids.enrolment_id(journey.name, owner, entry_key)):
                return self._again(known, event)
        objection = self._objection(journey, event, at_hand) or standing.refusal(journey, event)
        if objection is None:
            ended = self._ended(contact, journey, entry_key)
            if ended is not None:
                return self._again(ended, event)
            objection = self._objection_of_the_past(journey, contact, event, at_hand)
        return EntryDecision(journey.name, objection) if objection else self._enter(journey, contact, event, entry_key)

    def _objection(self, journey: PublishedJourney, event: Event, at_hand: Subject) -> EntryReason | None:
        """Why the contact does not enter, as the event and the profile tell."""
        if journey.trigger.is_too_old(event):
            return "trigger_too_old"
        if journey.closed:
            return "journey_closed"
        is_refused = asks_the_profile(journey.entry) and not holds(journey.entry, at_hand)
        if is_refused:
            return "entry_rule_not_met"
        hold = self.held.of(journey.name)
        return "journey_held" if hold is not None and hold.refuses_entry else None

    def _objection_of_the_past(
        self, journey: PublishedJourney, contact: Contact, event: Event, at_hand: Subject
    ) -> EntryReason | None:
        """Why the contact does not enter, for what lies behind it; read only where a rule asks, or something can be found."""
        if not asks_the_profile(journey.entry):
            subject = replace(
                at_hand,
                history=history_for(journey.entry, contact, self.history),
                enrolments=enrolments_for(journey.entry, contact, self.enrolments),
            )
            if not holds(journey.entry, subject):
                return "entry_rule_not_met"
        return "over_before_entry" if self._is_over(journey, contact, event) else None

    def _enter(self, journey: PublishedJourney, contact: Contact, event: Event, entry_key: str) -> EntryDecision:
        enrolment_id = ids.enrolment_id(journey.name, contact.contact_id, entry_key)
        enrolment = Enrolment(
            enrolment_id=enrolment_id,
            contact_id=contact.contact_id,
            journey=journey.name,
            version=journey.version,
            trigger=TriggerEvent(
                id=event.id, type=event.type, occurred_at=event.occurred_at, properties=event.properties
            ),
            enrolled_at=(now := self.clock()),
            hop=first_hop(enrolment_id, now),
            due_at=now,
            correlation_id=event.correlation_id,
            exclusive_group=journey.exclusive_group,
            machine_version=journey.machine_version,
            entered_for=_entered_for(journey.re_entry, event),
            splits=drawn(contact.contact_id, journey.name, journey.splits),
            held_out=journey.holdout is not None and journey.holdout.has(contact.contact_id),
            shortened=_shortened(event),
        )
        self.enrolments.note_due(enrolment.contact_id, enrolment_id, enrolment.due_at)
        refusal = self.enrolments.open(enrolment, self._terms(journey, contact))
        if refusal is not None:
            return EntryDecision(journey.name, refusal)
        return self._start(enrolment)

    def _is_over(self, journey: PublishedJourney, contact: Contact, event: Event) -> bool:
        """Whether the goal or an exit happened after this event and was routed before it: a device was offline, a shop was faster.

        The history is read only if the profile has seen such an event on the event's day or later.
        """
        endings = [*journey.exit_on, *([journey.goal] if journey.goal else [])]
        day = event.occurred_at.astimezone(UTC).date()
        types = sorted(
            {rule.event for rule in endings if rule.event in contact.seen and contact.seen[rule.event][1] >= day}
        )
        if not types:
            return False
        rules = EventRules(default_zone=self.default_zone, enrolments=self.enrolments, history=self.history)
        return any(
            rules.fits(
                rule,
                contact,
                type=happened.type,
                properties=happened.properties,
                trigger=event.properties,
                now=self.clock(),
            )
            for happened in since_under(contact.partitions, self.history, event.occurred_at, types=types)
            if happened.occurred_at > event.occurred_at
            for rule in endings
        )

    def _ended(self, contact: Contact, journey: PublishedJourney, entry_key: str) -> Enrolment | None:
        """The past enrolment under this key: the contact's own, or that of a contact which is part of it now."""
        for owner in contact.partitions:
            ended = self.enrolments.ended(owner, ids.enrolment_id(journey.name, owner, entry_key))
            if ended is not None:
                return ended
        return None

    def _again(self, known: Enrolment, event: Event) -> EntryDecision:
        """The enrolment exists: start what a crash left unstarted, refuse another event."""
        if known.trigger.id != event.id:
            return EntryDecision(known.journey, "enrolled_before")
        begun = known.pause is not None or not known.lies_untaken
        return EntryDecision(known.journey, "enrolled", known.enrolment_id) if begun else self._start(known)

    def _start(self, enrolment: Enrolment) -> EntryDecision:
        start_hop(self.machines, enrolment)
        return EntryDecision(enrolment.journey, "enrolled", enrolment.enrolment_id)

    def _terms(self, journey: PublishedJourney, contact: Contact) -> EntryTerms:
        return EntryTerms(
            one_at_a_time=_is_one_at_a_time(journey.re_entry),
            not_since=self._not_since(journey.re_entry),
            exclusive_group=journey.exclusive_group,
            audience_limit=journey.audience_limit,
            also_under=contact.absorbed,
        )

    def _not_since(self, re_entry: ReEntry) -> datetime | None:
        """What an earlier enrolment must be older than; also when its row is over its time, ``never`` is never."""
        match re_entry.kind:
            case "never":
                return NEVER
            case "always" | "side_by_side":
                return None
            case "after" | "per":
                return None if re_entry.seconds is None else self.clock() - timedelta(seconds=re_entry.seconds)
            case _ as unknown:
                assert_never(unknown)


@dataclass(frozen=True, slots=True)
class _Standing:
    """What the journeys under way stand in the way of: ``groups`` are the exclusive ones that they hold."""

    by_id: Mapping[str, Enrolment]
    occasions: frozenset[str]
    groups: frozenset[str | None]

    @classmethod
    def of(cls, under_way: Sequence[Enrolment]) -> Self:
        """As these enrolments have it."""
        return cls(
            {each.enrolment_id: each for each in under_way},
            frozenset(each.occasion for each in under_way),
            frozenset(each.exclusive_group for each in under_way if each.exclusive_group),
        )

    def refusal(self, journey: PublishedJourney, event: Event) -> Refusal | None:
        """Why nobody who stands like this enters the journey."""
        occasion = occasion_of(journey.name, _entered_for(journey.re_entry, event))
        if _is_one_at_a_time(journey.re_entry) and occasion in self.occasions:
            return "already_in_journey"
        return "exclusive_group_taken" if journey.exclusive_group in self.groups else None

    def after(self, journey: PublishedJourney, decision: EntryDecision) -> Self:
        """With the group that the contact has just entered; the same event enters no other journey of it."""
        if not (decision.moves_contact and journey.exclusive_group):
            return self
        return replace(self, groups=self.groups | {journey.exclusive_group})


def _is_one_at_a_time(re_entry: ReEntry) -> bool:
    """Whether no contact is in the journey twice at once, for one value of its property where it has one."""
    match re_entry.kind:
        case "never" | "always" | "after":
            return True
        case "side_by_side":
            return False
        case "per":
            return re_entry.seconds is not None
        case _ as unknown:
            assert_never(unknown)


def _entry_key(journey: PublishedJourney, event: Event) -> str | None:
    """What tells one enrolment of a contact in this journey from the next; None when the event does not say."""
    match journey.re_entry.kind:
        case "never":
            return ONCE
        case "always" | "side_by_side" | "after":
            return event.id
        case "per":
            value = _entry_value(journey.re_entry, event)
            if value is None or journey.re_entry.seconds is None:
                return value
            return f"{value}@{event.id}"
        case _ as unknown:
            assert_never(unknown)


def _shortened(event: Event) -> ShortenedTime | None:
    """The pace that a request for a test asks for; a system may ask for one that cannot be, and gets the usual one."""
    if event.type != REQUEST or TEST_PACE not in event.properties:
        return None
    pace = event.properties[TEST_PACE]
    return ShortenedTime(pace if isinstance(pace, int) and 1 <= pace <= LARGEST_PACE else USUAL_PACE)


def _entered_for(re_entry: ReEntry, event: Event) -> str:
    """A digest of what a time of re-entry is counted for; "" where that is the journey, or no time is counted."""
    counts = re_entry.kind == "per" and re_entry.seconds is not None
    return ids.digest(_entry_value(re_entry, event) or "") if counts else ""


def _entry_value(re_entry: ReEntry, event: Event) -> str | None:
    """The property that re-entry is counted for, with its value; None when the event does not have it."""
    value = _property(event.properties, re_entry.property or "")
    return None if value is None else f"{re_entry.property}={value}"


def _property(properties: Mapping[str, Any], path: str) -> Any:
    value: Any = properties
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
