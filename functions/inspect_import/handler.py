"""Look at a file of contacts and plan its import, or refuse it with the reason. Called by the operation import-contacts."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.importing.inspect_import import InspectImport

logger = function_log("inspect_import")


@cache
def inspect_import() -> InspectImport:
    """Wire InspectImport to its stores and settings; once per process."""
    return assemble.inspect_import(wiring)


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Plan the import; the same file read in the same way is the same run."""
    return inspect_import().inspect(event)
