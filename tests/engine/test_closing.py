"""An execution has stopped: its enrolment ends, nothing is owed, and the stream says so."""

from typing import Any

import pytest

from tests.engine.published_journeys import JOURNEY, journey, published
from tests.engine.world import CONTACT, World, event, status_event
from waypost.journeys.enrolment import Enrolment


@pytest.fixture
def world() -> World:
    return World(published=published(journey(re_entry={"kind": "always", "seconds": None, "property": None})))


@pytest.fixture
def enrolment(world: World) -> Enrolment:
    world.route(event("registered", world.clock(), "e-1", coupon="GLOW15"))
    (enrolment,) = world.enrolments
    return enrolment


def stored(world: World, enrolment: Enrolment) -> tuple[str, str | None]:
    now = world.enrolments.load(CONTACT, enrolment.enrolment_id)
    assert now is not None
    return now.status, now.outcome


@pytest.mark.parametrize(
    ("status", "outcome"),
    [("SUCCEEDED", "completed"), ("FAILED", "failed"), ("TIMED_OUT", "timed_out"), ("ABORTED", "aborted")],
)
def test_an_enrolment_ends_as_its_execution_did(world: World, enrolment: Enrolment, status: str, outcome: str) -> None:
    closed = world.close(enrolment, status)
    assert closed == {"enrolment_id": enrolment.enrolment_id, "closed": True, "outcome": outcome}
    assert stored(world, enrolment) == ("ended", outcome)


@pytest.mark.parametrize(
    ("kind", "properties", "outcome"), [("order_placed", {"coupon": "GLOW15"}, "goal"), ("left_us", {}, "exited")]
)
def test_a_journey_that_was_left_ends_as_what_it_was_left_for(
    world: World, enrolment: Enrolment, kind: str, properties: dict[str, Any], outcome: str
) -> None:
    world.route(event(kind, world.clock(), **properties))
    assert world.close(enrolment)["outcome"] == outcome


def test_a_journey_that_failed_on_its_way_out_has_failed(world: World, enrolment: Enrolment) -> None:
    world.route(event("left_us", world.clock()))
    assert world.close(enrolment, "FAILED")["outcome"] == "failed"


def test_the_stream_hears_of_it_once(world: World, enrolment: Enrolment) -> None:
    world.close(enrolment)
    world.clock.advance(minutes=1)
    assert world.close(enrolment) == {"enrolment_id": enrolment.enrolment_id, "closed": False}
    (said,) = world.queue.events.values()
    assert (said.type, said.contact, said.correlation_id) == ("journey_ended", {"contact_id": CONTACT}, "r-1")
    assert said.properties == {
        "journey": JOURNEY,
        "outcome": "completed",
        "enrolment_id": enrolment.enrolment_id,
    }
    assert said.is_our_own
    assert world.route(said).contact_id == CONTACT


def test_an_execution_that_was_stopped_leaves_no_schedule_and_no_debt(world: World, enrolment: Enrolment) -> None:
    world.park(enrolment, {"for": "2d"})
    world.close(enrolment, "ABORTED")
    assert len(world.schedules) == 0
    world.clock.advance(days=3)
    assert world.sweep().overdue_pauses == 0


def test_after_the_end_the_contact_may_come_back(world: World, enrolment: Enrolment) -> None:
    assert world.route(event("registered", world.clock(), "e-2")).decisions[0]["reason"] == "already_in_journey"
    world.close(enrolment)
    assert world.route(event("registered", world.clock(), "e-3")).decisions[0]["reason"] == "enrolled"


def test_an_execution_of_nobody_closes_nothing(world: World) -> None:
    stranger = World().have_enrolment()
    assert world.closer.close(status_event(stranger, "SUCCEEDED")) == {
        "enrolment_id": stranger.enrolment_id,
        "closed": False,
    }
    assert world.queue.events == {}


@pytest.mark.parametrize("given", ['{"file": "imports/customers.csv"}', None])
def test_the_end_of_an_operation_closes_nothing(world: World, enrolment: Enrolment, given: str | None) -> None:
    ended = status_event(enrolment, "SUCCEEDED")
    closed = world.closer.close({**ended, "detail": {**ended["detail"], "input": given}})
    assert closed["closed"] is False
    assert stored(world, enrolment)[0] == "active"
