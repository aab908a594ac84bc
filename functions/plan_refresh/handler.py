"""Cut the base into slices for a refresh, or say that there is nothing to do. Called by refresh-contacts, first."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.contacts.tag_system import load_tag_system
from waypost.metrics.declaration import load_metrics
from waypost.metrics.plan_refresh import PlanRefresh
from waypost.products.catalogue import load_catalogue
from waypost.segments.index import load_index
from waypost.segments.saved_segments import load_saved_segments

logger = function_log("plan_refresh")


@cache
def plan_refresh() -> PlanRefresh:
    """Wire PlanRefresh to its stores and settings; once per process."""
    return assemble.plan_refresh(
        wiring,
        metrics=load_metrics(),
        tags=load_tag_system(),
        index=load_index(),
        segments=load_saved_segments(),
        catalogue=load_catalogue,
    )


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The slices of the run."""
    return plan_refresh().plan(event)
