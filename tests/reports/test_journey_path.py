"""The way of a contact: what was recorded is marked, what follows from it with certainty too, and nothing else."""

import pytest

from tests.reports.nurture import BODY, GRAPH, enrolment, message, past, pause, updated
from waypost.authoring.journey_graphs import graph_of
from waypost.reports.journey_graph import steps_behind, way_taken
from waypost.reports.journey_path import JourneyPath, path_of, way_to_the_end

FIRST, SECOND, THIRD = "2031-03-03T01:00:00.000Z", "2031-03-05T02:00:00.000Z", "2031-03-09T02:00:00.000Z"


def pairs(path: JourneyPath) -> set[tuple[str, str]]:
    return {(way.source, way.target) for way in path.ways}


def test_a_contact_that_waits_has_come_so_far() -> None:
    path = path_of(GRAPH, enrolment(), [message("Welcome", FIRST)])
    assert [(visit.step, visit.kind) for visit in path.visits] == [("Welcome", "message"), ("Wait", "pause")]
    assert pairs(path) == {("Welcome", "Wait")}
    assert path.steps == {BODY, "Welcome", "Wait"}


def test_an_update_tells_two_ways_apart() -> None:
    passed = enrolment(trail=[past("Wait", FIRST, SECOND)], pause=pause("Wait again", SECOND, THIRD))
    path = path_of(GRAPH, passed, [message("Welcome", FIRST), updated("Tag", SECOND), message("Thank", SECOND)])
    assert [visit.step for visit in path.visits] == ["Welcome", "Wait", "Tag", "Thank", "Wait again"]
    assert {("Wait", "Answered?"), ("Answered?", "Tag"), ("Tag", "Thank"), ("Thank", "Wait again")} <= pairs(path)


def test_what_lies_between_two_records_is_not_guessed() -> None:
    passed = enrolment(trail=[past("Wait", FIRST, SECOND)], pause=pause("Wait again", SECOND, THIRD))
    path = path_of(GRAPH, passed, [message("Welcome", FIRST), message("Remind", SECOND)])
    assert "Remind" in path.steps
    assert path.steps.isdisjoint({"Which?", "Look up"})
    assert pairs(path) == {("Welcome", "Wait"), ("Remind", "Wait again")}


def test_who_leaves_goes_by_the_way_that_catches_it() -> None:
    ended = {"status": "ended", "ended_at": SECOND, "position": "running"}
    left = enrolment(trail=[past("Wait", FIRST, SECOND, end="left")], outcome="goal", **ended)
    path = path_of(GRAPH, left, [message("Welcome", FIRST), message("Confirm", SECOND)])
    assert (BODY, "Confirm") in pairs(path)
    gone = enrolment(trail=[past("Wait", FIRST, SECOND, end="left")], outcome="exited", **ended)
    path = path_of(GRAPH, gone, [message("Welcome", FIRST)])
    assert (BODY, "Left") in pairs(path)
    assert "Left" in path.steps


def test_the_way_to_the_step_that_failed_is_known() -> None:
    failed = enrolment(
        status="ended",
        outcome="failed",
        ended_at=SECOND,
        position="running",
        trail=[past("Wait", FIRST, SECOND)],
        failure={"state": "Tag", "error": "InvalidInput", "cause": "no such tag"},
    )
    path = path_of(GRAPH, failed, [message("Welcome", FIRST)])
    assert {"Answered?", "Tag"} <= path.steps
    assert ("Answered?", "Tag") in pairs(path)


def test_messages_of_another_passage_do_not_count() -> None:
    other = message("Thank", SECOND)
    other["occasion"]["enrolment_id"] = "n-0"
    assert [visit.step for visit in path_of(GRAPH, enrolment(), [other]).visits] == ["Wait"]


def test_a_deferred_message_says_until_when() -> None:
    row = message("Welcome", FIRST, outcome="deferred", reason="quiet_hours") | {"deferred_until": SECOND}
    [visit] = [visit for visit in path_of(GRAPH, enrolment(), [row]).visits if visit.kind == "message"]
    assert visit.until is not None
    assert visit.outcome == "deferred"


def test_a_step_of_a_former_version_is_left_out() -> None:
    moved = enrolment(trail=[past("A wait that is gone", FIRST, SECOND)], pause=pause("Wait", SECOND, THIRD))
    assert path_of(GRAPH, moved, []).steps == {BODY, "Wait"}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [("Welcome", "Wait", ("Welcome", "Wait")), ("Wait", "Left", (BODY, "Left")), (BODY, "Welcome", None)],
)
def test_the_way_between_two_entered_states(before: str, after: str, expected: tuple[str, str] | None) -> None:
    way = way_taken(GRAPH, before, after)
    assert (None if way is None else (way.source, way.target)) == expected


def test_no_way_leads_back() -> None:
    with pytest.raises(LookupError, match="leads from 'Wait' to 'Welcome'"):
        way_taken(GRAPH, "Wait", "Welcome")


@pytest.mark.parametrize(
    ("pause", "steps"),
    [
        ("", ["Welcome", "Confirm"]),
        ("Wait", ["Answered?", "Confirm", "Tag", "Which?", "Thank", "Look up", "Remind"]),
        ("Wait again", ["Confirm"]),
        ("Wait for what was removed", []),
    ],
)
def test_what_stands_between_two_pauses_is_named_nearest_first(pause: str, steps: list[str]) -> None:
    assert steps_behind(GRAPH, pause) == steps


def test_what_follows_a_body_is_behind_the_end_of_its_branch_only() -> None:
    wait = {"Type": "Task", "Arguments": {"FunctionName": "${PauseJourney}", "Payload": {}}}
    branch = {"StartAt": "Wait", "States": {"Wait": {**wait, "Next": "Ask"}, "Ask": {"Type": "Pass", "End": True}}}
    body = {"Type": "Parallel", "Branches": [branch], "Next": "Thank"}
    later = {
        "Thank": {"Type": "Pass", "Next": "Wait on"},
        "Wait on": {**wait, "Next": "Late"},
        "Late": {"Type": "Succeed"},
    }
    graph = graph_of("around", {"StartAt": BODY, "States": {BODY: body, **later}}, version=1, description="")
    assert steps_behind(graph, "Wait") == ["Ask", "Thank"]
    assert steps_behind(graph, "") == steps_behind(graph, "Wait on") == []


@pytest.mark.parametrize(
    ("outcome", "at", "expected"),
    [("exited", "Wait", ["Left"]), ("completed", "Wait again", [])],
)
def test_what_lies_behind_a_pause_at_which_a_journey_ended_without_a_hop(
    outcome: str, at: str, expected: list[str]
) -> None:
    pause_, hop = pause(at, SECOND, THIRD), {"id": "h-2", "attempt": 1, "at": THIRD}
    ended = {"status": "ended", "ended_at": THIRD, "position": "running", "outcome": outcome, "pause": pause_}
    assert way_to_the_end(GRAPH, enrolment(hop=hop, **ended)) == expected
    assert way_to_the_end(GRAPH, enrolment(hop=hop | {"taken_by": "x"}, **ended)) == []
    assert way_to_the_end(GRAPH, enrolment(hop=hop, stopped={"reason": "over", "by": "ops"}, **ended)) == []
