"""Turn a provider's notice about a message into an event. Called by EventBridge on SES and SMS notices."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.aws import wiring
from waypost.aws.clients import client
from waypost.aws.queue import SqsEventQueue
from waypost.clock import clock
from waypost.tracking.record_delivery import delivery_events

logger = Logger(service="record_delivery")


@cache
def queue() -> SqsEventQueue:
    """The events queue."""
    return SqsEventQueue(client("sqs"), wiring.settings().events_queue_url)


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Queue what the notice says."""
    events = delivery_events(event, clock=clock())
    queue().send(events)
    return {"queued": len(events)}
