"""Plan an audience, or refuse it with the reason. Called by the operation build-audience."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.audiences.plan_audience import PlanAudience
from waypost.aws import audiences
from waypost.aws.function_log import function_log

logger = function_log("plan_audience")


@cache
def plan_audience() -> PlanAudience:
    """Wire PlanAudience to its stores and settings; once per process."""
    return audiences.planner()


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Plan the audience: the moment, the rule, the slices."""
    return plan_audience().plan(event)
