"""Sends nothing for which the person has given no right by acting: credits of templates, windows of conversations."""

from waypost.channels.contract import CREDIT
from waypost.channels.registry import plugin
from waypost.pages.texts import gettext_noop
from waypost.sending.guard import EVERY_OCCASION, Allow, Case, Guard, Reason, Skip, Verdict


class NoCredit(Guard):
    """A provider that counts what a person agreed to refuses the rest, and punishes who tries."""

    weight = 55
    code = "cr"
    title = gettext_noop("Agreed to by an act")
    reasons = (
        Reason(
            "no_credit",
            gettext_noop("The contact agrees once more to this template, where the page or app asks for it."),
        ),
        Reason(
            "window_closed",
            gettext_noop(
                "The contact writes to the account or number, or follows it or uses its menu; then the answer goes out at once."
            ),
        ),
        Reason("allowance_used", gettext_noop("The contact writes to the account once more.")),
    )
    judges = EVERY_OCCASION

    def check(self, case: Case) -> Verdict:
        """See Guard."""
        names = plugin(case.channel).rights_for(case.message)
        right = case.record.rights.get(case.right_used or "")
        if not names:
            return Allow()
        if right is not None and right.allows(case.occasion.message_key, case.now):
            return Allow(f"{right.left} left")
        if right is not None and right.until is not None:
            return Skip("allowance_used", other_channel=True, saw="0 left")
        if not names[0].startswith(CREDIT):
            return Skip("window_closed", other_channel=True, saw="none")
        return Skip("no_credit", other_channel=True, saw="none")
