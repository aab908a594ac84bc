"""Plan an audience, or refuse it with the reason. Called by the operation build-audience."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.aws import audiences
from waypost.segments.audience import AudiencePlanner

logger = Logger(service="plan_audience")


@cache
def planner() -> AudiencePlanner:
    """The planner, wired."""
    return audiences.planner()


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Plan the audience: the moment, the rule, the slices."""
    return planner().plan(event)
