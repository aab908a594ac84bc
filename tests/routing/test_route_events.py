"""Events come twice, late, out of order and from several queues at once; what follows from them follows once."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.published_journeys import JOURNEY, journey, published
from tests.fakes.world import CONTACT, START, World, event, send_request
from waypost import ids
from waypost.clock import parse_instant
from waypost.events.envelope import Event
from waypost.events.listening import Listening, bus_pattern

NOON = parse_instant(START)


def signed_up(event_id: str = "e-1", minutes: float = 0, **properties: Any) -> Event:
    profile = {"email": "lin@example.com", "name": "Lin", "consent": {"email": True}, "tags": ["new"]}
    at = NOON + timedelta(minutes=minutes)
    return event("registered", at, event_id, profile=profile, **{"coupon": "GLOW15", **properties})


def everything(world: World) -> dict[str, Any]:
    """Everything that can be seen of the world."""
    return {
        "contacts": dict(world.contacts.items),
        "identities": dict(world.contacts.identities),
        "history": dict(world.history.events),
        "routed": dict(world.history.routed),
        "enrolments": dict(world.enrolments.items),
        "ledger": dict(world.ledger.rows),
        "executions": dict(world.machines.executions),
        "schedules": dict(world.schedules.booked),
        "published": len(world.bus.published),
    }


@pytest.mark.parametrize("times", [1, 2, 5])
def test_an_event_that_comes_again_changes_nothing(times: int) -> None:
    world = World()
    first = world.route(signed_up())
    assert (first.contact_id, first.repeated) == (CONTACT, False)
    before = everything(world)
    for _ in range(times):
        world.clock.advance(minutes=10)
        again = world.route(signed_up())
        assert (again.contact_id, again.repeated, again.decisions) == (CONTACT, True, [])
    assert everything(world) == before


def test_an_event_that_comes_again_after_newer_ones_undoes_nothing() -> None:
    world = World()
    old = event("identified", NOON, "e-old", profile={"plan": "free", "tags": ["trial"], "consent": {"sms": True}})
    new = event("identified", NOON, "e-new", profile={"plan": "pro", "consent": {"sms": False}})
    for each in (old, new):
        world.route(each)
    before = everything(world)
    world.route(old)
    assert everything(world) == before
    assert world.contacts[CONTACT].attributes["plan"] == "pro"


def test_an_event_is_stored_and_passed_on_as_it_came() -> None:
    world = World()
    happened = signed_up()
    world.route(happened)
    assert world.bus.published == [(CONTACT, happened)]
    (recorded,) = world.history.since(CONTACT, NOON)
    assert (recorded.id, recorded.type, recorded.properties) == ("e-1", "registered", {"coupon": "GLOW15"})
    assert happened.id in world.history
    assert happened.id in world.bus


def test_what_a_provider_says_of_a_message_is_written_to_its_row() -> None:
    world = World()
    world.have_contact()
    key = world.send(world.have_enrolment(), "welcome").message_key
    notice = event("message_delivered", NOON, channel="email", contact={"contact_id": CONTACT}, message_key=key)
    world.route(notice)
    assert world.ledger[key].state == "accepted", "a stranger's word is no provider's word"
    world.route(replace(notice, id="e-2", source="waypost.ses"))
    assert world.ledger[key].state == "delivered"


@pytest.mark.parametrize("key", [None, 7, "m-unknown"])
def test_a_report_about_no_message_of_ours_is_harmless(key: object) -> None:
    world = World()
    world.have_contact()
    notice = event("message_delivered", NOON, channel="email", contact={"contact_id": CONTACT}, message_key=key)
    assert not world.route(replace(notice, source="waypost.ses")).repeated


def test_a_provider_event_settles_what_was_unknown() -> None:
    world = World()
    world.have_contact()
    enrolment = world.have_enrolment()
    world.effects.crash_on, world.effects.mode = "email.send", "after"
    result = world.send(enrolment, "welcome")
    assert result.outcome == "unknown"
    notice = event(
        "message_accepted", NOON, channel="email", contact={"contact_id": CONTACT}, message_key=result.message_key
    )
    world.route(replace(notice, source="waypost.ses"))
    assert world.send_message.send(send_request(enrolment, "welcome", state="welcome")).outcome == "sent"


def test_two_journeys_hear_of_one_event_in_one_go() -> None:
    """An order leaves the one and starts the other."""
    world = World(
        published=published(
            journey(), journey("thanks", trigger={"kind": "event", "event": "order_placed", "where": None}, goal=None)
        )
    )
    world.route(signed_up())
    order = event("order_placed", NOON + timedelta(minutes=1), coupon="GLOW15")
    world.clock.set(order.occurred_at)
    decisions = world.route(order).decisions
    assert [each.get("effect") or each["reason"] for each in decisions] == ["goal", "enrolled"]
    assert len(world.machines) == 2


happenings = st.lists(
    st.sampled_from(
        [
            ("registered", {"coupon": "GLOW15"}, {"email": "lin@example.com", "tags": ["new"]}),
            ("registered", {"coupon": "OTHER"}, {"plan": "pro"}),
            ("identified", {}, {"plan": "free", "consent": {"email": True}}),
            ("identified", {}, {"plan": None, "city": "Wuhan", "consent": {"email": False, "sms": True}}),
            ("unsubscribed", {"channel": "email", "topic": "nurture"}, {}),
            ("consent_granted", {"channel": "email"}, {}),
            ("page_viewed", {"path": "/"}, {}),
        ]
    ),
    min_size=1,
    max_size=7,
)


@settings(max_examples=60)
@given(happenings, st.randoms(use_true_random=False))
def test_order_and_repetition_of_events_do_not_matter(
    happened: list[tuple[str, dict[str, Any], dict[str, Any]]], random: Any
) -> None:
    """Same contact, same history, same enrolments, one execution each, however the events arrive."""
    every_time: dict[str, Any] = {"re_entry": {"kind": "per", "seconds": None, "property": "coupon"}}
    journeys = published(journey(**every_time), journey("once", goal=None), journey("vip", entry={"tag": "never"}))
    events = [
        event(kind, NOON + timedelta(minutes=number), f"e-{number}", profile=profile, **properties)
        for number, (kind, properties, profile) in enumerate(happened)
    ]
    in_order, shuffled = World(published=journeys), World(published=journeys)
    for world in (in_order, shuffled):
        world.clock.advance(hours=1)
    for each in events:
        in_order.route(each)
    arrivals = events + [random.choice(events) for _ in events]
    random.shuffle(arrivals)
    for each in arrivals:
        shuffled.route(each)

    ordered, mixed = in_order.contacts[CONTACT].to_dict(), shuffled.contacts[CONTACT].to_dict()
    assert mixed | {"version": 0} == ordered | {"version": 0}
    assert shuffled.history.events == in_order.history.events
    assert set(shuffled.history.routed) == set(in_order.history.routed)
    assert set(shuffled.machines.executions) == set(in_order.machines.executions)
    assert shuffled.machines.calls == len(shuffled.machines) == len(shuffled.enrolments)
    assert len(shuffled.bus.published) == len(events)
    if any(kind == "registered" for kind, _, _ in happened):
        once = ids.execution_name("once", ids.hop_id(ids.enrolment_id("once", CONTACT, "once"), "start", 1))
        assert once in shuffled.machines
        assert f"{JOURNEY}-" in str(list(shuffled.machines.executions))


def test_an_event_that_no_other_system_takes_does_not_go_on_the_bus() -> None:
    world = World(listening=Listening(bus=(bus_pattern("order_*"),)))
    world.have_contact()
    world.route(event("page_viewed", world.clock()))
    world.route(event("order_placed", world.clock()))
    assert [happened.type for _, happened in world.bus.published] == ["order_placed"]


def test_a_contact_that_many_addresses_are_given_to_is_noticed() -> None:
    world = World()
    routed = [
        world.route(
            replace(
                signed_up(f"e-{number}", minutes=number),
                contact={"user_id": "shared", "email": f"{number}@example.com"},
            )
        )
        for number in range(12)
    ]
    assert [each.crowded for each in routed] == [""] * 10 + ["email"] * 2


def test_what_a_full_contact_cannot_take_is_noted_with_the_event_and_an_unsubscribe_counts() -> None:
    world = World()
    full = {f"a{number}": "x" * 30_000 for number in range(8)}
    contact = world.have_contact(attributes=full)
    routed = world.route(event("identified", world.clock(), profile={"long": "y" * 20_000, "city": "Wuhan"}))
    assert routed.left_out == ("attributes.long",)
    assert list(world.history.left_out.values()) == [["attributes.long"]]
    assert world.contacts[contact.contact_id].attributes["city"] == "Wuhan"
    assert world.route(event("unsubscribed", world.clock(), channel="email")).left_out == ()
    assert world.contacts[contact.contact_id].consent("email", "offers") == "withdrawn"
