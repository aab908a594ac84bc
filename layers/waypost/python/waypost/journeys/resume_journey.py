"""End a pause whose time has come. Called by resume_journey (one schedule per pause) and by the sweeper."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal
from zoneinfo import ZoneInfo

from waypost.clock import Clock
from waypost.contacts.ports import ContactStore
from waypost.contacts.zones import zone_of
from waypost.errors import ContactNotFound, InvalidInput
from waypost.journeys.pause import Pause, due_at
from waypost.journeys.ports import EnrolmentStore, PauseStore, Resumptions, TaskTokens
from waypost.journeys.signalling import schedule_name, signal

ResumeEffect = Literal["resumed", "postponed", "nothing_parked", "already_over"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeJourney:
    """Ends pauses by time."""

    contacts: ContactStore
    enrolments: EnrolmentStore
    pauses: PauseStore
    schedules: Resumptions
    tokens: TaskTokens
    default_zone: ZoneInfo
    clock: Clock

    def resume(self, reference: Mapping[str, str]) -> dict[str, Any]:
        """End the pause unless it is over; ``reference`` is ``{contact_id, enrolment_id, pause_id}``.

        A schedule that fires twice, or after an event was first, changes nothing. A pause whose message was deferred
        once more in the meantime is postponed.
        """
        return {"pause_id": reference["pause_id"], "effect": self._resume(reference)}

    def _resume(self, reference: Mapping[str, str]) -> ResumeEffect:
        pause = self.pauses.load(reference["contact_id"], reference["enrolment_id"], reference["pause_id"])
        if pause is None:
            return "nothing_parked"
        if pause.signalled:
            return "already_over"
        if pause.status == "waiting" and self._postpone(pause):
            return "postponed"
        settled = self.pauses.settle(pause, end="elapsed", outcome={"outcome": "elapsed"}, at=self.clock())
        signal(settled, tokens=self.tokens, pauses=self.pauses)
        return "resumed"

    def _postpone(self, pause: Pause) -> bool:
        """Reschedule the pause when a deferred message of this journey now goes out later than it was parked for."""
        enrolment = self.enrolments.load(pause.contact_id, pause.enrolment_id)
        if enrolment is None or enrolment.anchor_at is None or enrolment.anchor_at <= pause.parked_at:
            return False
        contact = self.contacts.load(pause.contact_id)
        if contact is None:
            raise ContactNotFound(f"contact {pause.contact_id} does not exist")
        try:
            due = due_at(
                pause.spec,
                parked_at=pause.parked_at,
                enrolled_at=enrolment.enrolled_at,
                anchor_at=enrolment.anchor_at,
                zone=zone_of(contact, self.default_zone),
                attributes=contact.attributes,
            )
        except InvalidInput:  # the contact has lost the date since it was parked: what was booked then still holds
            return False
        if due <= self.clock() or not self.pauses.postpone(pause, due):
            return False
        self.schedules.resume_at(schedule_name(replace(pause, due_at=due)), due, pause.reference())
        return True
