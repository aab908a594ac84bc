"""Take events in over HTTP: Segment calls and signed webhooks. Called by the HTTP API, which posts what systems send."""

from collections.abc import Callable, Sequence
from functools import cache
from http import HTTPStatus
from typing import Any, assert_never

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response, content_types
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.aws.clients import client
from waypost.aws.function_log import function_log
from waypost.aws.queue import SqsEventQueue
from waypost.aws.rejected_items import SqsRejectedItems
from waypost.aws.secrets import SecretsManagerSecret
from waypost.aws.webhook_log import DynamoWebhookLog
from waypost.clock import clock
from waypost.errors import RetryableError
from waypost.intake import api_document, segment_spec
from waypost.intake.http_answers import answer
from waypost.intake.http_request import Request
from waypost.intake.receive_webhook import ReceiveWebhook
from waypost.intake.request_outcome import Accepted, Refused, refuse
from waypost.intake.source_mapping import load_source_mappings
from waypost.settings import Settings

logger = function_log("receive_webhook")
metrics = Metrics(service="receive_webhook")
app = APIGatewayHttpResolver()


@cache
def receive_webhook() -> ReceiveWebhook:
    """Wire ReceiveWebhook to its queue, secrets and log; once per process."""
    settings = Settings.load()
    return ReceiveWebhook(
        queue=SqsEventQueue(client("sqs"), settings.events_queue_url),
        secrets=SecretsManagerSecret(client("secretsmanager"), settings.webhook_secrets),
        log=DynamoWebhookLog(client("dynamodb"), settings.contacts_table),
        rejected=SqsRejectedItems(client("sqs"), settings.rejected_items_url),
        clock=clock(),
        mappings=load_source_mappings(),
        on_rejected_secrets=rejected_secrets,
    )


def rejected_secrets(places: Sequence[str]) -> None:
    """Entries of the webhook secret were left out: an alarm, and their places in the log, never a value."""
    logger.error("entries of the webhook secret are left out", extra={"entries": list(places)})
    count_events("SecretEntriesRejected", len(places))


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one HTTP API request (payload format 2.0)."""
    return app.resolve(event, context)


def segment(call: str) -> Callable[[], Response[Any]]:
    """The route of a Segment call."""

    def receive() -> Response[Any]:
        request = Request.from_api_gateway(app.current_event.raw_event)
        accepted_status = segment_spec.accepted_status(request.header("user-agent"))
        return respond(receive_webhook().segment(call, request), accepted_status)

    return receive


for name in segment_spec.MODELS:
    app.post(f"/v1/{name}", **api_document.segment_route(name))(segment(name))
for path, name in segment_spec.OTHER_PATHS.items():
    app.post(f"/v1/{path}", include_in_schema=False)(segment(name))


@app.post("/v1/webhooks/<source>", **api_document.webhook_route())
def webhook(source: str) -> Response[Any]:
    """A signed webhook of one source."""
    return respond(receive_webhook().webhook(source, Request.from_api_gateway(app.current_event.raw_event)))


@app.get("/openapi.json", include_in_schema=False)
def openapi() -> dict[str, Any]:
    """The API's description for machines."""
    return api_document.document(app, Settings.load().api_url)


@app.get("/docs", include_in_schema=False, compress=True)
def docs() -> Response[str]:
    """The API's description for people."""
    page = api_document.swagger_page(api_document.document(app, Settings.load().api_url))
    return Response(HTTPStatus.OK, content_types.TEXT_HTML, page)


@app.not_found
def not_found(_: NotFoundError) -> Response[Any]:
    """A route that does not exist."""
    return respond(refuse(404, "path", "there is no such route; /docs shows those there are"))


def unavailable(error: RetryableError) -> Response[Any]:
    """A service behind us failed. Nothing is lost: the sender keeps the events and sends them again."""
    logger.warning("events not accepted for now", exc_info=error)
    return respond(refuse(503, "service", "should be called again after a moment; not all events may be stored"))


app.exception_handler(RetryableError)(unavailable)


def respond(outcome: Accepted | Refused, accepted_status: int = HTTPStatus.ACCEPTED) -> Response[Any]:
    """The HTTP answer to an outcome, counted. The log names no field and no reason: both may hold personal data."""
    match outcome:
        case Accepted(count, warnings, rejected):
            count_events("EventsAccepted", count)
            if outcome.beyond_write_key:
                count_events("BeyondWriteKey", outcome.beyond_write_key)
            if rejected:
                count_events("EventsRefused", rejected)
            if warnings:
                logger.info("accepted in part", extra={"warnings": len(warnings), "rejected": rejected})
        case Refused(status, problems):
            count_events("RequestsRefused", 1)
            logger.info("refused", extra={"status": status, "problems": len(problems)})
        case _:
            assert_never(outcome)
    response = answer(outcome, accepted_status=accepted_status)
    return Response(response.status, content_types.APPLICATION_JSON, response.body, response.headers)


def count_events(name: str, count: int) -> None:
    """Count events, at once: requests for the API's description count nothing."""
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=count)
    metrics.flush_metrics()
