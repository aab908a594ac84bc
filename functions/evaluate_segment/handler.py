"""Say whether a contact is in a segment. Called by Split tasks of journeys."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.aws import wiring
from waypost.clock import clock
from waypost.segments.evaluating import SegmentEvaluator

logger = Logger(service="evaluate_segment")


@cache
def evaluator() -> SegmentEvaluator:
    """The evaluator, wired."""
    return SegmentEvaluator(
        contacts=wiring.contacts(), enrolments=wiring.enrolments(), history=wiring.history(), clock=clock()
    )


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Evaluate the rule for the contact of the journey."""
    return evaluator().evaluate(event)
