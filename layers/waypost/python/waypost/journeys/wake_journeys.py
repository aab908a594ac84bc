"""Resume or exit the parked journeys an event speaks to. Called by the router."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from waypost.clock import Clock
from waypost.codec import JsonForm
from waypost.contacts.profile import Contact
from waypost.errors import ConcurrentUpdate
from waypost.events.envelope import Event
from waypost.events.history import EventHistory, since_under
from waypost.journeys.close_enrolment import CloseEnrolment
from waypost.journeys.enrolment import Enrolment, LeavingOutcome, TriggerEvent
from waypost.journeys.hops import start_hop
from waypost.journeys.keep_time import KeepTime
from waypost.journeys.matching import EventRules, holds, subject_of
from waypost.journeys.pause import Pause
from waypost.journeys.pause_journey import event_outcome, leaving_error, leaving_outcome
from waypost.journeys.pause_times import depends_on_contact, due_now
from waypost.journeys.ports import ATTEMPTS, EnrolmentStore, Machines
from waypost.journeys.published import REQUEST, EventRule, PublishedJourneys
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
    """Ends pauses early: by the event they wait for, or because the journey is left; moves them with the contact's dates."""

    journeys: PublishedJourneys
    default_zone: ZoneInfo
    enrolments: EnrolmentStore
    history: EventHistory
    machines: Machines
    deferrals: Deferrals
    keep_time: KeepTime
    close_enrolment: CloseEnrolment
    clock: Clock
    side_by_side: Callable[[Callable[[str], list[Enrolment]], Iterable[str]], Iterable[list[Enrolment]]] = map

    def under_way(self, contact: Contact) -> list[Enrolment]:
        """The journeys under way, under whichever of its ids the contact entered them."""
        if not contact.absorbed:
            return self.enrolments.unfinished(contact.contact_id)
        found = self.side_by_side(self.enrolments.unfinished, contact.partitions)
        return [enrolment for enrolments in found for enrolment in enrolments]

    def notify(self, contact: Contact, event: Event, under_way: Iterable[Enrolment]) -> list[WakeDecision]:
        """Tell the contact's journeys under way about the event. Doing it again repeats only what a crash left undone."""
        happened, by_hop = _as_trigger(event), self._may_enter(event)
        return [
            decision
            for enrolment in under_way
            for decision in (
                self._notify(enrolment, contact, happened, by_hop=by_hop)
                if _is_later(happened, enrolment)
                else self._resume(enrolment, contact, None)
            )
        ]

    def catch_up(self, contact: Contact) -> list[WakeDecision]:
        """Tell every journey what the contact did under its other ids, before they were known to be the same person.

        For a contact that has just absorbed another. A journey receives the events since the one that started it; its
        present pause of those that came in while it waits, as if they had been the journey's own contact's.
        """
        return [decision for enrolment in self.under_way(contact) for decision in self._catch_up(enrolment, contact)]

    def _catch_up(self, enrolment: Enrolment, contact: Contact) -> list[WakeDecision]:
        """A hop that is about to park must read the contact as it is now: its row is touched, or it is parked already."""
        for _ in range(ATTEMPTS):
            decisions = self._missed(enrolment, contact)
            if decisions or enrolment.position == "parked" or self.enrolments.save(enrolment):
                return decisions
            now = self.enrolments.load(enrolment.contact_id, enrolment.enrolment_id)
            if now is None or now.status == "ended":
                return []
            enrolment = now
        raise ConcurrentUpdate(f"enrolment {enrolment.enrolment_id} changed {ATTEMPTS} times while it caught up")

    def _missed(self, enrolment: Enrolment, contact: Contact) -> list[WakeDecision]:
        types = sorted(self._listens_for(enrolment))
        others = [owner for owner in contact.partitions if owner != enrolment.contact_id]
        missed = since_under(others, self.history, enrolment.trigger.occurred_at, types=types) if types else []
        decisions = list[WakeDecision]()
        for event in missed:
            happened = TriggerEvent(event.id, event.type, event.occurred_at, event.properties)
            if not decisions and _is_later(happened, enrolment):
                wakes = enrolment.position == "parked" and event.routed_at >= enrolment.listens_from
                decisions = self._notify(enrolment, contact, happened, wakes=wakes, by_hop=True)
        return decisions

    def _listens_for(self, enrolment: Enrolment) -> set[str]:
        """The types of event that mean something to a journey now."""
        journey, pause = self.journeys.by_name.get(enrolment.journey), enrolment.pause
        rules = [] if journey is None else [*journey.exit_on, *([journey.goal] if journey.goal else [])]
        awaited = {pause.waits_for["event"]} if pause and pause.waits_for and pause.end is None else set()
        return {rule.event for rule in rules} | awaited

    def _notify(
        self, enrolment: Enrolment, contact: Contact, event: TriggerEvent, *, by_hop: bool, wakes: bool = True
    ) -> list[WakeDecision]:
        """``wakes``: the event may also end the present pause. ``by_hop``: a journey that is left ends by its hop in any case."""
        outcome = self._ending(enrolment, contact, event)
        if outcome is not None:
            return self._leave(enrolment, outcome, event, by_hop=by_hop)
        if enrolment.status == "leaving" or not wakes:
            return []
        return self._resume(enrolment, contact, event)

    def _resume(self, enrolment: Enrolment, contact: Contact, event: TriggerEvent | None) -> list[WakeDecision]:
        """Resume a parked contact that waits for the event, or whose time it changes, and touch the row of a running hop.

        So a hop that parks at this moment finds its write refused, and looks again for what happened. Without an event, it
        is one that does not speak to this journey, and may have changed the contact.
        """
        for _ in range(ATTEMPTS):
            if enrolment.position == "running":
                if enrolment.lies_untaken and event is not None and _ended_by(enrolment.pause, event):
                    start_hop(self.machines, enrolment)
                    return [WakeDecision(enrolment.enrolment_id, enrolment.journey, "resumed")]
                if enrolment.lies_untaken and _ended_by_a_change(enrolment.pause):
                    start_hop(self.machines, enrolment)
                    return []
                if self.enrolments.save(enrolment):
                    return []
            else:
                after = self._resumed(enrolment, contact, event) if event is not None else None
                if after is None:
                    self._keep_time(enrolment, contact)
                    return []
                if self._give_out(after):
                    start_hop(self.machines, after)
                    return [WakeDecision(enrolment.enrolment_id, enrolment.journey, "resumed")]
            now = self.enrolments.load(enrolment.contact_id, enrolment.enrolment_id)
            if now is None or now.status != "active":
                return []
            enrolment = now
        raise ConcurrentUpdate(
            f"enrolment {enrolment.enrolment_id} changed {ATTEMPTS} times while an event was applied"
        )

    def _keep_time(self, enrolment: Enrolment, contact: Contact) -> None:
        """Move the end of the Pause when the contact's date or zone has changed; what is past by that is over now."""
        pause = enrolment.pause
        if enrolment.status != "active" or pause is None or not depends_on_contact(pause.spec):
            return
        now = self.clock()
        due = due_now(enrolment, pause, contact=lambda: contact, default_zone=self.default_zone, now=now)
        if due.at != pause.due_at:
            self.keep_time.keep(enrolment.contact_id, enrolment.enrolment_id)

    def _may_enter(self, event: Event) -> bool:
        """Whether the event may also start a journey: what stands in the way of that must not depend on how another one ends."""
        return event.type == REQUEST or bool(self.journeys.triggered_by(event.type))

    def _ending(self, enrolment: Enrolment, contact: Contact, event: TriggerEvent) -> LeavingOutcome | None:
        """Whether the event is the journey's goal or one of its exits."""
        journey = self.journeys.by_name.get(enrolment.journey)
        if journey is None:
            return None
        goal = journey.goal
        if goal is not None and self._is(goal, enrolment, contact, event):
            within = enrolment.by_the_clock(timedelta(seconds=goal.within_seconds or 0))
            deadline = enrolment.enrolled_at + within if within else None
            if deadline is None or event.occurred_at <= deadline:
                return "goal"
        return "exited" if any(self._is(rule, enrolment, contact, event) for rule in journey.exit_on) else None

    def _is(self, rule: EventRule, enrolment: Enrolment, contact: Contact, event: TriggerEvent) -> bool:
        rules = EventRules(default_zone=self.default_zone, enrolments=self.enrolments, history=self.history)
        return rules.fits(
            rule,
            contact,
            type=event.type,
            properties=event.properties,
            trigger=enrolment.trigger.properties,
            now=self.clock(),
        )

    def _leave(
        self, enrolment: Enrolment, outcome: LeavingOutcome, event: TriggerEvent, *, by_hop: bool
    ) -> list[WakeDecision]:
        """Leave the body: a parked contact goes on where that is caught, nothing deferred goes out, no Pause holds any more.

        Where nothing is left to do, the journey is over.
        """
        for _ in range(ATTEMPTS):
            if enrolment.status == "leaving":
                return self._has_left(enrolment, outcome, event)
            leaving = enrolment.left(outcome, event)
            if enrolment.position == "parked":
                leaving = leaving.resumed("left", leaving_outcome(leaving), self.clock())
                if not by_hop and leaving.stands_at().is_last(leaving_error(outcome)):
                    if self._end(leaving, outcome):
                        return [WakeDecision(leaving.enrolment_id, leaving.journey, outcome)]
                elif self._give_out(leaving):
                    return self._has_left(leaving, outcome, event)
            elif self.enrolments.save(leaving):
                return self._has_left(leaving, outcome, event)
            now = self.enrolments.load(enrolment.contact_id, enrolment.enrolment_id)
            if now is None or now.status == "ended":
                return []
            enrolment = now
        raise ConcurrentUpdate(f"enrolment {enrolment.enrolment_id} changed {ATTEMPTS} times while it was left")

    def _give_out(self, resumed: Enrolment) -> bool:
        """Store the hop that goes on behind a Pause; False when the row was changed since it was read."""
        self.enrolments.note_due(resumed.contact_id, resumed.enrolment_id, resumed.due_at)
        return self.enrolments.save(resumed)

    def _end(self, leaving: Enrolment, outcome: LeavingOutcome) -> bool:
        """End a journey in which nothing is left to do; False when the row was changed since it was read.

        What is deferred is called off first: a repeated event no longer finds a journey that has ended.
        """
        self.deferrals.call_off(leaving.contact_id, enrolment_origin(leaving.enrolment_id), reason="left_journey")
        return self.close_enrolment.store(leaving.ended(outcome, self.clock()))

    def _has_left(self, leaving: Enrolment, outcome: LeavingOutcome, event: TriggerEvent) -> list[WakeDecision]:
        """What follows once the row says that it is being left; a repeated event does again what a crash left undone."""
        self.deferrals.call_off(leaving.contact_id, enrolment_origin(leaving.enrolment_id), reason="left_journey")
        if leaving.lies_untaken and leaving.pause is not None and leaving.pause.end == "left":
            start_hop(self.machines, leaving)
        if leaving.left_on is None or leaving.left_on.id != event.id:
            return []  # another event was first
        return [WakeDecision(leaving.enrolment_id, leaving.journey, outcome)]

    def _resumed(self, enrolment: Enrolment, contact: Contact, event: TriggerEvent) -> Enrolment | None:
        """The row with its Pause ended by the event, if it waits for that."""
        waits_for = enrolment.pause.waits_for if enrolment.pause else None
        if waits_for is None or waits_for["event"] != event.type or enrolment.spent(event.id):
            return None
        subject = subject_of(
            contact,
            now=self.clock(),
            default_zone=self.default_zone,
            properties=event.properties,
            trigger=enrolment.trigger.properties,
        )
        if not holds(waits_for.get("where"), subject):
            return None
        return enrolment.resumed("event", event_outcome(event), self.clock())


def _ended_by(pause: Pause | None, event: TriggerEvent) -> bool:
    return pause is not None and pause.event_id == event.id


def _ended_by_a_change(pause: Pause | None) -> bool:
    """Whether a change of the contact may have ended it: the process that made it may have died before it started the hop."""
    return pause is not None and pause.end in {"past", "no_date"}


def _as_trigger(event: Event) -> TriggerEvent:
    return TriggerEvent(id=event.id, type=event.type, occurred_at=event.occurred_at, properties=event.properties)


def _is_later(event: TriggerEvent, enrolment: Enrolment) -> bool:
    """Whether the event may speak to a journey: it is not the one that started it, and did not happen before that."""
    return event.id != enrolment.trigger.id and event.occurred_at >= enrolment.trigger.occurred_at
