"""Show what closed a contact's address, or open it again. Called by the operation lift-suppression."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.contacts.lift_suppression import LiftSuppression

logger = function_log("lift_suppression")


@cache
def lift_suppression() -> LiftSuppression:
    """Wire LiftSuppression to its stores and settings; once per process."""
    return assemble.lift_suppression(wiring)


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Do what is asked for; the answer says what is known of the address."""
    return lift_suppression().act(event)
