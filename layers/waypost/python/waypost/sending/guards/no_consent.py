"""Sends no marketing without consent."""

from typing import assert_never

from waypost.contacts.consent import Answer
from waypost.pages.texts import gettext_noop
from waypost.sending.guard import Allow, Case, Guard, Judges, Reason, Skip, Verdict


class NoConsent(Guard):
    """Marketing needs the contact's consent for the channel and topic; a withdrawal counts, silence too.

    A member of staff who looks at marketing before contacts get it is no recipient of marketing.

    Source: Personal Information Protection Law of the PRC, articles 13 to 16; GDPR, articles 6(1)(a) and 7.
    """

    weight = 50
    code = "co"
    title = gettext_noop("Consent")
    reasons = (
        Reason(
            "no_consent", gettext_noop("The contact's consent to this channel and topic, with the event that shows it.")
        ),
        Reason(
            "consent_withdrawn",
            gettext_noop("A newer consent that the contact gives by an act of its own; nobody else can give it."),
        ),
    )
    judges = Judges(journey_step=True, broadcast_slot=True, staff_notice=False, reply=True)

    def check(self, case: Case) -> Verdict:
        """See Guard."""
        if case.transactional:
            return Allow("transactional")
        answer = case.consent
        saw = f"{answer.given or 'known'} {answer.at:%Y-%m-%d}" if answer else "none"
        match answer:
            case None:
                return Skip("no_consent", other_channel=True, curable_until=case.settled_at, saw=saw)
            case Answer(granted=True):
                return Allow(saw)
            case Answer():
                return Skip("consent_withdrawn", other_channel=True, saw=saw)
            case _:
                assert_never(answer)
