"""Gather the slices of an export into a file. Called by the operation export-contacts until all are in one."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.exporting.finish_export import FinishExport

logger = function_log("finish_export")


@cache
def finish_export() -> FinishExport:
    """Wire FinishExport to its stores and settings; once per process."""
    return assemble.finish_export(wiring)


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Write one file; the answer says which are written, and whether there is more."""
    return finish_export().gather(event)
