"""Count what became of all rows of an import and write its report. Called by the operation import-contacts."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.importing.finish_import import FinishImport

logger = function_log("finish_import")


@cache
def finish_import() -> FinishImport:
    """Wire FinishImport to its stores and settings; once per process."""
    return assemble.finish_import(wiring)


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Write the report; it is also the output of the operation."""
    return finish_import().report(event)
