"""What an event does to the journeys under way."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.fakes.effects import Crash
from tests.fakes.published_journeys import JOURNEY, journey, published
from tests.fakes.world import CONTACT, World, event
from waypost import ids
from waypost.clock import parse_instant
from waypost.journeys.enrolment import Enrolment, TriggerEvent

ANSWER = {"event": "survey_answered"}


def happens(world: World, kind: str, event_id: str = "", after: float = 1, **properties: Any) -> list[Any]:
    """Route an event some hours later; gives what it did to journeys under way."""
    world.clock.advance(hours=after)
    routed = world.route(event(kind, world.clock(), event_id, **properties))
    return [each["effect"] for each in routed.decisions if "effect" in each]


def test_the_event_a_pause_waits_for_ends_it(world: World, enrolment: Enrolment) -> None:
    pause = world.park(enrolment, {"for": "9d", "or": ANSWER})
    assert happens(world, "survey_answered", "e-1", interest="beauty") == ["resumed"]
    assert world.answers[pause]["event"]["properties"] == {"interest": "beauty"}
    assert len(world.machines) == 1


def test_other_events_end_nothing(world: World, enrolment: Enrolment) -> None:
    pause = world.park(enrolment, {"for": "9d", "or": ANSWER})
    assert happens(world, "page_viewed") == []
    assert pause not in world.answers


def test_a_pause_may_be_correlated_with_what_started_the_journey(world: World, enrolment: Enrolment) -> None:
    where = {"property": "coupon", "equals_trigger": "coupon"}
    pause = world.park(enrolment, {"for": "9d", "or": {"event": "coupon_used", "where": where}})
    assert happens(world, "coupon_used", coupon="OTHER") == []
    assert happens(world, "coupon_used", coupon="GLOW15") == ["resumed"]
    assert world.answers[pause]["outcome"] == "event"


def test_the_shorthand_asks_for_a_property_even_if_a_condition_is_called_so(world: World, enrolment: Enrolment) -> None:
    click = {"event": "message_clicked", "where": {"journey": JOURNEY}}
    pause = world.park(enrolment, {"for": "9d", "or": click})
    assert happens(world, "message_clicked", journey="another") == []
    assert happens(world, "message_clicked", journey=JOURNEY) == ["resumed"]
    assert world.answers[pause]["outcome"] == "event"


def test_the_first_event_wins_and_later_ones_are_harmless(world: World, enrolment: Enrolment) -> None:
    pause = world.park(enrolment, {"for": "9d", "or": ANSWER})
    happens(world, "survey_answered", "e-1")
    assert happens(world, "survey_answered", "e-2") == []
    assert world.answers[pause]["event"]["id"] == "e-1"


def test_an_event_after_the_time_is_harmless(world: World, enrolment: Enrolment) -> None:
    pause = world.park(enrolment, {"for": "2d", "or": ANSWER})
    world.fire_next()
    assert happens(world, "survey_answered") == []
    assert world.answers[pause] == {"outcome": "elapsed"}


def test_an_event_older_than_the_journey_is_none_of_its_business(world: World, enrolment: Enrolment) -> None:
    pause = world.park(enrolment, {"for": "9d", "or": ANSWER})
    old = event("survey_answered", world.clock() - timedelta(days=1))
    assert world.route(old).decisions == []
    leaving = event("left_us", world.clock() - timedelta(days=1))
    assert world.route(leaving).decisions == []
    assert pause not in world.answers


# Leaving


def test_the_goal_ends_the_body_of_the_journey(world: World, enrolment: Enrolment) -> None:
    pause = world.park(enrolment, {"for": "9d"})
    assert happens(world, "order_placed", "e-order", coupon="GLOW15") == ["goal"]
    outcome = world.answers[pause]
    assert outcome["error"] == "GoalReached"
    assert json.loads(outcome["cause"])["event"]["id"] == "e-order"
    assert len(world.machines) == 1
    left = world.enrolments.load(CONTACT, enrolment.enrolment_id)
    assert left is not None
    assert (left.status, left.outcome) == ("leaving", "goal")


def test_a_goal_is_correlated_with_what_started_the_journey(world: World, enrolment: Enrolment) -> None:
    pause = world.park(enrolment, {"for": "9d"})
    assert happens(world, "order_placed", coupon="OTHER") == []
    assert pause not in world.answers


@pytest.mark.parametrize(("days", "effects"), [(7, ["goal"]), (7.001, [])])
def test_a_goal_counts_within_its_time(world: World, enrolment: Enrolment, days: float, effects: list[str]) -> None:
    world.park(enrolment, {"for": "30d"})
    assert happens(world, "order_placed", after=days * 24, coupon="GLOW15") == effects


def test_a_goal_without_a_time_counts_always() -> None:
    goal = {"event": "order_placed", "where": None, "within_seconds": None}
    world = World(published=published(journey(goal=goal)))
    world.have_contact()
    world.park(world.have_enrolment(), {"for": "300d"})
    assert happens(world, "order_placed", after=24 * 200) == ["goal"]


def test_an_exit_event_ends_the_body_under_its_own_name(world: World, enrolment: Enrolment) -> None:
    pause = world.park(enrolment, {"for": "9d"})
    assert happens(world, "left_us") == ["exited"]
    assert world.answers[pause]["error"] == "JourneyExited"


def test_an_event_that_is_both_is_the_goal() -> None:
    both = {"event": "order_placed", "where": None}
    world = World(published=published(journey(goal=both | {"within_seconds": None}, exit_on=[both])))
    world.have_contact()
    world.park(world.have_enrolment(), {"for": "9d"})
    assert happens(world, "order_placed") == ["goal"]


def test_an_exit_beats_the_event_a_pause_waits_for(world: World, enrolment: Enrolment) -> None:
    pause = world.park(enrolment, {"for": "9d", "or": {"event": "left_us"}})
    assert happens(world, "left_us") == ["exited"]
    assert world.answers[pause]["error"] == "JourneyExited"


def test_leaving_cancels_what_was_deferred(world: World, enrolment: Enrolment) -> None:
    world.clock.set("2027-03-01T23:30:00+08:00")
    key = world.send(enrolment, "welcome").message_key
    world.park(enrolment, {"for": "9d"})
    assert happens(world, "left_us", after=0.1) == ["exited"]
    assert [each.function for each in world.schedules.booked.values()] == ["resume_journey"]
    row = world.ledger[key]
    assert (row.state, row.decisions[-1].reason) == ("skipped", "left_journey")
    assert row.decisions[-1].local_time == "2027-03-01T23:36:00+08:00"


def test_leaving_again_does_not_cancel_what_follows_the_exit(world: World, enrolment: Enrolment) -> None:
    """A router that is repeated late must not drop the message that the exit itself deferred."""
    world.clock.set("2027-03-01T23:30:00+08:00")
    world.park(enrolment, {"for": "9d"})
    left = event("left_us", world.clock())
    world.effects.crash_on = "history.mark_routed"
    with pytest.raises(Crash):
        world.route_events.route(left)
    key = world.send(enrolment, "reminder", after_exit=True).message_key
    assert world.ledger[key].state == "deferred"
    world.route(left)
    assert world.ledger[key].state == "deferred"
    world.fire_next()
    assert world.ledger[key].state == "accepted"


def test_who_has_left_is_resumed_by_nothing(world: World, enrolment: Enrolment) -> None:
    world.park(enrolment, {"for": "9d", "or": ANSWER})
    happens(world, "left_us")
    assert happens(world, "survey_answered") == []
    assert happens(world, "order_placed", coupon="GLOW15") == []
    left = world.enrolments.load(CONTACT, enrolment.enrolment_id)
    assert left is not None
    assert left.outcome == "exited"


def test_a_journey_whose_hop_runs_is_left_at_its_next_pause(world: World, enrolment: Enrolment) -> None:
    assert happens(world, "left_us") == ["exited"]
    assert len(world.machines) == 0
    assert world.answers[world.park(enrolment, {"for": "9d"})]["error"] == "JourneyExited"


def test_each_journey_of_a_contact_is_signalled_and_no_other_contacts(world: World) -> None:
    world = World(published=published(journey(), journey("members", exit_on=[], goal=None)))
    world.have_contact()
    world.have_contact("c-other", identities={})
    mine = world.park(world.have_enrolment(), {"for": "9d"})
    members = world.have_enrolment(journey="members", enrolment_id=ids.enrolment_id("members", CONTACT, "once"))
    theirs = world.park(members, {"for": "9d"})
    others = world.park(world.have_enrolment("c-other"), {"for": "9d"})
    assert happens(world, "left_us") == ["exited"]
    assert [pause in world.answers for pause in (mine, theirs, others)] == [True, False, False]


def test_a_journey_that_is_published_no_more_still_resumes(world: World) -> None:
    enrolment = world.have_enrolment(journey="retired", enrolment_id="n-retired")
    pause = world.park(enrolment, {"for": "9d", "or": ANSWER})
    assert happens(world, "left_us") == []
    assert happens(world, "survey_answered") == ["resumed"]
    assert world.answers[pause]["outcome"] == "event"


def test_the_event_that_starts_a_journey_neither_resumes_nor_leaves_it() -> None:
    world = World(published=published(journey(exit_on=[{"event": "registered", "where": None}])))
    started = event("registered", world.clock(), "e-1")
    world.route(started)
    (enrolment,) = world.enrolments
    assert enrolment.trigger == TriggerEvent("e-1", "registered", started.occurred_at, {})
    pause = world.park(enrolment, {"for": "9d", "or": {"event": "registered"}})
    world.route(started)
    assert pause not in world.answers
    assert happens(world, "registered", "e-2") == ["exited"]
    assert enrolment.journey == JOURNEY


# A date or a zone changes while the contact waits


def changes(world: World, after: float = 1, *, event_id: str = "", at: datetime | None = None, **traits: Any) -> None:
    """Route an ``identified`` event with these traits, some hours later; ``at`` is when its sender says it happened."""
    world.clock.advance(hours=after)
    happened = at or world.clock()
    world.route(event("identified", happened, event_id or f"e-{happened}", contact={"user_id": "u-1"}, profile=traits))


TRIAL = {"until": {"date": "trial_ends_at", "days": -1, "at": "10:00"}}


def waiting(ends: str = "2027-03-07T06:00:00+08:00", spec: Any = TRIAL) -> tuple[World, Enrolment, str]:
    world = World()
    world.have_contact(attributes={"trial_ends_at": ends})
    enrolment = world.have_enrolment()
    return world, enrolment, world.park(enrolment, spec)


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ("2027-03-17T06:00:00+08:00", "2027-03-16T10:00:00+08:00"),
        ("2027-03-05T06:00:00+08:00", "2027-03-04T10:00:00+08:00"),
        ("2027-03-04T22:00:00-05:00", "2027-03-04T10:00:00+08:00"),
        ("2027-03-04", "2027-03-03T10:00:00+08:00"),
    ],
)
def test_a_date_that_changes_moves_the_end_of_the_pause(ends: str, expected: str) -> None:
    world, enrolment, pause = waiting()
    changes(world, trial_ends_at=ends)
    row = world.stored(enrolment)
    assert row.pause is not None
    assert row.due_at == row.pause.due_at == parse_instant(expected)
    while pause not in world.answers:
        world.fire_next()
    assert (world.clock(), world.answers[pause]) == (parse_instant(expected), {"outcome": "elapsed"})


def test_a_date_that_changes_back_and_forth_ends_where_it_was_put_last() -> None:
    world, _, pause = waiting()
    for day in ("2027-03-17", "2027-03-04", "2027-03-09"):
        changes(world, trial_ends_at=day)
    while pause not in world.answers:
        world.fire_next()
    assert world.clock() == parse_instant("2027-03-08T10:00:00+08:00")
    assert len(world.machines) == 1


@pytest.mark.parametrize("traits", [{"trial_ends_at": "2027-03-01"}, {"trial_ends_at": "2027-03-02"}])
def test_a_date_that_moves_into_the_past_ends_the_pause_as_past(traits: dict[str, Any]) -> None:
    world, enrolment, pause = waiting()
    changes(world, after=3, **traits)
    assert world.answers[pause] == {"outcome": "past"}
    assert [past.end for past in world.stored(enrolment).trail] == ["past"]
    assert len(world.machines) == 1


@pytest.mark.parametrize("value", [None, "never"])
def test_a_date_that_is_taken_away_ends_the_pause_without_date(value: str | None) -> None:
    world, _, pause = waiting()
    changes(world, trial_ends_at=value)
    assert world.answers[pause] == {"outcome": "no_date"}


@pytest.mark.parametrize(
    ("until", "day"),
    [
        ({"date": "trial_ends_at", "days": -1}, 6),
        ({"anniversary": "trial_ends_at", "days": -1}, 6),
        ({"day": 7}, 6),  # the journey began on 28 February there
    ],
)
def test_who_moves_is_reached_at_that_time_of_the_new_place(until: dict[str, Any], day: int) -> None:
    world, _, pause = waiting("2027-03-07", {"until": {**until, "at": "10:00"}})
    changes(world, timezone="America/New_York")
    while pause not in world.answers:
        world.fire_next()
    assert world.clock() == parse_instant(f"2027-03-0{day}T10:00:00-05:00")


def test_an_event_dated_before_the_journey_moves_it_too() -> None:
    world, enrolment, _ = waiting()
    changes(world, at=world.clock() - timedelta(hours=2), trial_ends_at="2027-03-17")
    assert world.stored(enrolment).due_at == parse_instant("2027-03-16T10:00:00+08:00")


def test_a_date_that_changes_while_the_hop_parks_is_not_missed(world: World) -> None:
    world.have_contact(attributes={"trial_ends_at": "2027-03-07"})
    enrolment = world.have_enrolment()
    moved = event(
        "identified", world.clock(), "e-1", contact={"user_id": "u-1"}, profile={"trial_ends_at": "2027-03-17"}
    )
    world.effects.meanwhile["enrolments.save"] = lambda: world.route(moved)
    world.park(enrolment, TRIAL)
    assert world.stored(enrolment).due_at == parse_instant("2027-03-16T10:00:00+08:00")


def test_what_does_not_change_the_time_writes_nothing(world: World) -> None:
    world, enrolment, _ = waiting()
    before = world.stored(enrolment)
    changes(world, first_name="Lin")
    happens(world, "page_viewed")
    assert world.stored(enrolment) == before
    assert len(world.schedules) == 1
