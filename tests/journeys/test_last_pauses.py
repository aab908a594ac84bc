"""Journeys that end at their last Pause, without a hop: by time, by their goal, by an exit."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.published_journeys import journey, published
from tests.fakes.world import CONTACT, World, event
from waypost.clock import parse_instant
from waypost.events.listening import Listening
from waypost.journeys.changes.change import Act
from waypost.journeys.enrolment import Enrolment
from waypost.journeys.pause import WayOut

STATE = "Until later"
DEFERRING = {"windows": {"email": {"start": "20:00", "end": "22:00"}}}


def park(world: World, enrolment: Enrolment, *ways: WayOut, **payload: Any) -> str:
    """The contact waits for two days where nothing is left to do on these ways."""
    row = {"at": STATE, "input": {}, "variables": {}, "nothing_behind": list(ways)}
    lasts = {} if "until" in payload else {"for": "2d"}
    return world.park(enrolment, {**lasts, "row": row, **payload}, STATE)


def ended(world: World) -> Enrolment:
    (enrolment,) = world.enrolments
    assert enrolment.status == "ended"
    assert len(world.machines) == 0, "no hop has been started"
    return enrolment


def test_time_ends_the_journey(world: World, enrolment: Enrolment) -> None:
    park(world, enrolment, "over")
    world.clock.advance(days=2)
    assert world.resume_journey.resume_one(CONTACT, enrolment.enrolment_id) == "ended"
    row = ended(world)
    assert (row.outcome, row.ended_at, [past.end for past in row.trail]) == ("completed", world.clock(), ["elapsed"])
    assert [each.properties["outcome"] for each in world.queue.events.values()] == ["completed"]
    assert world.resume_journey.resume_one(CONTACT, enrolment.enrolment_id) == "already_over"
    assert len(world.queue.events) == 1


def test_an_end_that_nothing_reads_is_not_announced(enrolment: Enrolment) -> None:
    world = World(listening=Listening(settled=frozenset({"journey_ended"})))
    world.have_contact()
    park(world, world.have_enrolment(), "over")
    world.fire_next()
    assert ended(world).outcome == "completed"
    assert not world.queue.events


def test_the_sweep_ends_what_a_lost_timer_left(world: World, enrolment: Enrolment) -> None:
    park(world, enrolment, "over")
    world.clock.advance(days=2, hours=2)
    assert world.sweep().overdue_pauses == 1
    assert ended(world).outcome == "completed"


@pytest.mark.parametrize("ways", [(), ("GoalReached",), ("GoalReached", "JourneyExited")])
def test_time_starts_a_hop_where_something_is_left_to_do(
    world: World, enrolment: Enrolment, ways: tuple[WayOut, ...]
) -> None:
    park(world, enrolment, *ways)
    world.clock.advance(days=2)
    assert world.resume_journey.resume_one(CONTACT, enrolment.enrolment_id) == "resumed"
    assert len(world.machines) == 1


def test_a_date_that_was_changed_unseen_is_read_once_more(world: World) -> None:
    contact = world.have_contact(attributes={"renews_on": "2027-03-05"})
    enrolment = world.have_enrolment()
    park(world, enrolment, "over", until={"date": "renews_on", "at": "10:00"})
    world.contacts.put(replace(contact, attributes={"renews_on": "2027-03-09"}))
    world.fire_next()
    assert world.stored(enrolment).due_at == parse_instant("2027-03-09T10:00:00+08:00")
    world.fire_next()
    assert world.clock() == parse_instant("2027-03-09T10:00:00+08:00")
    assert ended(world).outcome == "completed"


def test_what_changes_meanwhile_is_read_again(world: World, enrolment: Enrolment) -> None:
    park(world, enrolment, "over", **{"or": {"event": "survey_answered"}})
    world.clock.advance(days=2)
    world.effects.meanwhile["enrolments.keep"] = lambda: world.route(event("survey_answered", world.clock()))
    assert world.resume_journey.resume_one(CONTACT, enrolment.enrolment_id) == "already_over"
    row = world.stored(enrolment)
    assert (row.status, [past.end for past in row.trail]) == ("active", ["event"])
    assert len(world.machines) == 1


def test_a_message_that_is_deferred_meanwhile_puts_the_end_off(world: World, enrolment: Enrolment) -> None:
    park(world, enrolment, "over")
    world.clock.advance(days=2)
    later = world.clock() + timedelta(hours=3)
    hold = lambda: world.enrolments.hold_until(CONTACT, enrolment.enrolment_id, later)  # noqa: E731
    world.effects.meanwhile["enrolments.keep"] = hold
    assert world.resume_journey.resume_one(CONTACT, enrolment.enrolment_id) == "not_due"
    assert world.stored(enrolment).due_at == later + timedelta(days=2)


def test_the_hop_of_a_contact_who_is_gone_says_why_the_journey_fails(world: World, enrolment: Enrolment) -> None:
    park(world, enrolment, "over", until={"day": 3, "at": "10:00"})
    world.contacts.items.clear()
    world.clock.advance(days=2)
    assert world.resume_journey.resume_one(CONTACT, enrolment.enrolment_id) == "resumed"
    assert len(world.machines) == 1


@pytest.mark.parametrize(
    ("kind", "properties", "way", "outcome"),
    [("order_placed", {"coupon": "GLOW15"}, "GoalReached", "goal"), ("left_us", {}, "JourneyExited", "exited")],
)
def test_leaving_ends_the_journey(
    world: World, enrolment: Enrolment, kind: str, properties: dict[str, Any], way: WayOut, outcome: str
) -> None:
    park(world, enrolment, way)
    routed = world.route(event(kind, world.clock(), "e-1", **properties))
    assert [each["effect"] for each in routed.decisions if "effect" in each] == [outcome]
    row = ended(world)
    assert row.left_on is not None
    assert (row.outcome, row.left_on.id, [past.end for past in row.trail]) == (outcome, "e-1", ["left"])


def test_leaving_by_the_other_way_takes_a_hop(world: World, enrolment: Enrolment) -> None:
    park(world, enrolment, "JourneyExited", "over")
    world.route(event("order_placed", world.clock(), coupon="GLOW15"))
    assert world.stored(enrolment).status == "leaving"
    assert len(world.machines) == 1


def test_what_was_deferred_is_called_off() -> None:
    world = World(published=published(sending=DEFERRING))
    world.have_contact()
    enrolment = world.have_enrolment()
    assert world.send(enrolment, "welcome").outcome == "deferred"
    park(world, enrolment, "JourneyExited")
    world.route(event("left_us", world.clock()))
    assert ended(world).outcome == "exited"
    assert [(row.state, row.decisions[-1].reason) for row in world.ledger] == [("skipped", "left_journey")]


def test_an_event_that_also_starts_a_journey_takes_a_hop_so_that_who_may_enter_stays_the_same() -> None:
    second = journey("second", trigger={"kind": "event", "event": "left_us", "where": None}, exit_on=[], goal=None)
    world = World(published=published(journey(exclusive_group="one"), second | {"exclusive_group": "one"}))
    world.have_contact()
    world.route(event("registered", world.clock(), contact={"user_id": "u-1"}))
    (enrolment,) = world.enrolments
    park(world, enrolment, "JourneyExited")
    routed = world.route(event("left_us", world.clock()))
    assert world.stored(enrolment).status == "leaving"
    assert [each["reason"] for each in routed.decisions if "reason" in each] == ["exclusive_group_taken"]


def test_a_contact_that_a_change_takes_to_another_pause_walks_from_there(world: World, enrolment: Enrolment) -> None:
    park(world, enrolment, "over")
    pause = world.stored(enrolment).stands_at()
    assert pause.is_last("over")
    assert not Act("follow", to=STATE).takes(pause, enrolment.enrolment_id).is_last("over")
