"""Sends nothing on a channel the contact has no address on."""

from waypost.pages.texts import gettext_noop
from waypost.sending.guard import EVERY_OCCASION, Allow, Case, Guard, Reason, Skip, Verdict


class MissingAddress(Guard):
    """Without an address there is nowhere to send to."""

    weight = 30
    code = "ad"
    title = gettext_noop("Address")
    reasons = (
        Reason(
            "missing_address",
            gettext_noop(
                "An address for this channel in the contact's profile, or a variant of the message for another channel."
            ),
        ),
    )
    judges = EVERY_OCCASION

    def check(self, case: Case) -> Verdict:
        """See Guard."""
        known = case.contact.addresses(case.channel)
        if known and case.address is not None:  # of several accounts the message has one
            return Allow(f"{len(known)} known")
        return Skip("missing_address", other_channel=True, curable_until=case.settled_at, saw="none")
