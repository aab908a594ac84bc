"""Sends no marketing without consent."""

from typing import assert_never

from waypost.sending.guard import Allow, Case, Guard, Judges, Skip, Verdict


class NoConsent(Guard):
    """Marketing needs the contact's consent for the channel and topic; a withdrawal counts, silence too.

    A member of staff who looks at marketing before contacts get it is no recipient of marketing.

    Source: Personal Information Protection Law of the PRC, articles 13 to 16; GDPR, articles 6(1)(a) and 7.
    """

    weight = 50
    judges = Judges(journey_step=True, broadcast_slot=True, staff_notice=False, reply=True)

    def check(self, case: Case) -> Verdict:
        """See Guard."""
        if case.transactional:
            return Allow()
        answer = case.consent
        match answer:
            case "granted":
                return Allow()
            case "withdrawn":
                return Skip("consent_withdrawn", other_channel=True)
            case "none":
                return Skip("no_consent", other_channel=True, curable_until=case.settled_at)
            case _:
                assert_never(answer)
