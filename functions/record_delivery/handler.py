"""Turn a provider's notice about a message into an event. Called by EventBridge on SES and SMS notices."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.tracking.record_delivery import RecordDelivery

logger = function_log("record_delivery")


@cache
def record_delivery() -> RecordDelivery:
    """The service, wired."""
    return assemble.record_delivery(wiring)


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Queue what the notice reports."""
    return record_delivery().record(event)
