"""A message that sells products is not sent to who has bought all of them."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.authoring import folders
from tests.content.test_library import SMS, problems
from tests.fakes.published_journeys import SENDING, email, journey, published
from tests.fakes.world import START, World, event, send_request
from tests.sending.test_guards import MARKETING, TRANSACTIONAL, case, policy
from waypost.clock import parse_instant
from waypost.contacts.fitting import MORE_TYPES
from waypost.journeys.enrolment import Enrolment, TriggerEvent
from waypost.sending.guard import Allow, Skip
from waypost.sending.guards.already_bought import AlreadyBought
from waypost.sending.judge import judge
from waypost.sending.request import SendRequest

AT = parse_instant(START)
GUARD = [AlreadyBought()]


def world(*sells: str, **sending: Any) -> World:
    """A world whose message sells these."""
    message = email("offer") | {"sells": list(sells)}
    world = World(published=published(journey(messages={"offer": message}), sending=SENDING | sending))
    world.have_contact(identities={"user_id": ["u-1"]})
    return world


def enrolled(world: World, **properties: Any) -> Enrolment:
    return world.have_enrolment(trigger=TriggerEvent("e-trigger", "product_viewed", world.clock(), properties))


def order(world: World, *products: str, days_ago: int = 3) -> None:
    at = world.clock() - timedelta(days=days_ago)
    world.route(event("order_placed", at, f"order-{'-'.join(products)}-{days_ago}", products=list(products)))


def send(world: World, enrolment: Enrolment, **payload: Any) -> tuple[str, str]:
    result = world.send_message.send(send_request(world.walking(enrolment), "offer", state="Offer", **payload))
    return result.outcome, result.reason


def test_who_bought_the_product_does_not_get_the_message_that_sells_it() -> None:
    bought = world("serum-30")
    order(bought, "cream-50", "serum-30")
    assert send(bought, enrolled(bought)) == ("skipped", "already_bought")
    (row,) = bought.ledger.rows.values()
    assert row.decisions[-1].saw["ab"] == "2027-02-26: serum-30"
    assert bought.email.sent == []


def test_one_product_that_is_left_is_worth_the_message() -> None:
    some = world("serum-30", "lip-balm")
    order(some, "serum-30")
    assert send(some, enrolled(some)) == ("sent", "every_guard_allowed")


def test_what_the_journeys_event_names_is_what_is_sold() -> None:
    seen = world("event")
    order(seen, "serum-30")
    assert send(seen, enrolled(seen, product_id="serum-30")) == ("skipped", "already_bought")
    other = world("event")
    order(other, "serum-30")
    assert send(other, enrolled(other, product_id="tea-250")) == ("sent", "every_guard_allowed")
    nothing = world("event")
    order(nothing, "serum-30")
    assert send(nothing, enrolled(nothing)) == ("sent", "every_guard_allowed")


@pytest.mark.parametrize("sells", ["serum-30", ["serum-30"], ["serum-30", None]])
def test_a_step_says_what_it_sells_and_a_deferral_keeps_it(sells: Any) -> None:
    step = world()
    step.clock.advance(hours=13)  # 23:00, outside of the window
    enrolment = enrolled(step)
    assert send(step, enrolment, sells=sells) == ("deferred", "quiet_hours")
    order(step, "serum-30", days_ago=0)
    step.fire_next()
    (row,) = step.ledger.rows.values()
    assert [each.reason for each in row.decisions] == ["quiet_hours", "already_bought"]


def test_a_request_that_says_nothing_of_products_looks_as_it_always_did() -> None:
    request = send_request(world().have_enrolment(), "offer", state="Offer")
    assert "sells" not in request.to_dict()
    sold = replace(request, sells=("a",))
    assert SendRequest.from_dict(sold.to_dict()).sells == ("a",)


def test_a_purchase_counts_for_the_days_of_the_policy() -> None:
    for days, outcome in ((30, "sent"), (60, "skipped"), (None, "sent")):
        past = world("tea-250", already_bought_days=days)
        order(past, "tea-250", days_ago=40)
        assert send(past, enrolled(past))[0] == outcome


def test_purchases_are_read_for_who_may_have_bought_something_lately_alone() -> None:
    stranger = world("serum-30")
    asked: list[str] = []
    sender = replace(stranger.send_message, purchases=lambda: asked.append("history") or stranger.history)  # type: ignore[func-returns-value]
    request = send_request(stranger.walking(enrolled(stranger)), "offer", state="Offer")
    assert sender.send(request).outcome == "sent"
    assert asked == []

    long_ago = world("serum-30", already_bought_days=30)
    order(long_ago, "serum-30", days_ago=90)
    request = send_request(long_ago.walking(enrolled(long_ago)), "offer", state="Offer")
    assert replace(long_ago.send_message, purchases=sender.purchases).send(request).outcome == "sent"
    assert asked == []

    crowded = world("serum-30")
    seen = {MORE_TYPES: (AT.date(), AT.date())}
    crowded.contacts.put(replace(crowded.have_contact(), seen=seen))
    request = send_request(crowded.walking(enrolled(crowded)), "offer", state="Offer")
    assert replace(crowded.send_message, purchases=sender.purchases).send(request).outcome == "sent"
    assert asked == ["history"]


def test_a_message_that_sells_nothing_asks_for_no_purchase_and_says_nothing_of_the_guard() -> None:
    plain = world()
    order(plain, "serum-30")
    sender = replace(plain.send_message, purchases=None)
    assert sender.send(send_request(plain.walking(enrolled(plain)), "offer", state="Offer")).outcome == "sent"
    (row,) = plain.ledger.rows.values()
    assert "ab" not in row.decisions[-1].saw


def test_what_was_bought_before_a_merge_counts() -> None:
    merged = world("serum-30")
    other = "c-absorbed"
    merged.contacts.put(
        replace(merged.have_contact(), absorbed=(other,), seen={"order_placed": (AT.date(), AT.date())})
    )
    merged.history.record(other, event("order_placed", AT, "o-1", products=["serum-30"]), routed_at=AT)
    assert send(merged, enrolled(merged)) == ("skipped", "already_bought")


def test_a_transactional_message_goes_out_whatever_was_bought() -> None:
    bought = {"serum-30": AT}
    assert judge(case(message=TRANSACTIONAL, sells=("serum-30",), bought=bought), GUARD).verdict == Allow()
    assert judge(case(message=MARKETING, sells=("serum-30",), bought=bought), GUARD).verdict == Skip("already_bought")
    off = judge(case(sells=("serum-30",), bought=bought, policy=policy(already_bought_days=None)), GUARD)
    assert off.verdict == Allow()


def test_authors_name_what_a_message_sells(tmp_path: Path) -> None:
    files = {**SMS, "message.yaml": SMS["message.yaml"] + "sells: serum-30\n"}
    assert problems(tmp_path / "one", files) == []
    orders = files["message.yaml"].replace("kind: marketing", "kind: transactional")
    (found,) = problems(tmp_path / "two", {**files, "message.yaml": orders})
    assert "greeting/message.yaml: sells: is for marketing" in found
    (found,) = problems(tmp_path / "three", {**files, "message.yaml": SMS["message.yaml"] + "sells: []\n"})
    assert "sells" in found


PRODUCTS = "products:\n  serum-30: {name: {en: Serum}, price: 5}\n"


def test_a_product_that_is_not_in_the_catalogue_is_refused(tmp_path: Path) -> None:
    def step(sells: Any) -> Any:
        return lambda definition: folders.states(definition)["Day 1, sorry to see you go"]["Arguments"][
            "Payload"
        ].update(sells=sells)

    root = folders.write(tmp_path / "a", definition=step(["serum-3", "event"]))
    (root / "products.yaml").write_text(PRODUCTS, encoding="utf-8")
    message = root / "journeys/win-back/messages/sorry/message.yaml"
    message.write_text(message.read_text(encoding="utf-8") + "sells: cerum-30\n", encoding="utf-8")
    found = "\n".join(folders.problems(root))
    assert "Payload.sells: unknown product 'serum-3'; did you mean 'serum-30'?" in found
    assert "sorry/message.yaml: sells: unknown product 'cerum-30'; did you mean 'serum-30'?" in found
    for sells in ("serum-30", "event", "{% 'serum-30' %}"):
        good = folders.write(tmp_path / str(hash(sells)), definition=step(sells))
        (good / "products.yaml").write_text(PRODUCTS, encoding="utf-8")
        assert folders.problems(good) == []


def test_no_product_is_called_what_stands_for_the_events(tmp_path: Path) -> None:
    root = folders.write(tmp_path)
    (root / "products.yaml").write_text(PRODUCTS.replace("serum-30", "event"), encoding="utf-8")
    assert "products.event: is no id of a product" in "\n".join(folders.problems(root))
