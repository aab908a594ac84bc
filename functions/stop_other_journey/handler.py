"""End another journey of the contact. Called by tasks of journeys."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.journeys.tasks.stop_other_journey import StopOtherJourney

logger = function_log("stop_other_journey")


@cache
def stop_other_journey() -> StopOtherJourney:
    """Wire StopOtherJourney to its stores; once per process."""
    return assemble.stop_other_journey(wiring)


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Do it; the answer says what came of it."""
    return stop_other_journey().stop(event)
