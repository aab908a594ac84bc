"""Build one slice of an audience. Called by build-audience and preview-segment, for many slices at once, until each is done."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.audiences.build_audience_slice import BuildAudienceSlice
from waypost.aws import wiring
from waypost.aws.function_log import function_log

logger = function_log("build_audience_slice")


@cache
def build_audience_slice() -> BuildAudienceSlice:
    """Wire BuildAudienceSlice to its stores and settings; once per process."""
    return assemble.build_audience_slice(wiring)


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Go on with the slice for as long as the call may last."""
    return build_audience_slice().step(event, remaining=context.get_remaining_time_in_millis)
