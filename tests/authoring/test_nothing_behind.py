"""Behind which Pauses nothing is left to do; that no walk does anything there is checked by test_hops."""

from pathlib import Path
from typing import Any

import pytest

from waypost.authoring.graph import scopes
from waypost.authoring.hops import compiled
from waypost.authoring.last_pauses import nothing_behind
from waypost.authoring.yaml_reading import read_yaml

NURTURE = Path(__file__).parents[2] / "statemachines/journeys/new-user-nurture/definition.asl.yaml"
INVOKE = "arn:aws:states:::lambda:invoke"


def task(function: str, **more: Any) -> dict[str, Any]:
    payload = {"context": "{% $states.context %}"}
    return {
        "Type": "Task",
        "Resource": INVOKE,
        "Arguments": {"FunctionName": f"${{{function}}}", "Payload": payload},
    } | more


def machine(*, pause: dict[str, Any], around: dict[str, Any] | None = None, **outside: Any) -> dict[str, Any]:
    """A body with one Pause, and states behind it; by default both ways of leaving are caught by the state ``Left``."""
    body = {
        "StartAt": "Wait",
        "States": {"Wait": task("PauseJourney", **pause), "Inside": task("SendMessage", End=True)},
    }
    catch = [{"ErrorEquals": ["GoalReached", "JourneyExited"], "Next": "Left"}]
    holder = {"Type": "Parallel", "Branches": [body], "Catch": catch, **({"End": True} if around is None else around)}
    states = {"Body": holder, "Left": {"Type": "Succeed"}, "More": task("SendMessage", End=True), **outside}
    return {"QueryLanguage": "JSONata", "StartAt": "Body", "States": states}


def test_the_last_pause_of_the_nurture_and_its_exit_need_no_hop() -> None:
    authored = read_yaml(NURTURE)
    found = nothing_behind(authored)
    assert found.pop("Until day 7 is over") == ("over", "JourneyExited")
    assert set(found.values()) == {("JourneyExited",)}
    assert len(found) == 3
    rows = [
        state["Arguments"]["Payload"]["row"]
        for scope in scopes(compiled(authored))
        for state in scope.states.values()
        if "row" in (state.get("Arguments") or {}).get("Payload", {})
    ]
    assert {row["at"]: tuple(row["nothing_behind"]) for row in rows} == nothing_behind(authored)


LEFT = ("GoalReached", "JourneyExited")


@pytest.mark.parametrize(
    ("authored", "ways"),
    [
        (machine(pause={"End": True}), ("over", *LEFT)),
        (machine(pause={"Next": "Inside"}), LEFT),
        (machine(pause={"End": True}, around={"Next": "More"}), LEFT),
        (machine(pause={"End": True}, around={"Next": "Left"}), ("over", *LEFT)),
        (machine(pause={"End": True, "Assign": {"a": 1}}), LEFT),
        (machine(pause={"End": True, "Output": "{% $states.result %}"}), LEFT),
        (machine(pause={"End": True}, around={"End": True, "Output": {"a": 1}}), LEFT),
        (machine(pause={"End": True}, Left=task("SendMessage", End=True)), ("over",)),
        (machine(pause={"End": True}, Left={"Type": "Fail", "Error": "Left"}), ("over",)),
        (machine(pause={"End": True}, Left={"Type": "Pass", "Next": "More"}), ("over",)),
        (machine(pause={"End": True}, Left={"Type": "Pass", "Comment": "bye", "End": True}), ("over", *LEFT)),
        (machine(pause={"End": True}, Left={"Type": "Pass", "Output": "{% $a %}", "End": True}), ("over",)),
        (machine(pause={"End": True}, Left={"Type": "Pass", "Next": "Left"}), ("over",)),
        (machine(pause={"End": True}, Left={"Type": "Choice", "Choices": [], "Default": "More"}), ("over",)),
        (
            machine(pause={"End": True, "Catch": [{"ErrorEquals": ["GoalReached"], "Next": "Inside"}]}),
            ("over", "JourneyExited"),
        ),
        (
            machine(pause={"End": True, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Inside"}]}),
            ("over",),
        ),
    ],
)
def test_a_way_counts_if_nothing_on_it_does_anything_or_can_fail(
    authored: dict[str, Any], ways: tuple[str, ...]
) -> None:
    assert nothing_behind(authored) == {"Wait": ways}


@pytest.mark.parametrize(
    "catch",
    [
        [],
        [{"ErrorEquals": ["States.ALL"], "Next": "Left"}],
        [{"ErrorEquals": ["GoalReached"], "Assign": {"a": 1}, "Next": "Left"}],
        [{"ErrorEquals": ["GoalReached"], "Output": "{% $states.errorOutput %}", "Next": "Left"}],
    ],
)
def test_what_is_not_caught_by_its_name_or_changes_something_takes_a_hop(catch: list[dict[str, Any]]) -> None:
    authored = machine(pause={"End": True}, around={"End": True, "Catch": catch})
    assert nothing_behind(authored) == {"Wait": ("over",)}
