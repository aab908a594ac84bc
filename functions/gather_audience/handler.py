"""Put the slices of an audience together: manifest, count, card. Called by build-audience and preview-segment, at their end."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.audiences.gather_audience import GatherAudience
from waypost.aws import audiences
from waypost.aws.function_log import function_log

logger = function_log("gather_audience")


@cache
def gather_audience() -> GatherAudience:
    """Wire GatherAudience to its stores and settings; once per process."""
    return audiences.gatherer()


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Freeze the audience."""
    return gather_audience().gather(event)
