"""Call a system of the company's own, and give its answer. Called by Call tasks of journeys."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.clients import client
from waypost.aws.destinations import SecretsManagerDestinations
from waypost.aws.function_log import function_log
from waypost.destinations.call_webhook import CallWebhook
from waypost.destinations.declared import load_destinations
from waypost.http.poster import PinnedPoster

logger = function_log("call_webhook")
metrics = Metrics(service="call_webhook")


@cache
def call_webhook() -> CallWebhook:
    """Wire CallWebhook to its stores and settings; once per process."""
    settings = wiring.settings()
    return assemble.call_webhook(
        wiring,
        destinations=load_destinations(),
        secrets=SecretsManagerDestinations(client("secretsmanager"), settings.destination_secrets),
        poster=PinnedPoster(loopback=bool(settings.loopback_receivers)),
        endpoint=settings.called_webhooks,
    )


@logger.inject_lambda_context
@metrics.log_metrics
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Make the call; the answer says what came of it."""
    answer = call_webhook().call(event)
    metrics.add_metric(name=f"Webhooks{answer['outcome'].title()}", unit=MetricUnit.Count, value=1)
    return answer
