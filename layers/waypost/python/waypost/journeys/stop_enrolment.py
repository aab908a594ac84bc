"""End one contact's journey from outside: by an operator, or by the policy of a change of the journey."""

from dataclasses import dataclass

from waypost.clock import Clock
from waypost.journeys.close_enrolment import CloseEnrolment
from waypost.journeys.enrolment import Enrolment, Stopped
from waypost.sending.deferral import Deferrals
from waypost.sending.occasion import enrolment_origin


@dataclass(frozen=True, slots=True, kw_only=True)
class StopEnrolment:
    """Stops enrolments, wherever they stand: a hop that walks is refused at its next task."""

    close_enrolment: CloseEnrolment
    deferrals: Deferrals
    clock: Clock

    def stop(self, enrolment: Enrolment, why: Stopped) -> bool:
        """End an unfinished enrolment and call off its deferred messages; False when it was changed since it was read."""
        if not self.close_enrolment.store(enrolment.ended_from_outside(why, self.clock())):
            return False
        self.call_off(enrolment)
        return True

    def call_off(self, enrolment: Enrolment) -> None:
        """Call off the deferred messages of an enrolment that was stopped; again, when a crash has left some."""
        origin = enrolment_origin(enrolment.enrolment_id)
        self.deferrals.call_off(enrolment.contact_id, origin, reason="left_journey")
