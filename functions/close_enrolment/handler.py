"""End an enrolment. Called by hops as they come to the end of their journey."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.aws import wiring

logger = Logger(service="close_enrolment")


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Close the enrolment; closing it again changes nothing."""
    closed = wiring.closer().close(event)
    logger.info("enrolment closed", extra=closed)
    return closed
