"""Plan an audience, or refuse it with the reason. Called by the operation build-audience."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.audiences.plan_audience import PlanAudience
from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.defaults import load_defaults
from waypost.events.listening import load_listening
from waypost.segments.saved_segments import load_saved_segments

logger = function_log("plan_audience")


@cache
def plan_audience() -> PlanAudience:
    """Wire PlanAudience to its stores and settings; once per process."""
    return assemble.plan_audience(
        wiring,
        segments=load_saved_segments(),
        default_zone=load_defaults().time_zone,
        listening=load_listening(),
    )


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Plan the audience: the moment, the rule, the slices."""
    return plan_audience().plan(event)
