"""Take the members of staff from WeCom. Called by the operation sync-staff."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.staff.sync_staff import SyncStaff

logger = function_log("sync_staff")


@cache
def sync_staff() -> SyncStaff:
    """Wire SyncStaff to its store, the provider and the bus; once per process."""
    return assemble.sync_staff(wiring, source=wiring.staff_source)


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Take the list that WeCom has now, or say why there is none; nothing is changed then."""
    return sync_staff().take(event)
