"""Put the slices of an audience together: manifest, count, card. Called by build-audience and preview-segment, at their end."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.audiences.gather_audience import GatherAudience
from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.segments.saved_segments import load_saved_segments

logger = function_log("gather_audience")


@cache
def gather_audience() -> GatherAudience:
    """Wire GatherAudience to its stores and settings; once per process."""
    return assemble.gather_audience(wiring, segments=load_saved_segments())


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Freeze the audience."""
    return gather_audience().gather(event)
