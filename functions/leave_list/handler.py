"""Take off a full list who is not in its file. Called by the operation import-contacts, for many slices at once, until each is done."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.contacts.identity.rules import load_identity_rules
from waypost.importing.leave_list import LeaveList

logger = function_log("leave_list")


@cache
def leave_list() -> LeaveList:
    """Wire LeaveList to its stores and settings; once per process."""
    return assemble.leave_list(wiring, identity_rules=load_identity_rules())


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Compare some contacts with the file; the answer says whether the slice is done."""
    answer = leave_list().step(event, remaining=context.get_remaining_time_in_millis)
    logger.info("contacts compared", extra=answer)
    return answer
