"""Show where a contact stands in its journeys, or end one. Called by the operation stop-journey."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.journeys.stop_journey import StopJourney

logger = function_log("stop_journey")


@cache
def stop_journey() -> StopJourney:
    """Wire StopJourney to its stores and settings; once per process."""
    return assemble.stop_journey(wiring)


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Do what is asked for; the answer says where the contact stood."""
    return stop_journey().act(event)
