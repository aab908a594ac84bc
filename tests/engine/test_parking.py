"""A journey is parked: until when, and what happened just before the token was written."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.engine.world import CONTACT, World, event, task_payload
from waypost import ids
from waypost.clock import parse_instant
from waypost.errors import ContactNotFound, EnrolmentNotFound, InvalidInput, TemporarilyUnavailable
from waypost.journeys.enrolment import Enrolment, TriggerEvent
from waypost.journeys.signalling import schedule_name

ELAPSED = {"outcome": "elapsed"}
ANSWER = {"event": "survey_answered", "where": {"property": "interest", "equals": "beauty"}}


@pytest.fixture
def world() -> World:
    world = World()
    world.have_contact()
    return world


@pytest.fixture
def enrolment(world: World) -> Enrolment:
    return world.have_enrolment()


def answered(world: World, event_id: str = "e-answer", **properties: Any) -> None:
    world.route(event("survey_answered", world.clock(), event_id, **{"interest": "beauty", **properties}))


def test_a_pause_is_stored_with_its_token_and_its_schedule_is_booked(world: World, enrolment: Enrolment) -> None:
    token = world.park(enrolment, {"until": {"day": 3, "at": "10:00"}}, "Until day 3")
    (pause,) = world.pauses
    assert (pause.token, pause.status, pause.state) == (token, "waiting", "Until day 3")
    assert pause.due_at == parse_instant("2027-03-03T10:00:00+08:00")
    booking = world.schedules.booked[schedule_name(pause)]
    assert (booking.at, booking.function) == (pause.due_at, "resume_journey")
    assert booking.payload == pause.reference()
    assert token not in world.tokens


def test_the_answer_says_how_it_is_parked(world: World, enrolment: Enrolment) -> None:
    payload = task_payload(enrolment, "Until later", token="token-1", **{"for": "2d"})
    assert world.parker.park(payload) == {
        "pause_id": ids.pause_id(enrolment.enrolment_id, "Until later", 1),
        "status": "waiting",
        "due_at": "2027-03-03T02:00:00.000Z",
    }


def test_a_contact_without_a_zone_lives_in_the_default_one(world: World, enrolment: Enrolment) -> None:
    world.have_contact("c-berlin", attributes={"timezone": "Europe/Berlin"}, identities={})
    elsewhere = world.have_enrolment("c-berlin")
    for each in (enrolment, elsewhere):
        world.park(each, {"until": {"at": "18:00"}})
    assert sorted(pause.due_at.isoformat() for pause in world.pauses) == [
        "2027-03-01T10:00:00+00:00",
        "2027-03-01T17:00:00+00:00",
    ]


def test_a_time_that_is_over_elapses_at_once(world: World, enrolment: Enrolment) -> None:
    token = world.park(enrolment, {"until": {"day": 1, "at": "09:00"}})
    assert world.tokens[token] == ELAPSED
    assert len(world.schedules) == 0
    assert [pause.signalled for pause in world.pauses] == [True]


def test_a_pause_counts_from_a_deferred_message(world: World, enrolment: Enrolment) -> None:
    world.enrolments.hold_until(CONTACT, enrolment.enrolment_id, world.clock() + timedelta(hours=9))
    world.park(enrolment, {"for": "2h"})
    (pause,) = world.pauses
    assert pause.due_at == world.clock() + timedelta(hours=11)


def test_rounds_of_a_loop_are_pauses_of_their_own(world: World, enrolment: Enrolment) -> None:
    for occurrence in (1, 2, 2):
        world.park(enrolment, {"for": "2d", "occurrence": occurrence})
    assert len(list(world.pauses)) == 2


# Parked again


def test_a_retry_keeps_the_first_time_and_the_newest_token_is_told(world: World, enrolment: Enrolment) -> None:
    first = world.park(enrolment, {"for": "2d"})
    world.clock.advance(hours=1)
    second = world.park(enrolment, {"for": "2d"})
    assert len(world.schedules) == 1
    world.fire_next()
    assert world.clock() == parse_instant("2027-03-03T02:00:00Z")
    assert world.tokens[second] == ELAPSED
    assert first not in world.tokens


def test_a_pause_that_is_over_answers_a_replay_with_its_new_token(world: World, enrolment: Enrolment) -> None:
    world.park(enrolment, {"for": "2d", "or": ANSWER})
    answered(world)
    token = world.park(enrolment, {"for": "2d", "or": ANSWER})
    assert world.tokens[token]["event"]["id"] == "e-answer"
    assert len(world.schedules) == 0


# Just before the token was written


def test_an_event_that_came_just_before_ends_the_pause(world: World, enrolment: Enrolment) -> None:
    answered(world)
    token = world.park(enrolment, {"for": "2d", "or": ANSWER})
    assert world.tokens[token] == {
        "outcome": "event",
        "event": {
            "id": "e-answer",
            "type": "survey_answered",
            "occurred_at": "2027-03-01T02:00:00.000Z",
            "properties": {"interest": "beauty"},
        },
    }
    assert len(world.schedules) == 0


@pytest.mark.parametrize("effect", ["pauses.park", "schedules.resume_at"])
def test_an_event_that_comes_while_the_pause_is_being_written_ends_it(effect: str) -> None:
    """Whoever comes second, router or parker, sees the other."""
    world = World()
    world.have_contact()
    enrolment = world.have_enrolment()
    world.effects.meanwhile[effect] = lambda: answered(world)
    token = world.park(enrolment, {"for": "2d", "or": ANSWER})
    assert world.tokens[token]["outcome"] == "event"


@pytest.mark.parametrize("effect", ["pauses.park", "schedules.resume_at"])
def test_a_journey_that_is_left_while_the_pause_is_being_written_is_left(effect: str) -> None:
    world = World()
    world.have_contact()
    enrolment = world.have_enrolment()
    world.effects.meanwhile[effect] = lambda: world.route(event("left_us", world.clock()))
    token = world.park(enrolment, {"for": "2d"})
    assert world.tokens[token]["error"] == "JourneyExited"
    while len(world.schedules):
        world.fire_next()
    assert len(world.tokens.ended) == 1


def test_a_journey_that_is_being_left_does_not_park(world: World, enrolment: Enrolment) -> None:
    world.route(event("order_placed", world.clock(), "e-order", coupon="GLOW15"))
    token = world.park(enrolment, {"for": "2d"})
    outcome = world.tokens[token]
    assert outcome["error"] == "GoalReached"
    assert json.loads(outcome["cause"])["event"]["id"] == "e-order"
    assert len(world.schedules) == 0


def test_a_journey_that_is_being_left_is_left_even_if_its_time_is_over(world: World, enrolment: Enrolment) -> None:
    world.route(event("left_us", world.clock()))
    token = world.park(enrolment, {"until": {"day": 1, "at": "09:00"}})
    assert world.tokens[token]["error"] == "JourneyExited"


@pytest.mark.parametrize("properties", [{"interest": "sport"}, {"interest": None}], ids=["other_value", "no_value"])
def test_an_event_that_does_not_match_ends_nothing(
    world: World, enrolment: Enrolment, properties: dict[str, Any]
) -> None:
    answered(world, **properties)
    assert world.park(enrolment, {"for": "2d", "or": ANSWER}) not in world.tokens


def test_the_event_that_started_the_journey_ends_none_of_its_pauses(world: World, enrolment: Enrolment) -> None:
    trigger = TriggerEvent("e-1", "survey_answered", world.clock(), {"interest": "beauty"})
    world.have_enrolment(trigger=trigger)
    answered(world, "e-1")
    assert world.park(enrolment, {"for": "2d", "or": ANSWER}) not in world.tokens


def test_an_event_from_before_the_journey_ends_none_of_its_pauses(world: World) -> None:
    answered(world)
    world.clock.advance(hours=1)
    enrolment = world.have_enrolment()
    assert world.park(enrolment, {"for": "2d", "or": ANSWER}) not in world.tokens


def test_an_event_from_before_the_last_pause_is_over_and_done(world: World, enrolment: Enrolment) -> None:
    world.park(enrolment, {"for": "1d"}, "First")
    world.clock.advance(hours=1)
    answered(world)
    world.fire_next()
    assert world.park(enrolment, {"for": "1d", "or": ANSWER}, "Second") not in world.tokens


def test_one_event_does_not_run_through_two_pauses_in_a_row(world: World, enrolment: Enrolment) -> None:
    first = world.park(enrolment, {"for": "1d", "or": ANSWER}, "First")
    answered(world)
    assert world.tokens[first]["outcome"] == "event"
    second = world.park(enrolment, {"for": "1d", "or": ANSWER}, "Second")
    assert second not in world.tokens
    answered(world, "e-again")
    assert world.tokens[second]["event"]["id"] == "e-again"


def test_two_pauses_side_by_side_both_hear_the_event(world: World, enrolment: Enrolment) -> None:
    left = world.park(enrolment, {"for": "1d", "or": ANSWER}, "Left branch")
    right = world.park(enrolment, {"for": "1d", "or": ANSWER}, "Right branch")
    answered(world)
    assert [world.tokens[token]["outcome"] for token in (left, right)] == ["event", "event"]


# What cannot be parked


def test_what_is_no_pause_fails_its_task_by_name(world: World, enrolment: Enrolment) -> None:
    payload = task_payload(enrolment, "Until later", token="token-1", until={"someday": True})
    with pytest.raises(InvalidInput):
        world.parker.park(payload)
    assert world.tokens["token-1"]["error"] == "InvalidInput"
    assert list(world.pauses) == []


def test_a_contact_without_the_date_fails_the_task(world: World, enrolment: Enrolment) -> None:
    payload = task_payload(enrolment, "Until later", token="token-1", until={"date": "birthday", "at": "09:00"})
    with pytest.raises(InvalidInput):
        world.parker.park(payload)
    assert "birthday" in world.tokens["token-1"]["cause"]


def test_nobody_cannot_be_parked(world: World, enrolment: Enrolment) -> None:
    stranger = replace(enrolment, contact_id="c-nobody")
    with pytest.raises(ContactNotFound):
        world.parker.park(task_payload(stranger, "Until later", token="token-1", **{"for": "1d"}))
    unknown = replace(enrolment, enrolment_id="n-unknown")
    with pytest.raises(EnrolmentNotFound):
        world.parker.park(task_payload(unknown, "Until later", token="token-2", **{"for": "1d"}))
    assert [outcome["error"] for outcome in world.tokens.ended.values()] == ["ContactNotFound", "EnrolmentNotFound"]


def test_a_passing_failure_is_told_by_name_so_that_the_state_is_tried_again(world: World, enrolment: Enrolment) -> None:
    world.effects.crash_at, world.effects.mode = 0, "refused"
    with pytest.raises(TemporarilyUnavailable):
        world.parker.park(task_payload(enrolment, "Until later", token="token-1", **{"for": "1d"}))
    assert world.tokens["token-1"]["error"] == "TemporarilyUnavailable"
