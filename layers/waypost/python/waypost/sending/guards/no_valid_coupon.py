"""Sends no message about a coupon that the contact does not have, has redeemed, or whose validity is over."""

from waypost.pages.texts import gettext_noop
from waypost.sending.guard import Allow, Case, Guard, Judges, Reason, Skip, Verdict


class NoValidCoupon(Guard):
    """A text never states a coupon that is not valid when it goes out; a test to staff shows a sample."""

    weight = 58
    code = "cp"
    title = gettext_noop("Valid coupon")
    reasons = (
        Reason(
            "no_valid_coupon",
            gettext_noop(
                "A Coupon step before the message issues one; where the message waited until it was over, a longer validity of the pool helps."
            ),
        ),
    )
    judges = Judges(journey_step=True, broadcast_slot=True, staff_notice=False, reply=True)

    def concerns(self, case: Case) -> bool:
        """See Guard."""
        return bool(case.message.coupon)

    def check(self, case: Case) -> Verdict:
        """See Guard."""
        if case.coupon is None or not case.coupon.is_valid(case.now):
            return Skip("no_valid_coupon", saw=case.message.coupon)
        return Allow(case.coupon.pool)
