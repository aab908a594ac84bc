"""Close the enrolment of an execution that has ended. Called by EventBridge on execution status changes."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.aws import wiring
from waypost.aws.clients import client
from waypost.aws.queue import SqsEventQueue
from waypost.clock import clock
from waypost.journeys.close_enrolment import CloseEnrolment

logger = Logger(service="close_enrolment")


@cache
def close_enrolment() -> CloseEnrolment:
    """The closer, wired."""
    return CloseEnrolment(
        enrolments=wiring.enrolments(),
        pauses=wiring.pauses(),
        schedules=wiring.schedules(),
        queue=SqsEventQueue(client("sqs"), wiring.settings().events_queue_url),
        clock=clock(),
    )


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Close the enrolment; closing it again changes nothing."""
    closed = close_enrolment().close(event)
    logger.info("enrolment closed", extra=closed)
    return closed
