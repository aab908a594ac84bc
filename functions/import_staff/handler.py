"""Take the members of staff from a CSV file. Called by the operation import-staff."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.staff.directory import load_directory
from waypost.staff.import_staff import ImportStaff

logger = function_log("import_staff")


@cache
def import_staff() -> ImportStaff:
    """Wire ImportStaff to its store, the bucket and the bus; once per process."""
    return assemble.import_staff(wiring, deployed=load_directory)


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Take the file, or say what is wrong with it; nothing of it is kept then."""
    return import_staff().take(event)
