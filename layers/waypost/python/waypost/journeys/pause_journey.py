"""Park a journey until a time or an event. Called by pause_journey with the task's token."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from waypost import ids
from waypost.clock import Clock, format_instant
from waypost.contacts.ports import ContactStore
from waypost.contacts.profile import Contact
from waypost.contacts.zones import zone_of
from waypost.errors import ContactNotFound, EnrolmentNotFound, WaypostError
from waypost.events.history import EventHistory, RecordedEvent, since_under
from waypost.journeys.enrolment import Enrolment, TriggerEvent
from waypost.journeys.matching import holds, subject_of
from waypost.journeys.pause import Pause, due_at, may_end, window_start
from waypost.journeys.ports import EnrolmentStore, PauseStore, Resumptions, TaskTokens
from waypost.journeys.signalling import cancel_schedule, schedule_name, signal
from waypost.sending.occasion import JourneyStep


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseJourney:
    """Parks journeys; ``default_zone`` stands in for a contact whose own zone is missing or invalid."""

    contacts: ContactStore
    enrolments: EnrolmentStore
    pauses: PauseStore
    history: EventHistory
    schedules: Resumptions
    tokens: TaskTokens
    default_zone: ZoneInfo
    clock: Clock

    def park(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Park the task of ``payload``; what is over already is signalled at once.

        Fails the task by its token when it cannot park, and raises; the state's Retry names what is worth a retry.
        """
        try:
            pause = self._park(payload, JourneyStep.from_payload(payload))
        except WaypostError as error:
            self._give_up(payload["context"]["Task"]["Token"], error)
            raise
        return {"pause_id": pause.pause_id, "status": pause.status, "due_at": format_instant(pause.due_at)}

    def _park(self, payload: Mapping[str, Any], step: JourneyStep) -> Pause:
        contact, enrolment = self._load(step)
        now = self.clock()
        spec = {name: payload[name] for name in ("for", "until") if name in payload}
        pause = self.pauses.park(
            Pause(
                contact_id=step.contact_id,
                enrolment_id=step.enrolment_id,
                pause_id=ids.pause_id(step.enrolment_id, step.state, step.occurrence),
                journey=step.journey,
                state=step.state,
                token=payload["context"]["Task"]["Token"],
                spec=spec,
                waits_for=payload.get("or"),
                parked_at=now,
                due_at=due_at(
                    spec,
                    parked_at=now,
                    enrolled_at=enrolment.enrolled_at,
                    anchor_at=enrolment.anchor_at,
                    zone=zone_of(contact, self.default_zone),
                    attributes=contact.attributes,
                ),
            )
        )
        if pause.status != "waiting":
            signal(pause, tokens=self.tokens, pauses=self.pauses)
            return pause
        return self._await_end(pause)

    def _load(self, step: JourneyStep) -> tuple[Contact, Enrolment]:
        contact = self._contact(step.contact_id)
        enrolment = self.enrolments.load(step.contact_id, step.enrolment_id)
        if enrolment is None:
            raise EnrolmentNotFound(f"enrolment {step.enrolment_id} does not exist")
        return contact, enrolment

    def _contact(self, contact_id: str) -> Contact:
        contact = self.contacts.load(contact_id)
        if contact is None:
            raise ContactNotFound(f"contact {contact_id} does not exist")
        return contact

    def _await_end(self, pause: Pause) -> Pause:
        """Look for what happened just before the token was written; a journey that is being left is left first.

        The router stores an event before it looks for pauses, and the pause was stored before this looks for events:
        whichever comes second sees the other.
        """
        now = self.clock()
        enrolment = self.enrolments.load(pause.contact_id, pause.enrolment_id)
        if enrolment is not None and enrolment.status == "leaving":
            return self._end(self.pauses.settle(pause, end="left", outcome=leaving_outcome(enrolment), at=now))
        if pause.due_at <= now:
            return self._end(self.pauses.settle(pause, end="elapsed", outcome={"outcome": "elapsed"}, at=now))
        self.schedules.resume_at(schedule_name(pause), pause.due_at, pause.reference())
        early = self._early_event(pause, enrolment) if enrolment is not None and pause.waits_for else None
        if early is None:
            return pause
        outcome = event_outcome(TriggerEvent(early.id, early.type, early.occurred_at, early.properties))
        return self._end(self.pauses.settle(pause, end="event", outcome=outcome, at=now))

    def _end(self, pause: Pause) -> Pause:
        signal(pause, tokens=self.tokens, pauses=self.pauses)
        cancel_schedule(pause, schedules=self.schedules)
        return pause

    def _early_event(self, pause: Pause, enrolment: Enrolment) -> RecordedEvent | None:
        """The first matching event that was acted on since the journey's last pause ended.

        The contact is read once more, because it may have become part of another one before the pause was stored; from
        then on its events are kept under the other's id.
        """
        contact = self._contact(pause.contact_id)
        waits_for = pause.waits_for or {}
        pauses = self.pauses.of_enrolment(pause.contact_id, pause.enrolment_id)
        start = window_start(pauses, enrolment)
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
                event.routed_at >= start
                and event.id != enrolment.trigger.id
                and may_end(event.id, pause, pauses)
                and holds(waits_for.get("where"), subject)
            ):
                return event
        return None

    def _give_up(self, token: str, error: WaypostError) -> None:
        """Fail the task by its token: an error of the function itself would not reach a parked task everywhere."""
        self.tokens.fail(token, error=type(error).__name__, cause=str(error))


def event_outcome(event: TriggerEvent) -> dict[str, Any]:
    """What a Pause tells the journey when an event ended it."""
    return {"outcome": "event", "event": event.to_dict()}


def leaving_outcome(enrolment: Enrolment) -> dict[str, Any]:
    """What a Pause tells a journey that is being left."""
    error = "GoalReached" if enrolment.outcome == "goal" else "JourneyExited"
    event = enrolment.left_on.to_dict() if enrolment.left_on else None
    return {"error": error, "cause": json.dumps({"event": event}, ensure_ascii=False)}
