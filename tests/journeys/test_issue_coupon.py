"""The Coupon task of a journey, and the message that speaks of the coupon."""

from typing import Any

import pytest

from tests.coupons.pools import pool
from tests.fakes.published_journeys import email, journey, published
from tests.fakes.world import CONTACT, World, event, send_request, task_payload
from waypost.content.coupons import ANY_POOL
from waypost.coupons.pool import CouponPools
from waypost.errors import ContactNotFound, EnrolmentNotFound
from waypost.journeys.enrolment import Enrolment

TEXT = "{{ coupon.label }}: {{ coupon.code }}, until {{ coupon.expires_at | datetime }}"


@pytest.fixture
def world() -> World:
    variant = {"subject": "{{ coupon.label }}", "html": "<p>{{ coupon.code }}</p>", "text": TEXT}
    messages = {
        name: email(name) | {"coupon": of, "variants": {"email": {"zh-CN": variant, "en": variant}}}
        for name, of in (("ten-yuan", "welcome"), ("any-coupon", ANY_POOL))
    }
    world = World(
        published=published(journey(messages=messages)),
        pools=CouponPools({"welcome": pool(), "small": pool("small", size=1)}),
    )
    world.have_contact()
    return world


@pytest.fixture
def enrolment(world: World) -> Enrolment:
    return world.have_enrolment(correlation_id="r-1")


def issue(world: World, enrolment: Enrolment, state: str = "Ten yuan", **payload: Any) -> dict[str, Any]:
    return world.issue_coupon.issue(task_payload(enrolment, state, **{"pool": "welcome", **payload}))


def test_a_journey_issues_a_coupon_once_and_says_so_once(world: World, enrolment: Enrolment) -> None:
    first = issue(world, enrolment)
    assert (first["outcome"], first["pool"], first["expires_at"]) == ("issued", "welcome", "2027-03-07T15:59:59.000Z")
    assert issue(world, enrolment) == first
    (event,) = world.queue.events.values()
    assert (event.type, event.properties["code"], event.properties["step"]) == (
        "coupon_issued", first["code"], "Ten yuan",
    )  # fmt: skip
    assert issue(world, enrolment, "Twenty yuan") == {**first, "outcome": "already_has"}
    assert issue(world, enrolment, "Twenty yuan", again=True, occurrence=2)["code"] != first["code"]


def test_an_empty_pool_is_an_outcome_and_is_reported(world: World, enrolment: Enrolment) -> None:
    assert issue(world, enrolment, pool="small")["outcome"] == "issued"
    assert world.reported == ["small: 0"]
    answer = issue(world, enrolment, "Another", pool="small", again=True)
    assert answer == {"outcome": "pool_empty", "pool": "small"}


def test_nobody_has_no_coupon(world: World, enrolment: Enrolment) -> None:
    payload = task_payload(enrolment, "Ten yuan", pool="welcome")
    payload["context"]["Execution"]["Input"]["enrolment_id"] = "n-none"
    with pytest.raises(EnrolmentNotFound):
        world.issue_coupon.issue(payload)
    stranger = world.have_enrolment(contact_id="c-nobody")
    with pytest.raises(ContactNotFound):
        issue(world, stranger)


def test_a_message_shows_the_coupon_in_the_readers_zone_and_language(world: World, enrolment: Enrolment) -> None:
    code = issue(world, enrolment)["code"]
    result = world.send_message.send(send_request(enrolment, "ten-yuan", state="Tell"))
    assert (result.outcome, result.reason) == ("sent", "every_guard_allowed")
    (sent,) = world.email.sent
    assert sent.content.text == f"Ten yuan off: {code}, until March 7, 2027, 11:59\u202fPM"


def test_a_message_without_a_valid_coupon_is_not_sent(world: World, enrolment: Enrolment) -> None:
    result = world.send_message.send(send_request(enrolment, "ten-yuan", state="Too early"))
    assert (result.outcome, result.reason) == ("skipped", "no_valid_coupon")
    code = issue(world, enrolment)["code"]
    coupon = world.coupons.find(code)
    assert coupon is not None
    world.coupons.redeem(coupon, at=world.clock(), event_id="e-order")
    result = world.send_message.send(send_request(enrolment, "ten-yuan", state="Too late"))
    assert (result.outcome, result.reason) == ("skipped", "no_valid_coupon")
    assert world.email.sent == []


def test_a_message_of_any_pool_shows_the_valid_coupon_that_ends_first(world: World, enrolment: Enrolment) -> None:
    world.pools = CouponPools({
        "welcome": pool("welcome", valid={"days": 7}),
        "short": pool("short", valid={"days": 2}),
        "shorter": pool("shorter", valid={"days": 1}),
    })  # fmt: skip
    result = world.send_message.send(send_request(enrolment, "any-coupon", state="Too early"))
    assert (result.outcome, result.reason) == ("skipped", "no_valid_coupon")
    codes = {name: issue(world, enrolment, f"Issue {name}", pool=name)["code"] for name in world.pools.pools}
    shorter = world.coupons.find(codes["shorter"])
    assert shorter is not None
    world.coupons.redeem(shorter, at=world.clock(), event_id="e-order")
    assert world.send_message.send(send_request(enrolment, "any-coupon", state="Remind")).outcome == "sent"
    assert codes["short"] in world.email.sent[0].content.text


def test_a_message_that_waited_past_the_end_of_its_coupon_is_not_sent(world: World, enrolment: Enrolment) -> None:
    world.pools = CouponPools({"welcome": pool(valid={"seconds": 3_600})})
    world.clock.advance(hours=12)  # 22:00: quiet hours
    issue(world, enrolment)
    request = send_request(enrolment, "ten-yuan", state="In the night")
    assert world.send_message.send(request).outcome == "deferred"
    world.fire_next()
    assert world.email.sent == []
    rows = [row for (_, key), row in world.ledger.rows.items() if key == request.message_key]
    assert [each.reason for each in rows[0].decisions][-1] == "no_valid_coupon"


def test_an_order_with_the_coupon_ends_what_waits_for_its_redemption(world: World, enrolment: Enrolment) -> None:
    code = issue(world, enrolment)["code"]
    world.queue.events.clear()
    world.route_events.route(event("order_placed", world.clock(), "e-order", coupon=code, order_id="o-1"))
    (redeemed,) = world.queue.events.values()
    assert (redeemed.type, redeemed.properties["pool"]) == ("coupon_redeemed", "welcome")
    assert world.coupons.held([CONTACT])[0].redeemed_by == "e-order"
