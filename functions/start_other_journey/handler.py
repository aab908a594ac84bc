"""Ask for another journey of the contact. Called by tasks of journeys."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.journeys.published import load_journeys
from waypost.journeys.tasks.start_other_journey import StartOtherJourney

logger = function_log("start_other_journey")


@cache
def start_other_journey() -> StartOtherJourney:
    """Wire StartOtherJourney to its stores; once per process."""
    return assemble.start_other_journey(wiring, journeys=load_journeys())


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Do it; the answer says what came of it."""
    return start_other_journey().start(event)
