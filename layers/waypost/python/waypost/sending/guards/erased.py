"""Sends nothing to an erased contact."""

from waypost.sending.guard import EVERY_OCCASION, Allow, Case, Guard, Skip, Verdict


class Erased(Guard):
    """An erased contact gets nothing any more."""

    weight = 10
    judges = EVERY_OCCASION

    def check(self, case: Case) -> Verdict:
        """See Guard."""
        return Skip("erased") if case.contact.erased else Allow()
