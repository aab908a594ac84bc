"""Import the rows of one part of a file. Called by the operation import-contacts, for many parts at once."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.contacts.identity.rules import load_identity_rules
from waypost.importing.import_part import ImportPart

logger = function_log("import_part")


@cache
def import_part() -> ImportPart:
    """Wire ImportPart to its stores and settings; once per process."""
    return assemble.import_part(wiring, identity_rules=load_identity_rules())


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Import the part; one that is done is not done again."""
    answer = import_part().import_part(event)
    logger.info("part imported", extra={"run": event["run"], "part": event["part"], **answer})
    return answer
