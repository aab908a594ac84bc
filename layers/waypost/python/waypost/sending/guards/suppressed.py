"""Sends nothing on a channel that is closed to the contact."""

from waypost.sending.guard import EVERY_OCCASION, Allow, Case, Guard, Skip, Verdict


class Suppressed(Guard):
    """A hard bounce, a complaint or an invalid number closes a channel."""

    weight = 40
    judges = EVERY_OCCASION

    def check(self, case: Case) -> Verdict:
        """See Guard."""
        reason = case.contact.suppressions.get(case.channel)
        return Skip(f"suppressed_{reason}", other_channel=True) if reason else Allow()
