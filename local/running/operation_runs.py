"""Starts an operation of a stage, here or on AWS, and waits for its output. Used by commands that do one thing."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from local.cloud.local_cloud import client
from local.problems import LocalError

LOOK_SECONDS: Final = 0.1
LOOKS_FOR_A_REFUSAL: Final = 50
"""How often a run that goes on for long is looked at: what is wrong with a request shows within seconds."""


@dataclass(frozen=True, slots=True)
class OperationRun:
    """One execution of an operation's machine, on a Step Functions client."""

    states: Any
    execution: str

    def finished(self) -> dict[str, Any]:
        """What it put out, once it is over. Raises LocalError when it failed."""
        while (output := self._output()) is None:
            time.sleep(LOOK_SECONDS)
        return output

    def refused_at_once(self) -> None:
        """Wait for what is refused within seconds. Raises LocalError then."""
        for _ in range(LOOKS_FOR_A_REFUSAL):
            if self._output() is not None:
                return
            time.sleep(LOOK_SECONDS)

    def _output(self) -> dict[str, Any] | None:
        state = self.states.describe_execution(executionArn=self.execution)
        if state["status"] == "RUNNING":
            return None
        if state["status"] != "SUCCEEDED":
            reason = state.get("cause") or state["status"]
            raise LocalError(reason, "correct what was asked for; nothing was changed")
        output: dict[str, Any] = json.loads(state["output"])
        return output


def operation_machines(outputs: Mapping[str, str]) -> dict[str, str]:
    """The machines of the operations that run, by name, from the outputs of the stack."""
    names = [name for name in outputs.get("OperationNames", "").split(",") if name]
    return {name: f"{outputs['StateMachinePrefix']}{name}" for name in names}


def start_operation(states: Any, outputs: Mapping[str, str], name: str, given: Mapping[str, Any]) -> OperationRun:
    """Start the operation of a stack by its outputs. Raises LocalError where it has none of this name."""
    machines = operation_machines(outputs)
    if name not in machines:
        raise LocalError(
            f"what runs has no operation {name}",
            "waypost down, then waypost up, takes the new one in; on AWS a deployment",
        )
    started = states.start_execution(stateMachineArn=machines[name], input=json.dumps(given))
    return OperationRun(states, started["executionArn"])


def run_operation(access: Mapping[str, Any], name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The output of the operation; ``access`` is what ``out/local.json`` says. Raises LocalError when it fails."""
    states = client("stepfunctions", access["endpoint_url"])
    return start_operation(states, access["outputs"], name, given).finished()
