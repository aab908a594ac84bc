"""Tell other systems what happened, signed, until they take it. Called by the queue of each destination."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.aws import wiring
from waypost.aws.clients import client
from waypost.aws.destinations import (
    DeliveryBatch,
    DestinationQueues,
    DynamoDestinationStates,
    RememberedStates,
    SecretsManagerDestinations,
)
from waypost.aws.function_log import function_log
from waypost.destinations.declared import load_destinations
from waypost.destinations.deliver_event import DeliverEvent
from waypost.http.poster import PinnedPoster

logger = function_log("deliver_event")
metrics = Metrics(service="deliver_event")


@cache
def batch() -> DeliveryBatch:
    """Wire DeliveryBatch to its stores and settings; once per process."""
    queues = DestinationQueues(client("sqs"), wiring.settings().destination_queues)
    return DeliveryBatch(deliverer=deliver_event(), queues=queues)


@cache
def deliver_event() -> DeliverEvent:
    """Wire DeliverEvent to its stores and settings; once per process."""
    settings = wiring.settings()
    return DeliverEvent(
        destinations=load_destinations(),
        contacts=wiring.contacts(),
        secrets=SecretsManagerDestinations(client("secretsmanager"), settings.destination_secrets),
        states=RememberedStates(DynamoDestinationStates(client("dynamodb"), settings.contacts_table)),
        poster=PinnedPoster(loopback=bool(settings.loopback_receivers)),
    )


@logger.inject_lambda_context
@metrics.log_metrics
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Deliver a batch; the answer names the messages that come back."""
    processor = batch()
    answer = processor.process(event)
    for destination, message_id, outcome in processor.outcomes:
        kind = type(outcome).__name__
        metrics.add_metric(name=f"Events{kind}", unit=MetricUnit.Count, value=1)
        reason = getattr(outcome, "reason", "")
        logger.info(
            "event delivery",
            extra={"destination": destination, "message_id": message_id, "outcome": kind, "reason": reason},
        )
    return answer
