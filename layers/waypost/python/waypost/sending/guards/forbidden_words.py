"""Sends nothing that has a forbidden phrase in it, wherever it came from. The lists are ``statemachines/words/``."""

from waypost.pages.texts import gettext_noop
from waypost.sending.guard import EVERY_OCCASION, Allow, Case, Guard, Reason, Skip, Verdict


class HasForbiddenWords(Guard):
    """Publishing checks what authors wrote; a name, a product or an event's property may bring a phrase at the last moment."""

    weight = 110
    code = "fw"
    title = gettext_noop("Forbidden words")
    reasons = (
        Reason(
            "forbidden_words",
            gettext_noop(
                "Another value of the contact or the event, or the phrase allowed in a list of statemachines/words."
            ),
        ),
    )
    judges = EVERY_OCCASION
    reads_content = True

    def check(self, case: Case) -> Verdict:
        """See Guard."""
        rendered = case.rendered
        if rendered is None:
            return Allow()
        found = case.words.find(rendered.text, channel=case.channel, locale=rendered.locale, kind=case.message.kind)
        if found is None:
            return Allow()
        return Skip(f"forbidden_words: {found.phrase} ({found.words.name})", saw=found.phrase)
