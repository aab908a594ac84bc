"""Executions in Step Functions."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from tests.adapters.stores import REGION
from waypost.aws.machines import StepFunctionsMachines
from waypost.errors import ServiceRefused, TemporarilyUnavailable

PREFIX = f"arn:aws:states:{REGION}:123456789012:stateMachine:waypost-dev-"
INPUT = {"contact_id": "c-1", "enrolment_id": "n-1"}
DEFINITION: dict[str, Any] = {"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}


@contextmanager
def stubbed() -> Iterator[tuple[Any, Stubber]]:
    """A client and the stub that answers it."""
    client = boto3.client("stepfunctions", region_name=REGION, aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stub:
        yield client, stub


@pytest.fixture(scope="module")
def stepfunctions(aws: None) -> Any:
    client = boto3.client("stepfunctions", region_name=REGION)
    role = "arn:aws:iam::123456789012:role/journey"
    client.create_state_machine(name="waypost-dev-nurture", definition=json.dumps(DEFINITION), roleArn=role)
    return client


def executions(client: Any) -> dict[str, Any]:
    found = client.list_executions(stateMachineArn=f"{PREFIX}nurture")["executions"]
    return {
        each["name"]: json.loads(client.describe_execution(executionArn=each["executionArn"])["input"])
        for each in found
    }


def test_starting_the_same_execution_again_starts_nothing(stepfunctions: Any) -> None:
    machines = StepFunctionsMachines(stepfunctions, PREFIX)
    for _ in range(2):
        machines.start("nurture", "nurture-n-1", INPUT)
    machines.start("nurture", "nurture-n-2", INPUT)
    assert executions(stepfunctions) == {"nurture-n-1": INPUT, "nurture-n-2": INPUT}


def test_an_execution_that_exists_with_another_input_is_left_alone() -> None:
    with stubbed() as (client, stub):
        stub.add_client_error("start_execution", "ExecutionAlreadyExists", http_status_code=400)
        StepFunctionsMachines(client, PREFIX).start("nurture", "nurture-n-1", INPUT)
        stub.assert_no_pending_responses()


def test_a_version_whose_machine_is_not_made_yet_may_be_tried_again(stepfunctions: Any) -> None:
    """A deployment makes the functions, which know the new version, before its machine."""
    with pytest.raises(TemporarilyUnavailable, match="unknown"):
        StepFunctionsMachines(stepfunctions, PREFIX).start("unknown", "unknown-n-1", INPUT)


def test_a_start_that_is_not_allowed_is_refused_for_good() -> None:
    with stubbed() as (client, stub):
        stub.add_client_error("start_execution", "AccessDeniedException", http_status_code=400)
        with pytest.raises(ServiceRefused, match="AccessDenied"):
            StepFunctionsMachines(client, PREFIX).start("nurture", "nurture-n-1", INPUT)


@pytest.mark.parametrize("code", ["ThrottlingException", "ServiceUnavailableException"])
def test_a_throttled_start_may_be_tried_again(code: str) -> None:
    with stubbed() as (client, stub):
        stub.add_client_error("start_execution", code, http_status_code=400)
        with pytest.raises(TemporarilyUnavailable):
            StepFunctionsMachines(client, PREFIX).start("nurture", "nurture-n-1", INPUT)
