"""The timeline's order within one instant: what led to something stands above it, however the rows are stored."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reports.test_timeline import PROFILE, Items
from waypost.events.envelope import caused_by_event, caused_by_step
from waypost.journeys.enrolment import LONGEST_TRAIL
from waypost.reports.causal_order import Causes
from waypost.reports.timeline import Entry, timeline

UTC = ZoneInfo("UTC")
AT = "2031-03-04T04:30:00.000Z"
Row = dict[str, Any]


def event(event_id: str, kind: str, *, version: int = 0, cause: str = "", **properties: Any) -> Row:
    source = "waypost" if cause or kind == "journey_ended" else "segment"
    return {
        "sk": f"event#{AT}#{event_id}",
        "type": kind,
        "occurred_at": AT,
        "routed_at": AT,
        "profile_version": version,
        "source": source,
        "cause": cause,
        "properties": properties,
    }


def routed(event_id: str, kind: str, *decisions: Mapping[str, Any]) -> Row:
    return {"sk": f"routed#{event_id}", "routed_at": AT, "event_type": kind, "decisions": list(decisions)}


def message(name: str, *decisions: tuple[str, str], enrolment: str = "n-1", journey: str = "cart") -> Row:
    """``decisions`` are pairs of an outcome and the place of the step."""
    occasion = {
        "kind": "journey_step",
        "contact_id": "c-1",
        "enrolment_id": enrolment,
        "journey": journey,
        "state": name,
    }
    made = [
        {"at": AT, "local_time": AT, "outcome": outcome, "reason": "", "channel": "email", "place": place}
        for outcome, place in decisions
    ]
    key = f"m-{enrolment}-{name}"
    return {"sk": f"message#{key}", "message_key": key, "message": f"{journey}/{name}", "occasion": occasion, "state": "skipped", "decisions": made}  # fmt: skip


def pause(state: str, **fields: Any) -> Row:
    return {"state": state, "parked_at": AT, "due_at": AT, "ended_at": AT, "end": "elapsed", "awaited": "", **fields}


def passage(enrolment: str = "n-1", journey: str = "cart", *, trigger: str = "e-1", **fields: Any) -> Row:
    row = {"sk": f"enrolment#past#{enrolment}", "journey": journey, "enrolled_at": AT, "position": "running"}
    return row | {"trigger": {"id": trigger, "type": "cart_updated"}, "trail": [], **fields}


def listed(*rows: Row) -> list[Entry]:
    return timeline("c-1", Items(PROFILE, *rows), default_zone=UTC)


def titles(*rows: Row) -> list[str]:
    return [entry.title for entry in listed(*rows)]


ENTERED = {"journey": "cart", "reason": "enrolled", "enrolment_id": "n-1"}
GOAL = {"journey": "cart", "effect": "goal", "enrolment_id": "n-1"}

# A whole journey at one instant: two messages and an update around Pauses that are over at once, then the goal, which calls off a
# deferred message. The names sort against the order.
STORY = [
    event("e-1", "cart_updated", version=1),
    routed(
        "e-1", "cart_updated", ENTERED, {"journey": "win-back", "reason": "entry_rule_not_met", "enrolment_id": None}
    ),
    event("e-9", "segment_entered", cause=caused_by_event("e-1"), segment="carts", because="cart_updated"),
    message("z-first", ("sent", "0000/10:00.1")),
    event("e-8", "contact_updated", cause=caused_by_step("n-1", "0000/10:00.2"), by="journey"),
    event("e-7", "tag_added", cause=caused_by_event("e-8"), tag="asked", because="contact_updated"),
    message("y-second", ("sent", "0000/10:00.3")),
    message("x-third", ("deferred", "0001/10:00.4"), ("skipped", "0001/10:00.4")),
    event("e-2", "order_placed", version=5),
    routed("e-2", "order_placed", GOAL),
    message("w-thanks", ("sent", "0002/10:00.5")),
    passage(
        trail=[pause("Two hours"), pause("Until ten", end="left")],
        outcome="goal",
        ended_at=AT,
        left_on={"id": "e-2", "type": "order_placed"},
    ),
    event("a-1", "journey_ended", enrolment_id="n-1", journey="cart"),
]
PAIRS = [
    ("cart_updated", "journey entered"),
    ("cart_updated", "entered segment carts"),
    ("journey entered", "z-first sent"),
    ("z-first sent", "contact_updated"),
    ("contact_updated", "y-second sent"),
    ("contact_updated", "tagged asked"),
    ("y-second sent", "Two hours"),
    ("Two hours", "x-third deferred"),
    ("x-third deferred", "Until ten"),
    ("order_placed", "journey goal"),
    ("journey goal", "Until ten"),
    ("journey goal", "x-third skipped"),
    ("journey goal", "w-thanks sent"),
    ("Until ten", "w-thanks sent"),
    ("w-thanks sent", "journey ended: goal"),
    ("x-third skipped", "journey ended: goal"),
    ("journey ended: goal", "journey_ended"),
]


@given(st.permutations(STORY))
def test_a_story_at_one_instant_is_told_in_the_order_of_cause_and_effect(rows: list[Row]) -> None:
    found = titles(*rows)
    assert [pair for pair in PAIRS if found.index(pair[0]) > found.index(pair[1])] == []
    assert found == titles(*STORY)


@pytest.mark.parametrize("ended", [{"end": "left"}, {"end": "event", "awaited": "order_placed", "event_id": "e-2"}])
def test_a_pause_that_an_event_ended_at_its_very_instant_stands_below_the_event(ended: dict[str, str]) -> None:
    left = (
        {"outcome": "goal", "left_on": {"id": "e-2", "type": "order_placed"}}
        if ended["end"] == "left"
        else {"outcome": "completed"}
    )
    rows = [
        event("e-1", "cart_updated", version=1),
        routed("e-1", "cart_updated", ENTERED),
        event("e-2", "order_placed", version=2),
        passage(trail=[pause("Two hours", **ended)], ended_at=AT, **left),
    ]
    order = [(entry.title, entry.detail) for entry in listed(*rows)]
    assert [title for title, _ in order[:-1]] == ["cart_updated", "journey entered", "order_placed", "Two hours"]
    assert order[3][1] == "over at once"


def test_events_from_outside_keep_the_order_in_which_they_were_applied() -> None:
    later, earlier = event("e-1", "cart_updated", version=2), event("e-2", "registered", version=1)
    assert titles(later, earlier) == ["registered", "cart_updated"]


def test_two_runs_and_two_journeys_are_told_apart() -> None:
    rows = [
        event("e-1", "cart_updated", version=1),
        routed("e-1", "cart_updated", ENTERED, ENTERED | {"journey": "nurture", "enrolment_id": "n-3"}),
        passage(outcome="completed", ended_at="2031-03-05T04:30:00.000Z"),
        passage("n-2", enrolled_at="2031-03-06T04:30:00.000Z", trail=[pause("Two hours")]),
        passage("n-3", "nurture", trail=[pause("Until ten")]),
        message("again", ("sent", "0001/1"), enrolment="n-2"),
        event("e-5", "tag_added", cause=caused_by_step("n-2", "0001/2"), tag="asked", by="journey"),
    ]
    named = {(entry.title, entry.journey, entry.run, entry.enrolment) for entry in listed(*rows) if entry.run}
    assert named == {
        ("journey entered", "cart", 1, "n-1"),
        ("journey entered", "nurture", 1, "n-3"),
        ("journey ended: completed", "cart", 1, "n-1"),
        ("Two hours", "cart", 2, "n-2"),
        ("again sent", "cart", 2, "n-2"),
        ("tagged asked", "cart", 2, "n-2"),
        ("Until ten", "nurture", 1, "n-3"),
    }


def test_what_a_journey_was_refused_for_names_the_journey_and_no_run() -> None:
    refused = {"journey": "win-back", "reason": "entry_rule_not_met", "enrolment_id": None}
    [_, entry] = listed(event("e-1", "cart_updated"), routed("e-1", "cart_updated", refused))
    assert (entry.journey, entry.run, entry.enrolment) == ("win-back", 0, "")


def test_rows_from_before_places_were_recorded_are_listed() -> None:
    old = message("hello", ("sent", ""))
    assert titles(event("e-1", "cart_updated"), routed("e-1", "cart_updated", ENTERED), old, passage()) == [
        "cart_updated",
        "journey entered",
        "hello sent",
    ]


def test_a_trail_that_has_forgotten_its_first_pauses_is_listed_by_time() -> None:
    trail = [pause(f"Round {number:03d}", parked_at=f"2031-03-04T05:{number % 60:02d}:00.000Z") for number in range(60)]
    long = passage(trail=[*trail, *[pause("Round 999", parked_at="2031-03-04T06:00:00.000Z")] * (LONGEST_TRAIL - 60)])
    assert titles(event("e-1", "cart_updated"), long, message("hello", ("sent", "0005/1")))[:2] == [
        "cart_updated",
        "hello sent",
    ]


@pytest.mark.parametrize("start", ["a", "b", "c"])
def test_causes_that_go_round_are_cut(start: str) -> None:
    causes = Causes()
    for effect, cause in (("a", "b"), ("b", "c"), ("c", "a")):
        causes.of[effect].add(cause)
    assert set(causes.rank([start, "a", "b", "c"])) == {"a", "b", "c"}


def test_a_long_chain_of_causes_is_no_matter() -> None:
    causes = Causes()
    for number in range(5_000):
        causes.of[str(number + 1)].add(str(number))
    assert causes.rank(["5000"])["5000"] == (("", 0), 5_000)
