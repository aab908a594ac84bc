"""End a pause whose time has come. Called by the pause's one-time schedule."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.aws import wiring

logger = Logger(service="resume_journey")


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Resume the journey unless something else was first."""
    resumed = wiring.resumer().resume(event)
    logger.info("pause ended by time", extra=resumed)
    return resumed
