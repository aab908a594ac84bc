"""holds_coupon: the coupons that the contact can still redeem."""

from typing import ClassVar

from waypost.authoring.problems import Authored
from waypost.authoring.rules.documentation import Says
from waypost.authoring.rules.registry import model
from waypost.authoring.rules.values import GroupedNamesOrAny


@model("holds_coupon")
class HoldsCouponRule(Authored):
    """The contact has a coupon of a pool that is valid and not redeemed."""

    SAYS: ClassVar[tuple[Says, ...]] = (
        Says(
            "coupons",
            "holds_coupon",
            "has a valid coupon of this pool that was not redeemed (a list: of any of these)",
            "{ holds_coupon: birthday-month }",
            "From some seconds after its issue; not from the instant at which it ends, nor after an order named it.",
        ),
        Says(
            "coupons",
            "holds_coupon: {none_of: …}",
            "has no valid coupon of these pools (also `any_of`, `all_of`)",
            "{ holds_coupon: { none_of: [cart-5, welcome-10] } }",
        ),
        Says(
            "coupons",
            "holds_coupon: {exists: …}",
            "has any valid coupon at all, or none (`exists: false`)",
            "{ holds_coupon: { exists: true } }",
        ),
    )

    holds_coupon: GroupedNamesOrAny
