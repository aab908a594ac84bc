"""Turn a provider's notice about a message into an event. Called by EventBridge on SES and SMS notices."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.clock import clock
from waypost.tracking.record_delivery import delivery_events

logger = function_log("record_delivery")


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Queue what the notice says."""
    events = delivery_events(event, clock=clock())
    wiring.queue().send(events)
    return {"queued": len(events)}
