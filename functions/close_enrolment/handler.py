"""End an enrolment. Called by hops as they come to the end of their journey."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.events.listening import load_listening
from waypost.journeys.close_enrolment import CloseEnrolment

logger = function_log("close_enrolment")


@cache
def close_enrolment() -> CloseEnrolment:
    """Wire CloseEnrolment to its stores and settings; once per process."""
    return assemble.close_enrolment(wiring, listening=load_listening())


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Close the enrolment; closing it again changes nothing."""
    return close_enrolment().close(event)
