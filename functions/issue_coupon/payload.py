"""What a journey passes to a Coupon task. Read by the checks of its definition."""

from typing import Annotated, ClassVar

from waypost.authoring.coupons import PoolName
from waypost.authoring.payloads import Fields, Occurrence, Payload
from waypost.authoring.problems import OrExpression


class IssueCouponPayload(Payload):
    """Issue a coupon of the ``pool``; with ``again`` even to a contact that has a valid one of it."""

    result: ClassVar[Fields | None] = {"outcome": {}, "pool": {}, "code": {}, "expires_at": {}}

    pool: Annotated[PoolName, OrExpression]
    again: bool = False
    occurrence: Occurrence | None = None
