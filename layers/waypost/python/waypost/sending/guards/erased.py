"""Sends nothing to an erased contact."""

from waypost.pages.texts import gettext_noop
from waypost.sending.guard import EVERY_OCCASION, Allow, Case, Guard, Reason, Skip, Verdict


class Erased(Guard):
    """An erased contact gets nothing any more."""

    weight = 10
    code = "er"
    title = gettext_noop("Not erased")
    reasons = (
        Reason(
            "erased", gettext_noop("Nothing: the contact asked to be forgotten. Who signs up again is a new contact.")
        ),
    )
    judges = EVERY_OCCASION

    def check(self, case: Case) -> Verdict:
        """See Guard."""
        return Skip("erased") if case.contact.erased else Allow()
