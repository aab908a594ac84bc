"""Write down the contacts of one slice. Called by the operation export-contacts, for many slices at once, until each is done."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.exporting.export_slice import ExportSlice

logger = function_log("export_slice")


@cache
def export_slice() -> ExportSlice:
    """Wire ExportSlice to its stores and settings; once per process."""
    return assemble.export_slice(wiring)


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Export for some time; the answer says whether the slice is done."""
    return export_slice().step(event, remaining=context.get_remaining_time_in_millis)
