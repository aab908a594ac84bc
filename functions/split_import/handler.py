"""Cut a file of contacts into parts of whole rows. Called by the operation import-contacts until it is done."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.importing.split_import import SplitImport

logger = function_log("split_import")


@cache
def split_import() -> SplitImport:
    """Wire SplitImport to its stores and settings; once per process."""
    return assemble.split_import(wiring)


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Cut for some time; the answer says where to go on."""
    return split_import().divide(event)
