"""A journey is parked: until when, and what happened just before the row was written."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.effects import Crash, CrashMode
from tests.fakes.world import CONTACT, World, event, pause_payload, send_request, task_payload
from waypost import ids
from waypost.clock import parse_instant
from waypost.errors import (
    ContactNotFound,
    EnrolmentNotFound,
    HopSuperseded,
    InvalidInput,
    TemporarilyUnavailable,
)
from waypost.journeys.enrolment import Enrolment, TriggerEvent
from waypost.journeys.sweep_journeys import SweepReport

ELAPSED = {"outcome": "elapsed"}
ANSWER = {"event": "survey_answered", "where": {"property": "interest", "equals": "beauty"}}


def answered(world: World, event_id: str = "e-answer", **properties: Any) -> None:
    world.route(event("survey_answered", world.clock(), event_id, **{"interest": "beauty", **properties}))


def test_a_parked_contact_is_its_row_and_a_timer_is_booked(world: World, enrolment: Enrolment) -> None:
    parked = world.park(enrolment, {"until": {"day": 3, "at": "10:00"}}, "Until day 3")
    row = world.stored(enrolment)
    assert row.pause is not None
    assert (row.position, row.pause.pause_id, row.pause.state) == ("parked", parked, "Until day 3")
    assert row.due_at == row.pause.due_at == parse_instant("2027-03-03T10:00:00+08:00")
    (booking,) = world.schedules.booked.values()
    assert (booking.at, booking.function) == (row.due_at, "resume_journey")
    assert booking.payload == {"minute": "2027-03-03T02:00:00.000Z", "shard": ids.shard_of(CONTACT, 16)}
    assert parked not in world.answers


def test_a_hop_learns_that_its_contact_is_parked(world: World, enrolment: Enrolment) -> None:
    assert world.pause_journey.ask(pause_payload(enrolment, "Until later", **{"for": "2d"})) == {"status": "parked"}


def test_contacts_of_one_shard_who_wait_for_the_same_minute_share_a_timer(world: World) -> None:
    for number in range(40):
        contact = f"c-{number}"
        world.have_contact(contact, identities={})
        world.park(world.have_enrolment(contact), {"until": {"day": 3, "at": "10:00"}})
    assert len(world.schedules) == len({ids.shard_of(f"c-{number}", 16) for number in range(40)})


def test_a_pause_that_ends_before_the_index_may_show_it_gets_a_second_timer(world: World, enrolment: Enrolment) -> None:
    world.clock.set("2027-03-01T02:00:55Z")
    world.park(enrolment, {"for": "5s"})
    minutes = ["2027-03-01T02:01:00Z", "2027-03-01T02:02:00Z"]
    assert sorted(each.at for each in world.schedules.booked.values()) == [parse_instant(each) for each in minutes]


def test_a_contact_without_a_zone_lives_in_the_default_one(world: World, enrolment: Enrolment) -> None:
    world.have_contact("c-berlin", attributes={"timezone": "Europe/Berlin"}, identities={})
    elsewhere = world.have_enrolment("c-berlin")
    for each in (enrolment, elsewhere):
        world.park(each, {"until": {"at": "18:00"}})
    assert sorted(each.due_at.isoformat() for each in world.enrolments) == [
        "2027-03-01T10:00:00+00:00",
        "2027-03-01T17:00:00+00:00",
    ]


def test_a_time_that_is_over_elapses_at_once(world: World, enrolment: Enrolment) -> None:
    pause = world.park(enrolment, {"until": {"day": 1, "at": "09:00"}})
    assert world.answers[pause] == ELAPSED
    assert len(world.schedules) == 0
    assert world.stored(enrolment).position == "running"


def test_a_pause_counts_from_a_deferred_message(world: World, enrolment: Enrolment) -> None:
    world.enrolments.hold_until(CONTACT, enrolment.enrolment_id, world.clock() + timedelta(hours=9))
    world.park(enrolment, {"for": "2h"})
    assert world.stored(enrolment).due_at == world.clock() + timedelta(hours=11)


def test_rounds_of_a_loop_are_pauses_of_their_own(world: World, enrolment: Enrolment) -> None:
    for occurrence in (1, 2):
        parked = world.park(enrolment, {"for": "2d", "occurrence": occurrence})
        assert parked not in world.answers
        world.fire_next()
        assert world.answers[parked] == ELAPSED
    assert [past.occurrence for past in world.stored(enrolment).trail] == [1, 2]


# Asked again


def test_a_retry_keeps_the_first_time(world: World, enrolment: Enrolment) -> None:
    parked = world.park(enrolment, {"for": "2d"})
    world.clock.advance(hours=1)
    world.park(enrolment, {"for": "2d"})
    assert len(world.schedules) == 1
    world.fire_next()
    assert world.clock() == parse_instant("2027-03-03T02:00:00Z")
    assert world.answers[parked] == ELAPSED


@pytest.mark.parametrize("mode", ["before", "after"])
def test_nobody_is_parked_without_a_timer(mode: CrashMode) -> None:
    world = World()
    world.have_contact()
    enrolment = world.have_enrolment()
    world.effects.crash_on, world.effects.mode = "schedules.resume_at", mode
    with pytest.raises(Crash):
        world.pause_journey.ask(pause_payload(enrolment, "Until later", **{"for": "2d"}))
    assert world.stored(enrolment).position == "running"
    world.park(enrolment, {"for": "2d"})
    assert (world.stored(enrolment).position, len(world.schedules)) == ("parked", 1)


def resumed(world: World, enrolment: Enrolment) -> Enrolment:
    """The contact has parked and its Pause is over; the next hop is given out."""
    world.park(enrolment, {"for": "2d", "or": ANSWER})
    answered(world)
    return world.stored(enrolment)


def test_the_hop_that_goes_on_gets_the_answer_again_and_again(world: World, enrolment: Enrolment) -> None:
    hop = resumed(world, enrolment)
    asks = pause_payload(hop, "Until later", **{"for": "2d", "or": ANSWER})
    for _ in range(2):
        answer = world.pause_journey.ask(asks)
        assert (answer["status"], answer["result"]["event"]["id"]) == ("over", "e-answer")


def test_a_doubled_hop_is_parked_and_changes_nothing(world: World, enrolment: Enrolment) -> None:
    hop = resumed(world, enrolment)
    world.pause_journey.ask(pause_payload(hop, "Until later", **{"for": "2d"}))
    before = world.stored(enrolment)
    for state in ("Until later", "The next one"):
        assert world.pause_journey.ask(pause_payload(hop, state, 1, **{"for": "2d"})) == {"status": "parked"}
    assert world.stored(enrolment) == before


def test_a_first_hop_is_taken_once(world: World) -> None:
    world.route(event("registered", world.clock(), "e-1"))
    (given,) = world.enrolments
    answers = [world.pause_journey.ask(task_payload(given, "Begin", double, begin=True)) for double in (0, 1, 0)]
    assert [answer["status"] for answer in answers] == ["over", "parked", "over"]


def test_a_hop_that_was_given_out_again_refuses_the_one_before(world: World, enrolment: Enrolment) -> None:
    hop = resumed(world, enrolment)
    world.pause_journey.ask(pause_payload(hop, "Until later", **{"for": "2d"}))
    world.clock.advance(hours=1)
    assert world.sweep() == SweepReport(lost_hops=1)
    again = world.stored(enrolment)
    assert world.pause_journey.ask(pause_payload(hop, "The next one", **{"for": "2d"})) == {"status": "parked"}
    with pytest.raises(HopSuperseded):
        world.send_message.send(send_request(hop, "welcome", state="welcome"))
    with pytest.raises(HopSuperseded):
        world.update_contact.update(task_payload(hop, "Tag", add_tags=["new"]))
    with pytest.raises(HopSuperseded):
        world.evaluate_segment.evaluate(task_payload(hop, "Ask", rule={"tag": "new"}))
    assert world.close_enrolment.close(task_payload(hop, "Close", outcome="failed"))["closed"] is False
    assert world.email.sent == []
    answer = world.pause_journey.ask(pause_payload(again, "Until later", **{"for": "2d"}))
    assert answer["result"]["event"]["id"] == "e-answer"
    assert world.send(again, "welcome").outcome == "sent"


def test_a_hop_does_not_park_at_a_pause_that_is_past(world: World, enrolment: Enrolment) -> None:
    world.park(enrolment, {"until": {"day": 1, "at": "09:00"}}, "First")
    world.park(enrolment, {"until": {"day": 1, "at": "09:30"}}, "Second")
    late = pause_payload(world.stored(enrolment), "First", until={"day": 1, "at": "09:00"})
    assert world.pause_journey.ask(late) == {"status": "parked"}
    assert [past.state for past in world.stored(enrolment).trail] == ["First", "Second"]


# Just before the row was written


def test_an_event_that_came_just_before_ends_the_pause(world: World, enrolment: Enrolment) -> None:
    answered(world)
    pause = world.park(enrolment, {"for": "2d", "or": ANSWER})
    assert world.answers[pause] == {
        "outcome": "event",
        "event": {
            "id": "e-answer",
            "type": "survey_answered",
            "occurred_at": "2027-03-01T02:00:00.000Z",
            "properties": {"interest": "beauty"},
        },
    }
    assert len(world.schedules) == 0


@pytest.mark.parametrize("effect", ["enrolments.save", "schedules.resume_at"])
def test_an_event_that_comes_while_the_pause_is_being_written_ends_it(effect: str) -> None:
    """Whichever comes second, the router or PauseJourney, sees the other."""
    world = World()
    world.have_contact()
    enrolment = world.have_enrolment()
    world.effects.meanwhile[effect] = lambda: answered(world)
    pause = world.park(enrolment, {"for": "2d", "or": ANSWER})
    assert world.answers[pause]["outcome"] == "event"


def test_a_hop_that_comes_late_finds_the_event_that_came_before_the_time(world: World, enrolment: Enrolment) -> None:
    answered(world)
    world.clock.advance(days=3)
    pause = world.park(enrolment, {"until": {"day": 3, "at": "10:00"}, "or": ANSWER})
    assert world.answers[pause]["outcome"] == "event"


def test_a_hop_that_comes_late_passes_an_event_that_came_after_the_time(world: World, enrolment: Enrolment) -> None:
    world.clock.advance(days=3)
    answered(world)
    pause = world.park(enrolment, {"until": {"day": 3, "at": "10:00"}, "or": ANSWER})
    assert world.answers[pause] == ELAPSED


@pytest.mark.parametrize("effect", ["enrolments.save", "schedules.resume_at"])
def test_a_journey_that_is_left_while_the_pause_is_being_written_is_left(effect: str) -> None:
    world = World()
    world.have_contact()
    enrolment = world.have_enrolment()
    world.effects.meanwhile[effect] = lambda: world.route(event("left_us", world.clock()))
    pause = world.park(enrolment, {"for": "2d"})
    assert world.answers[pause]["error"] == "JourneyExited"
    while len(world.schedules):
        world.fire_next()
    assert [past.end for past in world.stored(enrolment).trail] == ["left"]


def test_a_journey_that_is_being_left_does_not_park(world: World, enrolment: Enrolment) -> None:
    world.route(event("order_placed", world.clock(), "e-order", coupon="GLOW15"))
    pause = world.park(enrolment, {"for": "2d"})
    outcome = world.answers[pause]
    assert outcome["error"] == "GoalReached"
    assert json.loads(outcome["cause"])["event"]["id"] == "e-order"
    assert len(world.schedules) == 0


def test_a_journey_that_is_being_left_is_left_even_if_its_time_is_over(world: World, enrolment: Enrolment) -> None:
    world.route(event("left_us", world.clock()))
    pause = world.park(enrolment, {"until": {"day": 1, "at": "09:00"}})
    assert world.answers[pause]["error"] == "JourneyExited"


@pytest.mark.parametrize("properties", [{"interest": "sport"}, {"interest": None}], ids=["other_value", "no_value"])
def test_an_event_that_does_not_match_ends_nothing(
    world: World, enrolment: Enrolment, properties: dict[str, Any]
) -> None:
    answered(world, **properties)
    assert world.park(enrolment, {"for": "2d", "or": ANSWER}) not in world.answers


def test_the_event_that_started_the_journey_ends_none_of_its_pauses(world: World, enrolment: Enrolment) -> None:
    trigger = TriggerEvent("e-1", "survey_answered", world.clock(), {"interest": "beauty"})
    world.have_enrolment(trigger=trigger)
    answered(world, "e-1")
    assert world.park(enrolment, {"for": "2d", "or": ANSWER}) not in world.answers


def test_an_event_from_before_the_journey_ends_none_of_its_pauses(world: World) -> None:
    answered(world)
    world.clock.advance(hours=1)
    enrolment = world.have_enrolment()
    assert world.park(enrolment, {"for": "2d", "or": ANSWER}) not in world.answers


def test_an_event_from_before_the_last_pause_is_over_and_done(world: World, enrolment: Enrolment) -> None:
    world.park(enrolment, {"for": "1d"}, "First")
    world.clock.advance(hours=1)
    answered(world)
    world.fire_next()
    assert world.park(enrolment, {"for": "1d", "or": ANSWER}, "Second") not in world.answers


def test_one_event_does_not_run_through_two_pauses_in_a_row(world: World, enrolment: Enrolment) -> None:
    first = world.park(enrolment, {"for": "1d", "or": ANSWER}, "First")
    answered(world)
    assert world.answers[first]["outcome"] == "event"
    second = world.park(enrolment, {"for": "1d", "or": ANSWER}, "Second")
    assert second not in world.answers
    answered(world, "e-again")
    assert world.answers[second]["event"]["id"] == "e-again"


# What cannot be parked


def test_what_is_no_pause_is_refused_by_name(world: World, enrolment: Enrolment) -> None:
    with pytest.raises(InvalidInput):
        world.pause_journey.ask(pause_payload(enrolment, "Until later", until={"someday": True}))
    assert world.stored(enrolment).pause is None


@pytest.mark.parametrize(
    "value", [None, "", "soon", "2027-02-29", "05/21", "20270521", 44_000, ["2027-05-21"], "9999-12-31"]
)
@pytest.mark.parametrize("form", ["date", "anniversary"])
def test_a_contact_without_the_date_passes_with_an_outcome_of_its_own(form: str, value: object) -> None:
    world = World()
    world.have_contact(attributes={} if value is None else {"renews_on": value})
    enrolment = world.have_enrolment()
    pause = world.park(enrolment, {"until": {form: "renews_on", "days": 7, "at": "09:00"}})
    if value == "9999-12-31" and form == "anniversary":
        assert world.stored(enrolment).due_at == parse_instant("2028-01-07T09:00:00+08:00")
        return
    assert world.answers[pause] == {"outcome": "no_date"}
    assert [past.end for past in world.stored(enrolment).trail] == ["no_date"]


def test_a_time_before_the_contact_came_passes_as_past(world: World, enrolment: Enrolment) -> None:
    enrolment = world.have_enrolment(
        trigger=TriggerEvent("e-1", "booked", world.clock(), {"starts_at": "2027-03-01T19:00:00+08:00"})
    )
    pause = world.park(enrolment, {"until": {"property": "starts_at", "hours": -24}}, "A day before")
    assert world.answers[pause] == {"outcome": "past"}
    later = world.park(
        world.stored(enrolment), {"until": {"property": "starts_at", "minutes": -90}}, "Before it begins"
    )
    assert later not in world.answers
    world.fire_next()
    assert (world.clock(), world.answers[later]) == (
        parse_instant("2027-03-01T17:30:00+08:00"),
        {"outcome": "elapsed"},
    )


def test_an_event_that_came_before_counts_although_there_is_no_date(world: World, enrolment: Enrolment) -> None:
    answered(world)
    pause = world.park(enrolment, {"until": {"date": "renews_on", "at": "09:00"}, "or": ANSWER})
    assert world.answers[pause]["outcome"] == "event"


def test_nobody_cannot_be_parked(world: World, enrolment: Enrolment) -> None:
    gone = world.have_enrolment("c-nobody")
    with pytest.raises(ContactNotFound):
        world.pause_journey.ask(pause_payload(gone, "Until later", **{"for": "1d"}))
    unknown = replace(enrolment, enrolment_id="n-unknown")
    with pytest.raises(EnrolmentNotFound):
        world.pause_journey.ask(pause_payload(unknown, "Until later", **{"for": "1d"}))


def test_a_passing_failure_is_raised_by_name_so_that_the_state_is_tried_again(
    world: World, enrolment: Enrolment
) -> None:
    world.effects.crash_at, world.effects.mode = 0, "refused"
    with pytest.raises(TemporarilyUnavailable):
        world.pause_journey.ask(pause_payload(enrolment, "Until later", **{"for": "1d"}))
