"""Resume or exit the parked journeys an event speaks to. Called by the router."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from waypost.clock import Clock
from waypost.codec import JsonForm
from waypost.contacts.profile import Contact
from waypost.events.envelope import Event
from waypost.events.history import EventHistory, since_under
from waypost.journeys.enrolment import Enrolment, LeavingOutcome, TriggerEvent
from waypost.journeys.matching import enrolments_for, history_for, holds, subject_of
from waypost.journeys.pause import Pause, may_end, window_start
from waypost.journeys.pause_journey import event_outcome, leaving_outcome
from waypost.journeys.ports import EnrolmentStore, PauseStore, Resumptions, TaskTokens
from waypost.journeys.published import EventRule, PublishedJourneys
from waypost.journeys.signalling import cancel_schedule, signal
from waypost.sending.deferral import Deferrals
from waypost.sending.occasion import enrolment_origin


@dataclass(frozen=True, slots=True)
class WakeDecision(JsonForm):
    """What an event did to a journey under way."""

    enrolment_id: str
    journey: str
    effect: Literal["goal", "exited", "resumed"]

    @property
    def moves_contact(self) -> bool:
        """Whether the contact is leaving the journey."""
        return self.effect != "resumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeJourneys:
    """Ends pauses early: by the event they wait for, or because the journey is left."""

    journeys: PublishedJourneys
    default_zone: ZoneInfo
    enrolments: EnrolmentStore
    pauses: PauseStore
    history: EventHistory
    schedules: Resumptions
    tokens: TaskTokens
    deferrals: Deferrals
    clock: Clock

    def notify(self, contact: Contact, event: Event) -> list[WakeDecision]:
        """Tell every journey of the contact about the event. Doing it again repeats only what a crash left undone."""
        happened = _as_trigger(event)
        return [
            decision
            for enrolment in self._unfinished(contact)
            if _is_later(happened, enrolment)
            for decision in self._notify(enrolment, contact, happened)
        ]

    def catch_up(self, contact: Contact) -> list[WakeDecision]:
        """Tell every journey what the contact did under its other ids, before they were known to be the same person.

        For a contact that has just absorbed another. A journey hears of the events since the one that started it; its
        present pause of those that came in while it waits, as if they had been the journey's own contact's.
        """
        return [decision for enrolment in self._unfinished(contact) for decision in self._catch_up(enrolment, contact)]

    def _catch_up(self, enrolment: Enrolment, contact: Contact) -> list[WakeDecision]:
        pauses = self.pauses.of_enrolment(enrolment.contact_id, enrolment.enrolment_id)
        types = sorted(self._listens_for(enrolment, pauses))
        others = [owner for owner in contact.partitions if owner != enrolment.contact_id]
        missed = since_under(others, self.history, enrolment.trigger.occurred_at, types=types) if types else []
        start, decisions = window_start(pauses, enrolment), list[WakeDecision]()
        for event in missed:
            happened = TriggerEvent(event.id, event.type, event.occurred_at, event.properties)
            if not decisions and _is_later(happened, enrolment):
                decisions = self._notify(enrolment, contact, happened, wakes=event.routed_at >= start)
        return decisions

    def _unfinished(self, contact: Contact) -> list[Enrolment]:
        """The journeys under way, under whichever of its ids the contact entered them."""
        return [enrolment for owner in contact.partitions for enrolment in self.enrolments.unfinished(owner)]

    def _listens_for(self, enrolment: Enrolment, pauses: Iterable[Pause]) -> set[str]:
        """The types of event that mean something to a journey now."""
        journey = self.journeys.by_name.get(enrolment.journey)
        rules = [] if journey is None else [*journey.exit_on, *([journey.goal] if journey.goal else [])]
        awaited = {pause.waits_for["event"] for pause in pauses if pause.waits_for and not pause.signalled}
        return {rule.event for rule in rules} | awaited

    def _notify(
        self, enrolment: Enrolment, contact: Contact, event: TriggerEvent, *, wakes: bool = True
    ) -> list[WakeDecision]:
        """``wakes``: the event may also end the present pause."""
        outcome = self._ending(enrolment, contact, event)
        if outcome is not None:
            return self._leave(enrolment, outcome, event)
        if enrolment.status == "leaving" or not wakes:
            return []
        pauses = self.pauses.of_enrolment(enrolment.contact_id, enrolment.enrolment_id)
        return [
            WakeDecision(enrolment.enrolment_id, enrolment.journey, "resumed")
            for pause in pauses
            if may_end(event.id, pause, pauses) and self._resume(pause, enrolment, contact, event)
        ]

    def _ending(self, enrolment: Enrolment, contact: Contact, event: TriggerEvent) -> LeavingOutcome | None:
        """Whether the event is the journey's goal or one of its exits."""
        journey = self.journeys.by_name.get(enrolment.journey)
        if journey is None:
            return None
        goal = journey.goal
        if goal is not None and self._is(goal, enrolment, contact, event):
            deadline = enrolment.enrolled_at + timedelta(seconds=goal.within_seconds) if goal.within_seconds else None
            if deadline is None or event.occurred_at <= deadline:
                return "goal"
        return "exited" if any(self._is(rule, enrolment, contact, event) for rule in journey.exit_on) else None

    def _is(self, rule: EventRule, enrolment: Enrolment, contact: Contact, event: TriggerEvent) -> bool:
        if rule.event != event.type:
            return False
        return holds(
            rule.where,
            subject_of(
                contact,
                now=self.clock(),
                default_zone=self.default_zone,
                properties=event.properties,
                trigger=enrolment.trigger.properties,
                history=history_for(rule.where, contact, self.history),
                enrolments=enrolments_for(rule.where, contact, self.enrolments),
            ),
        )

    def _leave(self, enrolment: Enrolment, outcome: LeavingOutcome, event: TriggerEvent) -> list[WakeDecision]:
        """Leave the body: no new pause will hold, every parked one fails, nothing deferred goes out."""
        leaving = self.enrolments.leave(enrolment, outcome=outcome, event=event, at=self.clock())
        if leaving is None:
            return []
        for pause in self.pauses.of_enrolment(enrolment.contact_id, enrolment.enrolment_id):
            if not pause.signalled:
                self._end(self.pauses.settle(pause, end="left", outcome=leaving_outcome(leaving), at=self.clock()))
        self.deferrals.call_off(enrolment.contact_id, enrolment_origin(enrolment.enrolment_id), reason="left_journey")
        if leaving.left_on is None or leaving.left_on.id != event.id:
            return []  # another event was first
        return [WakeDecision(enrolment.enrolment_id, enrolment.journey, outcome)]

    def _resume(self, pause: Pause, enrolment: Enrolment, contact: Contact, event: TriggerEvent) -> bool:
        """End a pause that waits for this event; if it already ended on this event but the task was never signalled, signal it."""
        waits_for = pause.waits_for
        if pause.signalled or waits_for is None or waits_for["event"] != event.type:
            return False
        subject = subject_of(
            contact,
            now=self.clock(),
            default_zone=self.default_zone,
            properties=event.properties,
            trigger=enrolment.trigger.properties,
        )
        if not holds(waits_for.get("where"), subject):
            return False
        self._end(self.pauses.settle(pause, end="event", outcome=event_outcome(event), at=self.clock()))
        return True

    def _end(self, settled: Pause) -> None:
        signal(settled, tokens=self.tokens, pauses=self.pauses)
        cancel_schedule(settled, schedules=self.schedules)


def _as_trigger(event: Event) -> TriggerEvent:
    return TriggerEvent(id=event.id, type=event.type, occurred_at=event.occurred_at, properties=event.properties)


def _is_later(event: TriggerEvent, enrolment: Enrolment) -> bool:
    """Whether the event may speak to a journey: it is not the one that started it, and did not happen before that."""
    return event.id != enrolment.trigger.id and event.occurred_at >= enrolment.trigger.occurred_at
