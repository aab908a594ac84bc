"""Say whether a contact is in a segment. Called by Split tasks of journeys."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.defaults import load_defaults
from waypost.journeys.tasks.evaluate_segment import EvaluateSegment
from waypost.segments.saved_segments import load_saved_segments

logger = function_log("evaluate_segment")


@cache
def evaluate_segment() -> EvaluateSegment:
    """Wire EvaluateSegment to its stores and settings; once per process."""
    return assemble.evaluate_segment(wiring, segments=load_saved_segments(), default_zone=load_defaults().time_zone)


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Evaluate the rule for the contact of the journey."""
    return evaluate_segment().evaluate(event)
