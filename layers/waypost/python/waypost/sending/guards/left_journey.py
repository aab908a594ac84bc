"""Sends no more of a journey to a contact that has left it."""

from waypost.sending.guard import Allow, Case, Guard, Judges, Skip, Verdict
from waypost.sending.occasion import JourneyStep


class LeftJourney(Guard):
    """A contact that has left the journey gets no more of it, except what follows the exit itself.

    A journey that has come to its end was not left: what it deferred still goes out.
    """

    weight = 20
    judges = Judges(journey_step=True, broadcast_slot=False, staff_notice=False, reply=False)

    def check(self, case: Case) -> Verdict:
        """See Guard."""
        if case.enrolment is None:
            return Skip("left_journey")
        match case.enrolment.status, case.enrolment.outcome:
            case ("active", _) | ("ended", "completed"):
                return Allow()
            case _, ("goal" | "exited") if isinstance(case.occasion, JourneyStep) and case.occasion.after_exit:
                return Allow()
            case _:
                return Skip("left_journey")
