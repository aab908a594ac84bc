"""Step Functions: starting executions."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from waypost.aws import table
from waypost.aws.translation import translates_errors
from waypost.errors import TemporarilyUnavailable


@translates_errors
@dataclass(frozen=True, slots=True)
class StepFunctionsMachines:
    """Machines whose names are a prefix, the journey's name and its version."""

    client: Any
    arn_prefix: str

    def start(self, machine: str, name: str, execution_input: Mapping[str, Any]) -> None:
        """See Machines. Raises TemporarilyUnavailable for a missing machine: a deployment makes it after the functions."""
        try:
            self.client.start_execution(
                stateMachineArn=f"{self.arn_prefix}{machine}",
                name=name,
                input=json.dumps(execution_input, ensure_ascii=False, sort_keys=True),
            )
        except ClientError as error:
            match table.error_code(error):
                case "ExecutionAlreadyExists":
                    return
                case "StateMachineDoesNotExist" | "StateMachineDeleting":
                    raise TemporarilyUnavailable(f"the machine {machine} is not there") from error
                case _:
                    raise
