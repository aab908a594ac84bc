"""Step Functions: starting executions and answering parked tasks."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from waypost.aws import table
from waypost.aws.translation import translates_errors

TOKEN_IS_USED: Final = frozenset({"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"})
CAUSE_LIMIT: Final = (
    32_768  # characters; https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskFailure.html
)


@translates_errors
@dataclass(frozen=True, slots=True)
class StepFunctionsMachines:
    """Machines whose names are a prefix and the journey's name."""

    client: Any
    arn_prefix: str

    def start(self, journey: str, name: str, execution_input: Mapping[str, Any]) -> None:
        """See Machines."""
        try:
            self.client.start_execution(
                stateMachineArn=f"{self.arn_prefix}{journey}",
                name=name,
                input=json.dumps(execution_input, ensure_ascii=False, sort_keys=True),
            )
        except ClientError as error:
            if table.error_code(error) != "ExecutionAlreadyExists":
                raise


@translates_errors
@dataclass(frozen=True, slots=True)
class StepFunctionsTokens:
    """Task tokens."""

    client: Any

    def succeed(self, token: str, output: Mapping[str, Any]) -> None:
        """See TaskTokens."""
        try:
            self.client.send_task_success(taskToken=token, output=json.dumps(output, ensure_ascii=False))
        except ClientError as error:
            _ignore_used(error)

    def fail(self, token: str, *, error: str, cause: str) -> None:
        """See TaskTokens."""
        try:
            self.client.send_task_failure(taskToken=token, error=error, cause=cause[:CAUSE_LIMIT])
        except ClientError as refused:
            _ignore_used(refused)


def _ignore_used(error: ClientError) -> None:
    if table.error_code(error) not in TOKEN_IS_USED:
        raise error
