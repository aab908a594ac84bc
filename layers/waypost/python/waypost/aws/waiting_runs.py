"""Step Functions: runs that wait for the answer to a task token."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from waypost.aws import table
from waypost.aws.translation import translates_errors

_OVER: Final = frozenset({"InvalidToken", "TaskDoesNotExist", "TaskTimedOut"})
"""Source: Step Functions API Reference, SendTaskSuccess."""


@translates_errors
@dataclass(frozen=True, slots=True)
class StepFunctionsRuns:
    """WaitingRuns."""

    client: Any

    def answer(self, task_token: str, output: Mapping[str, Any]) -> bool:
        """See WaitingRuns."""
        try:
            self.client.send_task_success(taskToken=task_token, output=json.dumps(output, ensure_ascii=False))
        except ClientError as error:
            if table.error_code(error) not in _OVER:
                raise
            return False
        return True
