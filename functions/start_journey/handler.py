"""Start a journey by hand or by the clock. Called by the operation start-journey, part by part."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.defaults import load_defaults
from waypost.journeys.published import load_journeys
from waypost.journeys.start_journey import StartJourney

logger = function_log("start_journey")


@cache
def start_journey() -> StartJourney:
    """Wire StartJourney to its stores and the published journeys; once per process."""
    return assemble.start_journey(wiring, journeys=load_journeys(), default_zone=load_defaults().time_zone)


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Ask for the journey for the next contacts; the answer says whether they were the last."""
    return start_journey().start(event, remaining=context.get_remaining_time_in_millis)
