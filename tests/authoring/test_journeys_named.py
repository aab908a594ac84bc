"""The journeys that a journey starts and stops are there, and lead back to none."""

from pathlib import Path
from typing import Any

from tests.authoring.folders import problems, states, task, write


def journey(root: Path, name: str, re_entry: Any = None, **call: Any) -> None:
    """A journey that starts or stops another one."""
    function = "StopOtherJourney" if "reason" in call else "StartOtherJourney"

    def definition(content: dict[str, Any]) -> None:
        if call:
            states(content)["Two days later"] = {
                **states(content)["Two days later"], "Next": "On with the other",
            }  # fmt: skip
            del states(content)["Two days later"]["End"]
            states(content)["On with the other"] = {**task(function, **call), "End": True}

    def manifest(content: dict[str, Any]) -> None:
        if re_entry:
            content["re_entry"] = re_entry

    write(root, name=name, definition=definition, manifest=manifest)


def found(root: Path) -> list[str]:
    return problems(root / "statemachines")


def test_one_that_is_there_may_be_started_and_stopped(tmp_path: Path) -> None:
    journey(tmp_path, "first", journey="second")
    journey(tmp_path, "second", journey="third", reason="no longer wanted")
    journey(tmp_path, "third")
    assert found(tmp_path) == []


def test_one_that_is_not_there_is_named_with_the_nearest(tmp_path: Path) -> None:
    journey(tmp_path, "first", journey="secnd")
    journey(tmp_path, "second", journey="thrid", reason="no longer wanted")
    journey(tmp_path, "third")
    first, second = found(tmp_path)
    assert "On with the other.Arguments.Payload.journey: no journey is called 'secnd'; did you mean 'second'?" in first
    assert "did you mean 'third'?" in second


def test_journeys_that_start_each_other_are_refused_with_the_way_round(tmp_path: Path) -> None:
    journey(tmp_path, "first", journey="second")
    journey(tmp_path, "second", journey="third")
    journey(tmp_path, "third", journey="first")
    lines = found(tmp_path)
    assert len(lines) == 3
    assert "leads back to this journey (first → second → third → first)" in lines[0]


def test_a_journey_neither_starts_nor_stops_itself(tmp_path: Path) -> None:
    journey(tmp_path, "first", journey="first")
    journey(tmp_path, "second", journey="second", reason="enough")
    assert all("is this journey itself" in line for line in found(tmp_path))
    assert len(found(tmp_path)) == 2


def test_what_re_entry_counts_is_handed_on(tmp_path: Path) -> None:
    journey(tmp_path, "first", journey="second")
    journey(tmp_path, "second", {"per": "order_id"})
    assert "properties: 'order_id' is missing: second is entered once for each of its values" in found(tmp_path)[0]


def test_what_re_entry_counts_may_be_computed(tmp_path: Path) -> None:
    journey(
        tmp_path,
        "first",
        journey="second",
        properties={"order_id": "{% $states.context.Execution.Input.enrolment_id %}"},
    )
    journey(tmp_path, "second", {"per": "order_id"})
    assert found(tmp_path) == []
