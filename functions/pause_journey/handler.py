"""Park a journey until a time or an event. Called by Pause tasks, with their task token."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.aws import wiring
from waypost.clock import clock
from waypost.defaults import load_defaults
from waypost.journeys.pause_journey import PauseJourney

logger = Logger(service="pause_journey")


@cache
def pause_journey() -> PauseJourney:
    """The parker, wired."""
    return PauseJourney(
        contacts=wiring.contacts(),
        enrolments=wiring.enrolments(),
        pauses=wiring.pauses(),
        history=wiring.history(),
        schedules=wiring.schedules(),
        tokens=wiring.tokens(),
        default_zone=load_defaults().time_zone,
        clock=clock(),
    )


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Park the task; the answer is for the log, the task's result comes by its token."""
    parked = pause_journey().park(event)
    logger.info("journey paused", extra=parked)
    return parked
