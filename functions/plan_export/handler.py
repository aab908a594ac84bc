"""Plan an export of contacts, or refuse it with the reason. Called by the operation export-contacts."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.exporting.plan_export import PlanExport
from waypost.segments.saved_segments import load_saved_segments

logger = function_log("plan_export")


@cache
def plan_export() -> PlanExport:
    """Wire PlanExport to its stores and settings; once per process."""
    return assemble.plan_export(wiring, segments=load_saved_segments())


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Plan the export: its columns and its slices."""
    return plan_export().plan(event)
