"""Names in the expressions of a journey: each must exist where it is read."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.authoring.folders import problems, states, task, write
from waypost.authoring.expressions import reads_of
from waypost.authoring.tasks import journey_tasks
from waypost.authoring.value_flow import JOURNEY_INPUT
from waypost.journeys.enrolment import Enrolment, TriggerEvent, first_hop
from waypost.journeys.pause import time_outcome
from waypost.sending.request import SendResult

SEND, PAUSE = "Day 1, sorry to see you go", "Two days later"
Change = Callable[[dict[str, Any]], None]


def assigned(state: str, text: str) -> Change:
    return lambda definition: states(definition)[state].update(Assign={"x": text})


def between(**fields: Any) -> Change:
    """A state between the message and the Pause."""

    def change(definition: dict[str, Any]) -> None:
        states(definition)[SEND]["Next"] = "What comes between"
        states(definition)["What comes between"] = {"Type": "Pass", "Next": PAUSE, **fields}

    return change


def choice(condition: str, **before: Any) -> Change:
    """A Choice after the message, which has the fields ``before``."""

    def change(definition: dict[str, Any]) -> None:
        states(definition)[SEND].update(before)
        between(Type="Choice", Next=None, Choices=[{"Condition": condition, "Next": PAUSE}], Default=PAUSE)(definition)
        del states(definition)["What comes between"]["Next"]

    return change


def asked(**fields: Any) -> Change:
    """An EvaluateSegment instead of the message, with the further fields."""

    def change(definition: dict[str, Any]) -> None:
        states(definition)[SEND] = {**task("EvaluateSegment", rule={"tag": "vip"}), "Next": PAUSE, **fields}

    return change


def on_one_way_only(read: str) -> Change:
    """A variable that only one of two ways assigns, read where they meet."""

    def change(definition: dict[str, Any]) -> None:
        states(definition)[SEND]["Next"] = "Which way?"
        states(definition)["Which way?"] = {
            "Type": "Choice",
            "Choices": [{"Condition": "{% 1 = 1 %}", "Next": PAUSE, "Assign": {"way": "left"}}],
            "Default": PAUSE,
        }
        del states(definition)[PAUSE]["End"]
        states(definition)[PAUSE]["Next"] = "After the pause"
        states(definition)["After the pause"] = {"Type": "Pass", "Output": {"way": read}, "End": True}

    return change


def found(root: Path, change: Change) -> list[str]:
    return problems(write(root, definition=change))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (choice("{% $importent %}", Assign={"important": True}), "no state before this one assigns the variable 'importent'; did you mean 'important'?"),
        (choice("{% $x %}"), "assigns the variable 'x'; keep what a state gives with Assign"),
        (choice("{% $count($basket) > 2 %}"), "the variable 'basket'"),
        (choice("{% ($y := 1; $y + $z > 2) %}"), "the variable 'z'"),
        (choice("{% $map([1], function($v) { $v + $w })[0] = 2 %}"), "the variable 'w'"),
        (choice("{% $exists($never) %}"), "the variable 'never'"),
        (choice("{% $uppercas('a') = 'A' %}"), "JSONata has no function 'uppercas'; did you mean 'uppercase'?"),
        (choice("{% $eval('1') = 1 %}"), "Step Functions has no $eval"),
        (choice("{% $states.input.event.properties.total > 100 %}"), "$states.input has no"),
        (choice("{% 'beauty' in $states.input.event.properties.items.category %}"), "$states.input has no 'event'"),
        (choice("{% $states.result.outcome = 'sent' %}"), "$states.result is there in Output and Assign of a Task, Parallel or Map only"),
        (choice("{% $states.errorOutput.Cause = 'x' %}"), "$states.errorOutput is there in Output and Assign of a Catch only"),
        (choice("{% $states.inpt.journey = 'x' %}"), "$states has no 'inpt'; did you mean 'input'?"),
        (choice("{% $states.context.Execution.Input.event.type = 'x' %}"), "rule: { property: total, at_least: 100 }"),
        (choice("{% $states.context.Execution.Input.contact_id.x = 'x' %}"), "$states.context.Execution.Input.contact_id is a plain value"),
        (choice("{% $states.context.execution.Id = 'x' %}"), "did you mean 'Execution'?"),
        (choice("{% member %}", Assign={"member": True}), "'member' stands alone and finds nothing; begin with $member"),
        (choice("{% $states.input.Payload.outcom = 'sent' %}"), "$states.input.Payload has no 'outcom'; did you mean 'outcome'?"),
        (assigned(SEND, "{% $states.result.outcome %}"), "a function's answer is in $states.result.Payload.outcome"),
        (assigned(SEND, "{% $states.result.Payload.member %}"), "$states.result.Payload has no 'member'"),
        (assigned(SEND, "{% outcome = 'sent' %}"), "begin with $states.result.Payload.outcome"),
        (assigned(PAUSE, "{% $states.result.Payload.outcome %}"), "a Pause gives its answer itself"),
        (assigned(PAUSE, "{% $states.result.event.properties.code %}"), "there is no event when time ends the Pause"),
        (assigned(PAUSE, "{% $states.result.event.total %}"), "$states.result.event has no 'total'"),
        (asked(Assign={"x": "{% $states.result.member %}"}), "a function's answer is in $states.result.Payload.member"),
        (asked(Output="{% $states.result.Payload.membr %}"), "did you mean 'member'?"),
        (on_one_way_only("{% $way %}"), "$way"),
        (between(Output={"a": "{% $states.context.State.Nme %}"}), "did you mean 'Name'?"),
        (between(Assign={"x": 1}, Output={"x": "{% $x %}"}), "the variable 'x'"),
    ],
)  # fmt: skip
def test_a_name_that_is_not_there_is_refused(tmp_path: Path, change: Change, reason: str) -> None:
    assert any(reason in each for each in found(tmp_path, change)), found(tmp_path / "again", change)


@pytest.mark.parametrize(
    "change",
    [
        choice("{% $important %}", Assign={"important": "{% $states.result.Payload.outcome = 'sent' %}"}),
        choice("{% $states.input.Payload.outcome = 'sent' %}"),
        assigned(
            PAUSE, "{% $exists($states.result.event.properties.code) ? $states.result.event.properties.code : '' %}"
        ),
        choice("{% $states.input.sent %}", Output={"sent": "{% $states.result.Payload.outcome = 'sent' %}"}),
        choice("{% $states.input.journey = 'win-back' %}", Output="{% $states.input %}"),
        choice("{% $states.context.Execution.Input.journey = 'win-back' %}"),
        choice("{% ($y := 1; $double := function($n) { $n * 2 }; $double($y) = 2) %}"),
        choice("{% $sum($map([1, 2], function($v, $i) { $v * $i })) = 2 %}"),
        choice("{% $filter($states.context.StateMachine, function($v) { true })[Id = 'x'].Name = 'x' %}"),
        choice("{% [1..3][$ > 2] = 3 %}"),
        choice("{% $exists($states.input.Payload.reason) %}"),
        assigned(PAUSE, "{% $states.result.event.properties.interest = 'home' %}"),
        asked(Assign={"x": "{% $states.result.Payload.explanation.holds %}"}),
        asked(Output="{% $states.result.Payload %}"),
    ],
)
def test_names_that_are_there_are_accepted(tmp_path: Path, change: Change) -> None:
    assert found(tmp_path, change) == []


def test_a_catch_may_read_what_was_raised(tmp_path: Path) -> None:
    def change(definition: dict[str, Any]) -> None:
        row = {"ErrorEquals": ["States.TaskFailed"], "Next": "Failed to send"}
        states(definition)[SEND]["Catch"] = [{**row, "Assign": {"why": "{% $states.errorOutput.Cause %}"}}]
        states(definition)["Failed to send"] = {"Type": "Fail", "Error": "NotSent", "Cause": "{% $why %}"}

    assert found(tmp_path, change) == []


def test_what_branches_read_comes_from_around_them(tmp_path: Path) -> None:
    def change(definition: dict[str, Any]) -> None:
        definition["StartAt"] = "Before the body"
        definition["States"]["Before the body"] = {
            "Type": "Pass",
            "Assign": {"tier": "gold"},
            "Next": "Win the contact back",
        }
        states(definition)[SEND]["Assign"] = {"x": "{% $tier & $states.input.journey %}"}

    assert found(tmp_path, change) == []


def test_a_journeys_input_is_what_its_executions_are_started_with() -> None:
    at = datetime(2027, 3, 1, tzinfo=UTC)
    enrolment = Enrolment(
        contact_id="c-1",
        enrolment_id="e-1",
        journey="j",
        version=1,
        trigger=TriggerEvent("t-1", "registered", at),
        enrolled_at=at,
        correlation_id="x",
        hop=first_hop("e-1", at),
        due_at=at,
    )
    assert set(enrolment.execution_input()) - {"hop"} == set(JOURNEY_INPUT)


def test_results_are_declared_as_the_functions_give_them() -> None:
    declared = {name: set(task.result or ()) for name, task in journey_tasks().items()}
    sent = SendResult(outcome="sent", reason="", channel=None, message_key="", at=datetime(2027, 3, 1, tzinfo=UTC))
    assert declared["SendMessage"] == set(sent.to_dict())
    assert set(time_outcome("elapsed")) < declared["PauseJourney"]
    assert all(declared.values())


def test_a_variable_bound_inside_is_not_read_from_outside() -> None:
    reads = reads_of("($a := 1; ($b := $a; $b) + $b + $c)")
    assert reads.variables == {"b", "c"}
