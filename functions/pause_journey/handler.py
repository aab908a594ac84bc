"""Take a hop, and park its contact until a time or an event. Called by hops as they begin and at each Pause."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.defaults import load_defaults
from waypost.journeys.pause_journey import PauseJourney

logger = function_log("pause_journey")


@cache
def pause_journey() -> PauseJourney:
    """Wire PauseJourney to its stores and settings; once per process."""
    return assemble.pause_journey(wiring, default_zone=load_defaults().time_zone)


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer the hop: parked, over with the result, or left."""
    return pause_journey().ask(event)
