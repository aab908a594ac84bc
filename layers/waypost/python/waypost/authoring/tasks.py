"""The tasks a journey's definition may call: how, and what the synth adds to each. Used by the definition's checks.

A task is a function whose ``function.yaml`` says ``task: journeys``; its payload's model lies beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from waypost.authoring.functions import FUNCTIONS, FunctionFolder, discover_functions
from waypost.authoring.payloads import Fields, Payload

INVOKE: Final = "arn:aws:states:::lambda:invoke"
INVOKE_AND_WAIT: Final = "arn:aws:states:::lambda:invoke.waitForTaskToken"

TRANSIENT_ERRORS: Final = (
    "ConcurrentUpdate",
    "TemporarilyUnavailable",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
    "Sandbox.Timedout",
    "Runtime.ExitError",
)
"""What may go away by itself. Source: Step Functions Developer Guide, "Handle transient Lambda service exceptions"; a
function that ran out of time or was killed reports the last two or Lambda.Unknown, depending on its runtime."""

_ONE_MINUTE: Final = 60
LONGEST_WAIT: Final = 364 * 24 * 60 * 60
"""A Pause ends within a year."""


@dataclass(frozen=True, slots=True)
class Task:
    """A task a definition may call: its payload and what the synth adds to a state that does not say otherwise.

    One that ``answers_itself`` gives its result as the state's result, the others give it as ``Payload`` in that.
    """

    payload: type[Payload]
    resource: str
    timeout_seconds: int
    retried_errors: tuple[str, ...]
    answers_itself: bool = False

    @property
    def result(self) -> Fields | None:
        """The names in what the function answers; None where it does not say."""
        return self.payload.result

    def retry(self) -> list[dict[str, Any]]:
        """The standard ``Retry``: at most 40 seconds, spread out so that many journeys do not come back at once.

        Short, because an Express execution lasts five minutes; the sweep starts again what needs longer.
        """
        return [
            {
                "ErrorEquals": list(self.retried_errors),
                "IntervalSeconds": 2,
                "MaxAttempts": 4,
                "BackoffRate": 2.5,
                "MaxDelaySeconds": 20,
                "JitterStrategy": "FULL",
            }
        ]

    @property
    def counts_rounds(self) -> bool:
        """Whether a repeated call must say which round it is, because it does something once per round."""
        return "occurrence" in self.payload.model_fields


@cache
def journey_tasks(functions: Path = FUNCTIONS) -> Mapping[str, Task]:
    """The tasks by placeholder: ``${SendMessage}`` in a definition is the ARN of the function ``send_message``.

    Raises InvalidJourney when a folder under ``functions`` is wrong.
    """
    return {
        function.placeholder: _task(function, function.payload)
        for function in discover_functions(functions).values()
        if function.payload is not None
    }


def _task(function: FunctionFolder, payload: type[Payload]) -> Task:
    resource = INVOKE_AND_WAIT if function.manifest.waits else INVOKE
    seconds = max(_ONE_MINUTE, 2 * function.manifest.timeout_seconds)
    return Task(payload, resource, seconds, STANDARD.retried_errors, answers_itself=function.manifest.waits)


STANDARD: Final = Task(Payload, INVOKE, _ONE_MINUTE, (*TRANSIENT_ERRORS, "States.Timeout"))
"""What the synth adds to a task of its own."""
