"""Take a hop, end the Pause it comes from, and park its contact until a time or an event. Called by pause_journey as a hop begins and at each Pause."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from waypost import ids
from waypost.clock import Clock
from waypost.contacts.ports import GlancedContactStore
from waypost.contacts.profile import Contact
from waypost.errors import ConcurrentUpdate, EnrolmentNotFound
from waypost.events.history import EventHistory, RecordedEvent, since_under
from waypost.journeys.due_by_contact import due_by_contact, load_contact
from waypost.journeys.enrolment import Enrolment, LeavingOutcome, TriggerEvent
from waypost.journeys.matching import holds, subject_of
from waypost.journeys.pause import Pause, WayOut, time_outcome
from waypost.journeys.pause_times import Due, due_when_parked
from waypost.journeys.ports import ATTEMPTS, EnrolmentStore, Timers
from waypost.journeys.timers import expect
from waypost.segments.vocabulary import expand_where
from waypost.sending.occasion import HopVisit, JourneyStep

PARKED: Final[Mapping[str, Any]] = {"status": "parked"}
"""The answer that ends a hop: the contact waits, or another hop walks."""


_Answer = tuple[dict[str, Any], Enrolment | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseJourney:
    """Answers hops at their Pauses; ``default_zone`` stands in for a contact whose own zone is missing or invalid."""

    contacts: GlancedContactStore
    enrolments: EnrolmentStore
    history: EventHistory
    timers: Timers
    default_zone: ZoneInfo
    clock: Clock

    def ask(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Whether the hop of ``payload`` may resume after the Pause (with ``begin: true``: after the start), and with what.

        ``{status: parked}`` ends the hop, ``{status: over, result}`` lets it go on, ``{status: left, error, cause}`` raises.
        A hop asks the Pause that it comes from first: that takes the hop, and a double is answered ``parked``. The row is
        glanced at first, which half a unit pays: what is written on it counts, because a write succeeds on the revision that
        was read alone; an answer without a write is given on a consistent read. Raises ContactNotFound, EnrolmentNotFound, InvalidInput
        and ConcurrentUpdate.
        """
        step, visit = JourneyStep.from_payload(payload), HopVisit.from_payload(payload)
        for attempt in range(ATTEMPTS):
            glances = attempt == 0
            enrolment = self._glance(step) if glances else self._enrolment(step)
            if enrolment is None:
                continue
            answer, after = self._answer(enrolment, payload, step, visit)
            if after is not None and self.enrolments.save(after):
                return answer
            if after is None and not glances:
                return answer
        raise ConcurrentUpdate(f"enrolment {step.enrolment_id} changed {ATTEMPTS} times while its hop asked")

    def _answer(self, enrolment: Enrolment, payload: Mapping[str, Any], step: JourneyStep, visit: HopVisit) -> _Answer:
        """The answer, and the row as it must be stored for that; None where nothing changes."""
        begins = bool(payload.get("begin"))
        asked = "" if begins else ids.pause_id(step.enrolment_id, step.state, step.occurrence)
        here = enrolment.pause.pause_id if enrolment.pause else ""
        if enrolment.status == "ended":
            return dict(PARKED), None
        if enrolment.position == "parked":
            return self._set_out(enrolment, visit) if asked == here else (dict(PARKED), None)
        if enrolment.hop.id != visit.hop_id:
            return dict(PARKED), None
        if asked == here:
            return self._take(enrolment, visit)
        if begins or not enrolment.held_by(visit) or enrolment.has_passed(step.state, step.occurrence):
            return dict(PARKED), None
        return self._park(enrolment, payload, step)

    def _take(self, enrolment: Enrolment, visit: HopVisit) -> _Answer:
        """The hop begins where it was given out; only one execution gets the answer."""
        answer = enrolment.pause.answer() if enrolment.pause else {"status": "over"}
        if enrolment.held_by(visit):  # the same call again
            return answer, None
        if enrolment.hop.taken_by:
            return dict(PARKED), None
        return answer, enrolment.taken(visit, self.clock())

    def _set_out(self, enrolment: Enrolment, visit: HopVisit) -> _Answer:
        """A hop begins because the time of the Pause has come: it ends the Pause and takes the row in one write.

        When the time comes is read again: a date or a zone of the contact may have changed since the contact was parked, or a
        message was deferred once more. The row was read before the contact, so that a later writer of the contact finds the row
        as this call leaves it.
        """
        pause, now = enrolment.pause, self.clock()
        if pause is None or enrolment.setting_out(now).hop.id != visit.hop_id:
            return dict(PARKED), None
        due = due_by_contact(enrolment, pause, contacts=self.contacts, default_zone=self.default_zone, now=now)
        if due.at <= now:
            over = enrolment.resumed(due.end, time_outcome(due.end), now).taken(visit, now)
            return over.stands_at().answer(), over
        after = enrolment.postponed(due.at, due.lived_at)
        expect(self.enrolments, self.timers, after, now=now)
        return dict(PARKED), None if due.at == pause.due_at else after

    def _park(self, enrolment: Enrolment, payload: Mapping[str, Any], step: JourneyStep) -> _Answer:
        """The hop comes to the next Pause: what is over already is passed, else the contact waits.

        The router stores an event before it looks for parked contacts, and touches the row of one whose hop runs. So either
        it finds the contact parked, or this write fails and the event is found at the next attempt.
        """
        contact, now = load_contact(self.contacts, step.contact_id), self.clock()
        spec = {name: payload[name] for name in ("for", "until") if name in payload}
        due = self._due(enrolment, contact, spec, parked_at=now)
        pause = Pause(
            pause_id=ids.pause_id(step.enrolment_id, step.state, step.occurrence),
            state=step.state,
            occurrence=step.occurrence,
            spec=spec,
            waits_for=_written_out(payload.get("or")),
            row=payload["row"],
            parked_at=now,
            due_at=due.at,
            lived_due_at=due.lived_at,
        )
        ended = self._end(enrolment, contact, pause, due, now)
        if ended is not None:
            return ended.answer(), enrolment.passed(ended)
        after = enrolment.parked(pause)
        expect(self.enrolments, self.timers, after, now=now)
        return pause.answer(), after

    def _due(self, enrolment: Enrolment, contact: Contact, spec: Mapping[str, Any], *, parked_at: datetime) -> Due:
        return due_when_parked(enrolment, spec, contact=contact, default_zone=self.default_zone, parked_at=parked_at)

    def _end(self, enrolment: Enrolment, contact: Contact, pause: Pause, due: Due, now: datetime) -> Pause | None:
        """The Pause as it is over already: a journey that is being left is left first, then whatever happened first.

        An event may have come before the time although both are past: a hop that was lost came here late.
        """
        if enrolment.status == "leaving":
            return replace(pause, end="left", result=leaving_outcome(enrolment), ended_at=now)
        event = self._early_event(enrolment, contact, pause, due, now) if pause.waits_for else None
        if event is not None:
            happened = TriggerEvent(event.id, event.type, event.occurred_at, event.properties)
            return replace(pause, end="event", result=event_outcome(happened), ended_at=now)
        return replace(pause, end=due.end, result=time_outcome(due.end), ended_at=now) if due.at <= now else None

    def _glance(self, step: JourneyStep) -> Enrolment | None:
        return self.enrolments.glance(step.contact_id, step.enrolment_id)

    def _enrolment(self, step: JourneyStep) -> Enrolment:
        enrolment = self.enrolments.load(step.contact_id, step.enrolment_id)
        if enrolment is None:
            raise EnrolmentNotFound(f"enrolment {step.enrolment_id} does not exist")
        return enrolment

    def _early_event(
        self, enrolment: Enrolment, contact: Contact, pause: Pause, due: Due, now: datetime
    ) -> RecordedEvent | None:
        """The first matching event that was acted on since the last pause ended, and before this one should have been over."""
        waits_for, first = pause.waits_for or {}, enrolment.listens_from
        if due.at > now or due.end == "no_date" or enrolment.is_test:  # without a date, no time was first
            last = now
        else:
            last = self._due(enrolment, contact, pause.spec, parked_at=first).at
        for event in since_under(
            contact.partitions, self.history, enrolment.trigger.occurred_at, types=[waits_for["event"]]
        ):
            subject = subject_of(
                contact,
                now=self.clock(),
                default_zone=self.default_zone,
                properties=event.properties,
                trigger=enrolment.trigger.properties,
            )
            if (
                first <= event.routed_at <= last
                and event.id != enrolment.trigger.id
                and not enrolment.spent(event.id)
                and holds(waits_for.get("where"), subject)
            ):
                return event
        return None


def _written_out(waits_for: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The ``or`` of a payload with the shorthand of its ``where`` written out.

    A definition keeps it as its author wrote it, and a rule reads ``{journey: welcome}`` as a condition, not as a property.
    """
    if not waits_for or not waits_for.get("where"):
        return waits_for
    return {**waits_for, "where": expand_where(waits_for["where"])}


def event_outcome(event: TriggerEvent) -> dict[str, Any]:
    """What a Pause tells the journey when an event ended it."""
    return {"outcome": "event", "event": event.to_dict()}


def leaving_outcome(enrolment: Enrolment) -> dict[str, Any]:
    """What a Pause tells a journey that is being left."""
    error = leaving_error("goal" if enrolment.outcome == "goal" else "exited")
    event = enrolment.left_on.to_dict() if enrolment.left_on else None
    return {"error": error, "cause": json.dumps({"event": event}, ensure_ascii=False)}


def leaving_error(outcome: LeavingOutcome) -> WayOut:
    """The error by which a journey that is being left goes on."""
    return "GoalReached" if outcome == "goal" else "JourneyExited"
