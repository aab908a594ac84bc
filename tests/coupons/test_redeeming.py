"""Redeeming what an order names: once for each code, by the first event, on the fake and on DynamoDB's conditions."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from tests.coupons.issuers import NOON, Busy, ask, issuer
from tests.coupons.pools import pool
from tests.fakes.clock import FakeClock
from tests.fakes.queue import FakeQueue
from waypost.aws.coupons import DynamoCoupons
from waypost.coupons.coupon import Coupon, CouponStore, FreeCode, Usage
from waypost.coupons.redeeming import CouponRedeemer, named_codes
from waypost.errors import ConcurrentUpdate
from waypost.events.envelope import SERVER_KEY_SOURCE, WRITE_KEY_SOURCE, Event


def order(
    *, event_id: str = "e-1", name: str = "order_placed", source: str = SERVER_KEY_SOURCE, **properties: Any
) -> Event:
    return Event(
        id=event_id,
        type=name,
        contact={"user_id": "u-1"},
        occurred_at=NOON,
        received_at=NOON,
        source=source,
        properties=properties,
    )


@pytest.fixture
def queue() -> FakeQueue:
    return FakeQueue()


@pytest.fixture
def redeemer(store: CouponStore, queue: FakeQueue) -> CouponRedeemer:
    return CouponRedeemer(store, queue)


@pytest.fixture
def coupon(store: CouponStore, clock: FakeClock) -> Coupon:
    issued = issuer(store, clock, pool(prefix="W-")).issue(ask()).coupon
    assert issued is not None
    return issued


def test_an_order_redeems_its_coupon_however_it_is_typed(
    redeemer: CouponRedeemer, store: CouponStore, queue: FakeQueue, coupon: Coupon
) -> None:
    redeemer.redeem(order(coupon=f" {coupon.code.lower()} ", order_id="o-7"), ["c-2"])
    (held,) = store.held(["c-1"])
    assert held == replace(coupon, redeemed_at=NOON, redeemed_by="e-1")
    assert store.find(coupon.code) == held
    assert not held.is_valid(NOON)
    (event,) = queue.events.values()
    assert (event.type, event.contact, event.cause) == ("coupon_redeemed", {"contact_id": "c-1"}, "event:e-1")
    assert event.properties == {
        "pool": "welcome",
        "code": coupon.code,
        "journey": "hello",
        "issued_at": "2031-03-03T04:00:00.000Z",
        "order_id": "o-7",
    }
    assert store.usage("welcome") == Usage(1, 1, {"hello": (1, 1)})
    assert store.usage("welcome").rate == 1


def test_the_same_event_again_is_one_redemption_and_another_is_none(
    redeemer: CouponRedeemer, store: CouponStore, queue: FakeQueue, coupon: Coupon
) -> None:
    for event_id in ("e-1", "e-1", "e-2"):
        redeemer.redeem(order(event_id=event_id, coupon=coupon.code), ["c-1"])
    assert [each.cause for each in queue.events.values()] == ["event:e-1"]
    assert store.usage("welcome").redeemed == 1


def test_a_browser_redeems_only_what_its_own_person_holds(
    redeemer: CouponRedeemer, store: CouponStore, queue: FakeQueue, coupon: Coupon
) -> None:
    redeemer.redeem(order(source=WRITE_KEY_SOURCE, coupon=coupon.code), ["c-2"])
    assert not queue.events
    assert store.find(coupon.code) == coupon
    redeemer.redeem(order(source=WRITE_KEY_SOURCE, coupon=coupon.code), ["c-9", "c-1"])
    assert len(queue.events) == 1


def test_an_unknown_code_and_one_that_waits_are_left_alone(
    redeemer: CouponRedeemer, store: CouponStore, queue: FakeQueue
) -> None:
    store.add("welcome", FreeCode("SHOP-1"), at=NOON)
    redeemer.redeem(order(coupons=["SHOP-1", "NEVER-1"]), ["c-1"])
    assert not queue.events
    assert store.usage("welcome") == Usage()
    assert Usage().rate is None


@pytest.mark.parametrize(
    ("event", "codes"),
    [
        (order(coupon="ABCD-1"), ["ABCD-1"]),
        (order(coupon="ABCD-1", coupons=["ABCD-2", "ABCD-1", " ", 7, None]), ["ABCD-1", "ABCD-2"]),
        (order(coupon={"code": "ABCD-1"}), []),
        (order(coupon="GUT SCHEIN"), []),
        (order(coupons=[f"CODE-{number}" for number in range(12)]), [f"CODE-{number}" for number in range(10)]),
        (order(name="product_added", coupon="ABCD-1"), []),
        (order(name="coupon_used", coupon="ABCD-1"), ["ABCD-1"]),
        (order(), []),
    ],
)
def test_codes_are_read_from_orders_alone(event: Event, codes: list[str]) -> None:
    assert named_codes(event) == codes


def test_of_twenty_orders_at_once_one_redeems_the_code(client: Any, clock: FakeClock) -> None:
    store = DynamoCoupons(client, "contacts")
    coupon = issuer(store, clock, pool()).issue(ask()).coupon
    assert coupon is not None

    def redeem(number: int) -> bool:
        return store.redeem(coupon, at=NOON, event_id=f"e-{number}")

    with ThreadPoolExecutor(20) as threads:
        assert sum(threads.map(redeem, range(20))) == 1
    assert store.usage("welcome") == Usage(1, 1, {"hello": (1, 1)})


def test_a_writer_in_the_way_is_tried_again_by_the_queue(client: Any, clock: FakeClock) -> None:
    coupon = issuer(DynamoCoupons(client, "contacts"), clock, pool()).issue(ask()).coupon
    assert coupon is not None
    with pytest.raises(ConcurrentUpdate, match="coupon of welcome"):
        DynamoCoupons(Busy(client), "contacts").redeem(coupon, at=NOON, event_id="e-1")
