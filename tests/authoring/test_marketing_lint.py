"""The marketing lint: each rule finds what it is for, with file and line; an exception needs a reason and something to except."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest

from tests.authoring.folders import discovered, problems, states, task, write
from waypost.authoring.discovery import JourneyFolder, discover
from waypost.authoring.manifest import LintRule
from waypost.authoring.marketing_lint import RULES, lint_journey
from waypost.authoring.yaml_lines import line_of

PROJECT = Path(__file__).parents[2]
TARGET = {"metric": "orders", "at_least": 0.1}
LATER = "Two days later"
NOW = datetime(2026, 11, 30, tzinfo=UTC)

Change = Callable[[dict[str, Any]], Any]


def unchanged(_: dict[str, Any]) -> None:
    """A change that is none."""


def found(tmp_path: Path, manifest: Change = unchanged, definition: Change = unchanged) -> list[str]:
    """What the lint says of the small journey, after the changes."""

    def with_target(written: dict[str, Any]) -> None:
        written["target"] = TARGET
        manifest(written)

    journey = discovered(write(tmp_path, manifest=with_target, definition=definition))
    return [str(each).removeprefix(f"{journey.path}/") for each in lint_journey(journey, NOW)]


def waits(**payload: Any) -> Change:
    return lambda definition: states(definition).update({LATER: {**task("PauseJourney", **payload), "End": True}})


def without(field: str) -> Change:
    return lambda manifest: manifest.pop(field)


def test_a_journey_with_everything_passes(tmp_path: Path) -> None:
    assert found(tmp_path) == []


def test_a_missing_goal_and_a_message_that_nothing_sends_are_found(tmp_path: Path) -> None:
    def definition(written: dict[str, Any]) -> None:
        del written["States"]["Win the contact back"]["Catch"][0]
        del written["States"]["Thank you, order received"]

    goal, unused = found(tmp_path, without("goal"), definition)
    assert goal.startswith("journey.yaml: goal: is missing: ")
    assert unused == "messages/thanks/message.yaml: no step sends it: take it out, or send it (unused_message)"


def test_a_missing_target_is_found(tmp_path: Path) -> None:
    [line] = found(tmp_path, without("target"))
    assert line.startswith("journey.yaml: target: is missing: ")


def test_a_journey_that_goes_on_after_an_opt_out_is_found_at_its_line(tmp_path: Path) -> None:
    [line] = found(tmp_path, lambda written: written.update(exit_on=[{"event": "left_us"}]))
    assert line.startswith("journey.yaml:7: exit_on: has no unsubscribed: ")


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        ({"for": "30d"}, ""),
        ({"for": "31d"}, "waits 31d, longer than 30 days (long_wait)"),
        ({"until": {"day": 31, "at": "10:00"}}, ""),
        ({"until": {"day": 40, "at": "10:00"}}, "waits 39 days, longer than 30 (long_wait)"),
        ({"until": {"days_later": 45, "at": "10:00"}}, "waits 45 days, longer than 30 (long_wait)"),
        ({"until": {"anniversary": "birthday", "at": "10:00"}}, ""),
    ],
)
def test_a_wait_of_more_than_thirty_days_is_found(tmp_path: Path, payload: dict[str, Any], says: str) -> None:
    lines = found(tmp_path, definition=waits(**payload))
    assert [line.rpartition(": ")[2] for line in lines] == ([says] if says else [])
    assert all(line.startswith("definition.asl.yaml:") for line in lines)


def test_a_day_counts_from_the_day_before_it_that_the_journey_waits_for(tmp_path: Path) -> None:
    def two_days(definition: dict[str, Any]) -> None:
        states(definition)[LATER] = {
            **task("PauseJourney", until={"day": 20, "at": "10:00"}),
            "Next": "Many days later",
        }
        states(definition)["Many days later"] = {
            **task("PauseJourney", until={"day": 45, "at": "10:00"}),
            "End": True,
        }

    assert found(tmp_path, definition=two_days) == []


@pytest.mark.parametrize(
    ("goal", "pause", "purchases", "says"),
    [
        ("order_placed", {"for": "2d"}, [], 0),
        ("form_submitted", {"for": "2d"}, [], 1),
        ("form_submitted", {"for": "2d"}, ["form_submitted"], 0),
        ("form_submitted", {"for": "2d", "or": {"event": "order_placed"}}, [], 0),
    ],
)
def test_a_journey_that_sells_and_notices_no_purchase_is_found(
    tmp_path: Path, goal: str, pause: dict[str, Any], purchases: list[str], says: int
) -> None:
    statemachines = write(
        tmp_path,
        manifest=lambda written: written.update(goal={"event": goal}, target=TARGET),
        definition=waits(**pause),
    )
    message = statemachines / "journeys" / "win-back" / "messages" / "sorry" / "message.yaml"
    message.write_text(message.read_text(encoding="utf-8") + "sells: [p-1]\n", encoding="utf-8")
    lines = [str(each) for each in lint_journey(discovered(statemachines), NOW, purchases)]
    assert len(lines) == says
    assert all("a buyer is asked to buy (no_exit_on_purchase)" in line for line in lines)


def test_a_choice_that_decides_nothing_is_found(tmp_path: Path) -> None:
    def definition(written: dict[str, Any]) -> None:
        states(written)["Day 1, sorry to see you go"]["Next"] = "Which way?"
        states(written)["Which way?"] = {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $states.context.Execution.Input.contact_id = 'c-1' %}", "Next": LATER}],
            "Default": LATER,
        }

    [line] = found(tmp_path, definition=definition)
    assert line.endswith(f"Which way?: decides nothing: every way leads to '{LATER}' (dead_end)")


@pytest.mark.parametrize(
    ("reviewed", "every", "closed", "says"),
    [
        ("2026-11-01", "30d", False, False),
        ("2026-10-31", "30d", False, True),
        ("2026-06-04", None, False, False),
        ("2026-06-03", None, False, True),
        ("2026-06-03", None, True, False),
    ],
)
def test_a_journey_that_was_not_reviewed_for_long_is_found_with_its_owner(
    tmp_path: Path, reviewed: str, every: str | None, closed: bool, says: bool
) -> None:
    def manifest(written: dict[str, Any]) -> None:
        written.update(reviewed=reviewed, closed=closed, **({"review_every": every} if every else {}))

    lines = found(tmp_path, manifest)
    assert len(lines) == says
    assert all(f"was reviewed on {reviewed}" in line and line.endswith("ask growth team (stale)") for line in lines)


def test_a_review_has_a_day(tmp_path: Path) -> None:
    [line] = problems(write(tmp_path, manifest=lambda written: written.update(reviewed="last spring")))
    assert line.endswith("reviewed: expected a day such as 2026-11-30, got 'last spring'")


def test_an_exception_with_its_reason_is_kept_and_one_without_need_is_found(tmp_path: Path) -> None:
    def manifest(written: dict[str, Any]) -> None:
        written["exceptions"] = {"long_wait": "the guarantee lasts a year", "no_goal": "there is one"}

    [line] = found(tmp_path, manifest, waits(**{"for": "300d"}))
    assert line.endswith(": exceptions.no_goal: there is nothing to except; take it out (no_goal)")


def test_an_exception_has_a_reason_and_a_rule_that_there_is(tmp_path: Path) -> None:
    def manifest(written: dict[str, Any]) -> None:
        written["exceptions"] = {"long_wait": " ", "no_gaol": "because"}

    lines = problems(write(tmp_path, manifest=manifest))
    assert len(lines) == 2
    assert any("exceptions.long_wait: is empty" in line for line in lines)


LIBRARY = discover(PROJECT / "statemachines").journeys


@pytest.mark.parametrize("journey", LIBRARY, ids=[each.name for each in LIBRARY])
def test_every_journey_of_the_library_passes_or_says_why_not(journey: JourneyFolder) -> None:
    assert [str(each) for each in lint_journey(journey, NOW)] == []


def test_a_manifest_may_except_every_rule_and_no_other() -> None:
    assert sorted(each.name for each in RULES) == sorted(get_args(LintRule))


def test_a_line_is_that_of_the_innermost_part_that_is_there(tmp_path: Path) -> None:
    path = tmp_path / "definition.asl.yaml"
    path.write_text(
        "StartAt: A. First\nStates:\n  A. First:\n    Type: Parallel\n    Branches:\n      - States:\n"
        "          Wait, then: { Type: Task,\n            Payload: { for: 1d } }\n  Next: 1\n",
        encoding="utf-8",
    )
    expected = {
        "StartAt": 1, "A. First": 3, "A. First.Type": 4, "Wait, then": 7, "Wait, then.Payload.for": 8,
        "Wait, then.Payload.until": 8, "A. First.Branches[0].States": 6, "A. First.Branches[4]": 5, "nothing": 0, "": 0,
    }  # fmt: skip
    assert {field: line_of(path, field) for field in expected} == expected
