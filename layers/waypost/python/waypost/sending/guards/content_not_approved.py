"""Sends no version of a message that nobody approved, and no message that was retired."""

from waypost.pages.texts import gettext_noop
from waypost.sending.guard import EVERY_OCCASION, Allow, Case, Guard, Reason, Skip, Verdict


class ContentNotApproved(Guard):
    """What the library holds goes out once a second person approved exactly that, and no longer than it is in use."""

    weight = 25
    code = "na"
    title = gettext_noop("Content approved")
    reasons = (
        Reason(
            "content_not_approved",
            gettext_noop(
                "An approved version: publish one with the operation publish-message, or go back to an earlier one."
            ),
        ),
    )
    judges = EVERY_OCCASION

    def check(self, case: Case) -> Verdict:
        """See Guard."""
        version = f"version {case.message.version}" if case.message.version else ""
        return Allow(version) if case.message.approved else Skip("content_not_approved", saw=version)
