"""A journey starts and stops other journeys of its contact."""

from typing import Any

import pytest

from tests.fakes.published_journeys import JOURNEY, journey, published
from tests.fakes.world import CONTACT, World, task_payload
from waypost.errors import EnrolmentNotFound, InvalidInput
from waypost.journeys.enrolment import Enrolment

OTHER = "win_back"


@pytest.fixture
def world() -> World:
    never = {"kind": "never", "seconds": None, "property": None}
    manual = {"kind": "manual", "event": "journey_requested", "where": {"property": "journey", "equals": OTHER}}
    other = journey(OTHER, trigger=manual, re_entry=never, goal=None)
    world = World(published=published(journey(), other, journey("over", closed=True)))
    world.have_contact()
    return world


@pytest.fixture
def enrolment(world: World) -> Enrolment:
    return world.have_enrolment(correlation_id="r-1")


def start(world: World, enrolment: Enrolment, **payload: Any) -> dict[str, Any]:
    return world.start_other_journey.start(
        task_payload(enrolment, "On to the win-back", **{"journey": OTHER, **payload})
    )


def stop(world: World, enrolment: Enrolment, **payload: Any) -> dict[str, Any]:
    given = {"journey": OTHER, "reason": "they came back", **payload}
    return world.stop_other_journey.stop(task_payload(enrolment, "No more win-back", **given))


def route_all(world: World) -> list[str]:
    """Route what is queued; the reasons of the decisions on the other journey."""
    routed = [world.route(event) for event in list(world.queue.events.values())]
    return [each["reason"] for one in routed for each in one.decisions if each["journey"] == OTHER]


def in_other(world: World) -> list[Enrolment]:
    return [each for each in world.enrolments if each.journey == OTHER]


def test_the_other_journey_is_asked_for_once_for_each_visit_of_the_step(world: World, enrolment: Enrolment) -> None:
    asked = {"outcome": "requested", "journey": OTHER}
    assert start(world, enrolment, properties={"coupon": "BACK10"}) == asked
    assert start(world, enrolment, properties={"coupon": "BACK10"}) == asked
    (event,) = world.queue.events.values()
    assert event.properties == {
        "coupon": "BACK10", "journey": OTHER, "requested_by": JOURNEY, "requested_step": "On to the win-back",
    }  # fmt: skip
    assert (event.is_our_own, event.correlation_id, bool(event.cause)) == (True, "r-1", True)
    assert route_all(world) == ["enrolled"]
    (other,) = in_other(world)
    assert other.trigger.properties["coupon"] == "BACK10"
    start(world, enrolment, occurrence=2)
    assert len(world.queue.events) == 2


def test_its_rules_of_re_entry_hold_as_ever(world: World, enrolment: Enrolment) -> None:
    start(world, enrolment)
    start(world, enrolment, occurrence=2)
    assert sorted(route_all(world)) == ["enrolled", "enrolled_before"]


def test_a_journey_that_nobody_enters_is_an_outcome(world: World, enrolment: Enrolment) -> None:
    assert start(world, enrolment, journey="over")["outcome"] == "closed"
    assert start(world, enrolment, journey="gone")["outcome"] == "no_such_journey"
    assert not world.queue.events


def test_properties_have_a_bound(world: World, enrolment: Enrolment) -> None:
    with pytest.raises(InvalidInput, match="at most 8,192"):
        start(world, enrolment, properties={"text": "x" * 9_000})
    with pytest.raises(InvalidInput, match="expected a mapping"):
        start(world, enrolment, properties=["x"])


def test_the_hold_out_is_neither_started_elsewhere_nor_stopped(world: World) -> None:
    held_out = world.have_enrolment(held_out=True)
    assert start(world, held_out)["outcome"] == "held_out"
    assert stop(world, held_out) == {"outcome": "held_out", "journey": OTHER, "stopped": 0}
    assert not world.queue.events


def test_the_other_journey_is_stopped_with_its_reason_and_a_repeat_changes_nothing(
    world: World, enrolment: Enrolment
) -> None:
    start(world, enrolment)
    route_all(world)
    stopped = {"outcome": "stopped", "journey": OTHER, "stopped": 1}
    assert stop(world, enrolment) == stopped
    (other,) = in_other(world)
    assert other.outcome == "stopped"
    assert other.stopped is not None
    assert (other.stopped.reason, other.stopped.by) == ("they came back", f"{JOURNEY}/No more win-back")
    written = len(world.queue.events)
    assert stop(world, enrolment) == stopped
    assert len(world.queue.events) == written
    assert world.stored(enrolment).status == "active"


def test_who_is_not_in_the_other_journey_stays_as_it_is(world: World, enrolment: Enrolment) -> None:
    assert stop(world, enrolment) == {"outcome": "not_in_journey", "journey": OTHER, "stopped": 0}


def test_an_enrolment_that_is_not_there_is_an_error(world: World, enrolment: Enrolment) -> None:
    payload = task_payload(enrolment, "On to the win-back", journey=OTHER, reason="x")
    payload["context"]["Execution"]["Input"] |= {"enrolment_id": "n-none", "contact_id": CONTACT}
    for act in (world.start_other_journey.start, world.stop_other_journey.stop):
        with pytest.raises(EnrolmentNotFound):
            act(payload)
