"""Sends nothing on a channel the contact has no address on."""

from waypost.sending.guard import EVERY_OCCASION, Allow, Case, Guard, Skip, Verdict


class MissingAddress(Guard):
    """Without an address there is nowhere to send to."""

    weight = 30
    judges = EVERY_OCCASION

    def check(self, case: Case) -> Verdict:
        """See Guard."""
        if case.contact.addresses(case.channel):
            return Allow()
        return Skip("missing_address", other_channel=True, curable_until=case.settled_at)
