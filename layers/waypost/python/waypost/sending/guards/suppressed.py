"""Sends nothing to an address that is closed."""

from waypost.contacts.channels import declared_channels
from waypost.pages.texts import gettext_noop
from waypost.sending.guard import EVERY_OCCASION, Allow, Case, Guard, Reason, Skip, Verdict


class Suppressed(Guard):
    """A hard bounce, a complaint, an opt-out or an invalid number closes an address to everybody who has it."""

    weight = 40
    code = "su"
    title = gettext_noop("Not suppressed")
    reasons = tuple(
        Reason(
            f"suppressed_{name}",
            gettext_noop("Another address of the contact; or, once the cause is gone, the operation lift-suppression."),
        )
        for name in sorted({name for each in declared_channels().values() for name in each.suppressions})
    )
    judges = EVERY_OCCASION

    def check(self, case: Case) -> Verdict:
        """See Guard."""
        known = "" if case.record.lifted_at else case.contact.closed.get(case.channel)
        reason = case.record.closed or known  # a report from before addresses had records is on the profile only
        if reason:
            since = case.record.suppressed_at
            return Skip(f"suppressed_{reason}", other_channel=True, saw=f"since {since:%Y-%m-%d}" if since else reason)
        return Allow(f"lifted {case.record.lifted_at:%Y-%m-%d}" if case.record.lifted_at else "")
