"""Starts an operation of the running system and waits for its output. Used by commands that do one thing with contacts."""

import json
import time
from collections.abc import Mapping
from typing import Any, Final

from local.cloud.local_cloud import client
from local.problems import LocalError

LOOK_SECONDS: Final = 0.1


def operation_machines(outputs: Mapping[str, str]) -> dict[str, str]:
    """The machines of the operations that run, by name, from the outputs of the stack."""
    names = [name for name in outputs.get("OperationNames", "").split(",") if name]
    return {name: f"{outputs['StateMachinePrefix']}{name}" for name in names}


def run_operation(access: Mapping[str, Any], name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The output of the operation; ``access`` is what ``out/local.json`` says. Raises LocalError when it fails."""
    machines = operation_machines(access["outputs"])
    if name not in machines:
        raise LocalError(f"what runs has no operation {name}", "waypost down, then waypost up, takes the new one in")
    states = client("stepfunctions", access["endpoint_url"])
    execution = states.start_execution(stateMachineArn=machines[name], input=json.dumps(given))["executionArn"]
    while (state := states.describe_execution(executionArn=execution))["status"] == "RUNNING":
        time.sleep(LOOK_SECONDS)
    if state["status"] != "SUCCEEDED":
        reason = state.get("cause") or state["status"]
        raise LocalError(reason, "correct what was asked for; nothing was changed")
    output: dict[str, Any] = json.loads(state["output"])
    return output
