"""Step Functions: starting executions."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from waypost.aws import table
from waypost.aws.translation import translates_errors


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
