"""Show the sending policy in force, or change it. Called by the operation change-policy."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.policies.change_policy import ChangePolicy
from waypost.sending.policy import load_sending_policy

logger = function_log("change_policy")


@cache
def change_policy() -> ChangePolicy:
    """Wire ChangePolicy to its store and the deployed policy; once per process."""
    return ChangePolicy(deployed=load_sending_policy(), store=wiring.policies(), clock=wiring.clock())


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Do what is asked for; the answer has each section as it is and as it would be."""
    return change_policy().act(event)
