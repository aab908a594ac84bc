"""A whole journey held, resumed, stopped or tried from the command line, by the machines of the console."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from typer.testing import CliRunner

from local.commands import journey_control
from local.commands.app import app
from local.journeys.stage import Stage
from local.problems import LocalError
from local.running import operation_runs
from tests.fakes.world import START
from waypost.clock import parse_instant

NAME = "new-user-nurture"
OUTPUTS = {"OperationNames": "journey-control,start-journey", "StateMachinePrefix": "arn:aws:states:::waypost-dev-"}


@dataclass
class Machines:
    """Step Functions, whose runs end as a test says; one that is not ended goes on."""

    end: dict[str, Any] = field(default_factory=lambda: {"status": "RUNNING"})
    started: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    looks: int = 0

    def start_execution(self, *, stateMachineArn: str, input: str) -> dict[str, str]:  # noqa: A002, N803 - as boto3 has them
        self.started.append((stateMachineArn.rpartition("-dev-")[2], json.loads(input)))
        return {"executionArn": "arn:aws:states:::execution:run-1"}

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:  # noqa: N803 - the same
        assert executionArn.endswith("run-1")
        self.looks += 1
        return self.end


@pytest.fixture
def machines(monkeypatch: pytest.MonkeyPatch) -> Machines:
    found = Machines()
    stage = Stage(outputs=OUTPUTS, clients=lambda _: found, clock=lambda: parse_instant(START), by="lin.chen")
    monkeypatch.setattr(journey_control, "chosen_stage", lambda _: stage)
    monkeypatch.setattr("local.running.operation_runs.LOOK_SECONDS", 0)
    return found


def called(*arguments: str) -> Any:
    shown = CliRunner().invoke(app, ["journey", *arguments, "--json"])
    if shown.exception is not None and not isinstance(shown.exception, SystemExit):
        raise shown.exception
    assert shown.exit_code == 0, shown.output
    return json.loads(shown.output)


def ended(**output: Any) -> dict[str, Any]:
    return {"status": "SUCCEEDED", "output": json.dumps(output)}


@pytest.mark.parametrize(("action", "state"), [("pause", "paused"), ("drain", "draining")])
def test_a_journey_is_held_by_the_machine_of_the_console(machines: Machines, action: str, state: str) -> None:
    machines.end = ended(state=state, journey=NAME)
    assert called(action, NAME, "--reason", "the page is down")["state"] == state
    asked = {"action": action, "journey": NAME, "by": "lin.chen", "reason": "the page is down"}
    assert machines.started == [("journey-control", asked)]


def test_a_journey_that_is_resumed_is_not_waited_for(machines: Machines) -> None:
    assert called("resume", NAME, "--reason", "the page is up")["execution"].endswith("run-1")
    assert machines.started[0][1]["action"] == "resume"


def test_a_stop_waits_for_its_approver_and_not_for_the_end(machines: Machines) -> None:
    called("stop", NAME, "--reason", "the offer is over", "--approver", "wei.zhang")
    [(_, asked)] = machines.started
    assert (asked["action"], asked["approver"]) == ("stop", "wei.zhang")


def test_what_is_refused_is_shown(machines: Machines) -> None:
    machines.end = {"status": "FAILED", "cause": "approver: expected another person than the one who asks"}
    with pytest.raises(LocalError, match="another person"):
        called("stop", NAME, "--reason", "over", "--approver", "lin.chen")


def test_a_test_contact_of_a_stage_is_named_by_its_user_id(machines: Machines) -> None:
    machines.end = ended(requested=1)
    assert called("try", NAME, "u-tester", "--pace", "60", "--stage", "dev") == {"requested": 1}
    [(operation, asked)] = machines.started
    assert operation == "start-journey"
    assert (asked["contact"], asked["test"]) == ({"user_id": "u-tester"}, {"pace": 60})


def test_a_stage_that_has_no_such_operation_says_so(machines: Machines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OUTPUTS, "OperationNames", "")
    with pytest.raises(LocalError, match="no operation journey-control"):
        called("pause", NAME, "--reason", "x")
    assert not machines.started
    assert operation_runs.operation_machines(OUTPUTS) == {}
