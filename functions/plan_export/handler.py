"""Plan an export of contacts, or refuse it with the reason. Called by the operation export-contacts."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.aws import wiring
from waypost.exporting.runs import ExportPlanner
from waypost.segments.saved import load_saved_segments

logger = Logger(service="plan_export")


@cache
def planner() -> ExportPlanner:
    """The planner, wired."""
    return ExportPlanner(files=wiring.files(), scan=wiring.profile_scan(), segments=load_saved_segments())


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Plan the export: its columns and its slices."""
    return planner().plan(event)
