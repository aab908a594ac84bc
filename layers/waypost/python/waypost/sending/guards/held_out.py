"""Sends nothing of a journey to the contacts of its hold-out, whose way through it is compared with that of the others."""

from waypost.pages.texts import gettext_noop
from waypost.sending.guard import Allow, Case, Guard, Judges, Reason, Skip, Verdict


class HeldOut(Guard):
    """A contact of the journey's hold-out walks through it without its marketing; what it asked for by its own act it gets."""

    weight = 24
    code = "ho"
    title = gettext_noop("Not in the hold-out")
    reasons = (
        Reason(
            "held_out",
            gettext_noop(
                "The contact belongs to the part of everybody whom the journey sends nothing, so that its effect can be measured; "
                "the journey's holdout says how large it is."
            ),
        ),
    )
    judges = Judges(journey_step=True, broadcast_slot=False, staff_notice=False, reply=False)

    def concerns(self, case: Case) -> bool:
        """See Guard."""
        return case.enrolment is not None and case.enrolment.held_out and not case.transactional

    def check(self, case: Case) -> Verdict:
        """See Guard."""
        return Skip("held_out") if self.concerns(case) else Allow()
