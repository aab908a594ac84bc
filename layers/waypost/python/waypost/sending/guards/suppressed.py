"""Sends nothing to an address that is closed."""

from waypost.sending.guard import EVERY_OCCASION, Allow, Case, Guard, Skip, Verdict


class Suppressed(Guard):
    """A hard bounce, a complaint, an opt-out or an invalid number closes an address to everybody who has it."""

    weight = 40
    judges = EVERY_OCCASION

    def check(self, case: Case) -> Verdict:
        """See Guard."""
        known = "" if case.record.lifted_at else case.contact.closed.get(case.channel)
        reason = case.record.closed or known  # a report from before addresses had records is on the profile only
        return Skip(f"suppressed_{reason}", other_channel=True) if reason else Allow()
