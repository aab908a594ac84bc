"""End the pauses of a shard whose time has come. Called by the one-time schedule of the minute and shard."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.aws import wiring

logger = Logger(service="resume_journey")


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Resume who is due, unless something else was first; the answer counts them by effect."""
    resumed = wiring.resumer().resume(event)
    logger.info("pauses ended by time", extra=resumed)
    return resumed
