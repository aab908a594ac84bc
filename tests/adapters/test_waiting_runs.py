"""Runs of Step Functions that wait for the answer to a task token."""

import boto3
import pytest
from botocore.stub import Stubber

from tests.adapters.stores import REGION
from waypost.aws.waiting_runs import StepFunctionsRuns
from waypost.errors import TemporarilyUnavailable

ANSWER = {"decision": "approved", "note": "好"}


@pytest.fixture
def runs() -> StepFunctionsRuns:
    return StepFunctionsRuns(
        boto3.client("stepfunctions", region_name=REGION, aws_access_key_id="x", aws_secret_access_key="x")
    )


def test_a_waiting_run_goes_on_with_the_answer_as_its_output(runs: StepFunctionsRuns) -> None:
    with Stubber(runs.client) as stub:
        stub.add_response(
            "send_task_success", {}, {"taskToken": "token", "output": '{"decision": "approved", "note": "好"}'}
        )
        assert runs.answer("token", ANSWER)
        stub.assert_no_pending_responses()


@pytest.mark.parametrize("code", ["InvalidToken", "TaskDoesNotExist", "TaskTimedOut"])
def test_a_run_that_is_over_takes_no_answer(runs: StepFunctionsRuns, code: str) -> None:
    with Stubber(runs.client) as stub:
        stub.add_client_error("send_task_success", code, http_status_code=400)
        assert not runs.answer("token", ANSWER)


def test_a_throttled_answer_may_be_tried_again(runs: StepFunctionsRuns) -> None:
    with Stubber(runs.client) as stub:
        stub.add_client_error("send_task_success", "ThrottlingException", http_status_code=400)
        with pytest.raises(TemporarilyUnavailable):
            runs.answer("token", ANSWER)
