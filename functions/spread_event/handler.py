"""Give one event to everybody whose profile fits a rule. Called by the operation spread-event, part by part."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.audiences.spread_event import SpreadEvent
from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.defaults import load_defaults

logger = function_log("spread_event")


@cache
def spread_event() -> SpreadEvent:
    """Wire SpreadEvent to the base and the queue; once per process."""
    return assemble.spread_event(wiring, default_zone=load_defaults().time_zone)


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Go through the next part of the base; the answer says whether it was the last."""
    return spread_event().spread(event, remaining=context.get_remaining_time_in_millis)
