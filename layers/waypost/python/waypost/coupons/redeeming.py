"""Redeem the coupons that an order names. Called by the reaction to events.

A code is redeemed once, by the first event that is stored with it; the holder's journeys learn of it by ``coupon_redeemed``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from waypost import ids
from waypost.clock import format_instant
from waypost.coupons.codes import code_problem
from waypost.coupons.coupon import Coupon, CouponStore
from waypost.coupons.event_names import REDEEMED
from waypost.events.envelope import OWN_SOURCE, UNPROVEN_SOURCE, WRITE_KEY_SOURCE, Event, caused_by_event
from waypost.events.ports import EventQueue

REDEEMING: Final = frozenset({"order_placed", "order_completed", "order_paid", "coupon_used"})
"""Events that use up the coupons they name; ``checkout_started`` and ``product_added`` name one that is not used yet.
Source of ``coupon``: Segment, "E-Commerce events", Order Completed."""
MOST_CODES: Final = 10
"""Codes that one order may name; those behind them are left alone."""


@dataclass(frozen=True, slots=True)
class CouponRedeemer:
    """Marks coupons as redeemed, and queues what follows for their holders."""

    store: CouponStore
    queue: EventQueue

    def redeem(self, event: Event, partitions: Sequence[str]) -> None:
        """Redeem what the event names; again for the same event it changes nothing twice.

        ``partitions`` are the ids of the contact who ordered. What a browser sends redeems their own coupons alone, or anybody
        could use up the codes of others. Raises ConcurrentUpdate.
        """
        by_browser = event.source in {WRITE_KEY_SOURCE, UNPROVEN_SOURCE}
        for code in named_codes(event):
            coupon = self.store.find(code)
            if coupon is None or (by_browser and coupon.contact_id not in partitions):
                continue
            if self.store.redeem(coupon, at=event.occurred_at, event_id=event.id):
                self.queue.send([_redeemed(coupon, event)])


def named_codes(event: Event) -> list[str]:
    """The codes that the event redeems: ``coupon`` or ``coupons``, a text or a list of texts."""
    if event.type not in REDEEMING:
        return []
    named: list[Any] = []
    for name in ("coupon", "coupons"):
        value = event.properties.get(name)
        named += value if isinstance(value, list) else [value]
    codes = [each.strip() for each in named if isinstance(each, str)]
    return [each for each in dict.fromkeys(codes) if not code_problem(each)][:MOST_CODES]


def _redeemed(coupon: Coupon, event: Event) -> Event:
    """For the holder, who need not be who ordered."""
    order = event.properties.get("order_id")
    return Event(
        id="e-" + ids.digest(REDEEMED, coupon.code, event.id),
        type=REDEEMED,
        contact={"contact_id": coupon.contact_id},
        occurred_at=event.occurred_at,
        received_at=event.received_at,
        source=OWN_SOURCE,
        properties={
            "pool": coupon.pool,
            "code": coupon.code,
            "journey": coupon.journey,
            "issued_at": format_instant(coupon.issued_at),
            **({"order_id": order} if isinstance(order, str | int) else {}),
        },
        correlation_id=event.correlation_id,
        cause=caused_by_event(event.id),
    )
