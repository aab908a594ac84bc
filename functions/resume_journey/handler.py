"""End the pauses of a shard whose time has come. Called by the one-time schedule of the minute and shard."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.defaults import load_defaults
from waypost.events.listening import load_listening
from waypost.journeys.resume_journey import ResumeJourney

logger = function_log("resume_journey")


@cache
def resume_journey() -> ResumeJourney:
    """Wire ResumeJourney to its stores and settings; once per process."""
    return assemble.resume_journey(wiring, default_zone=load_defaults().time_zone, listening=load_listening())


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Resume who is due, unless something else was first; the answer counts them by effect."""
    resumed = resume_journey().resume(event)
    logger.info("pauses ended by time", extra=resumed)
    return resumed
