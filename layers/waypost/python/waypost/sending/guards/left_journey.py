"""Sends no more of a journey to a contact that has left it."""

from waypost.pages.texts import gettext_noop
from waypost.sending.guard import Allow, Case, Guard, Judges, Reason, Skip, Verdict
from waypost.sending.occasion import JourneyStep


class LeftJourney(Guard):
    """A contact that has left the journey gets no more of it, except what follows the exit itself.

    A journey that has come to its end was not left: what it deferred still goes out.
    """

    weight = 20
    code = "lj"
    title = gettext_noop("Still in the journey")
    reasons = (
        Reason(
            "left_journey",
            gettext_noop(
                "The contact has to enter the journey again; what is for those who have left belongs behind the journey's body."
            ),
        ),
    )
    judges = Judges(journey_step=True, broadcast_slot=False, staff_notice=False, reply=False)

    def check(self, case: Case) -> Verdict:
        """See Guard."""
        if case.enrolment is None:
            return Skip("left_journey", saw="no enrolment")
        status, outcome = case.enrolment.status, case.enrolment.outcome
        saw = " ".join(filter(None, (status, outcome)))
        match status, outcome:
            case ("active", _) | ("ended", "completed"):
                return Allow(saw)
            case _, ("goal" | "exited") if isinstance(case.occasion, JourneyStep) and case.occasion.after_exit:
                return Allow(saw)
            case _:
                return Skip("left_journey", saw=saw)
