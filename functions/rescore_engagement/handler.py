"""Judge again who opened and clicked. Called by the operation rescore-engagement, for many slices at once, until each is done."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.tracking.rescore_engagement import RescoreEngagement

logger = function_log("rescore_engagement")


@cache
def rescore_engagement() -> RescoreEngagement:
    """Wire RescoreEngagement to its stores and settings; once per process."""
    return assemble.rescore_engagement(wiring)


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Rescore for some time; the answer says whether the slice is done."""
    return rescore_engagement().rescore(event, remaining=context.get_remaining_time_in_millis)
