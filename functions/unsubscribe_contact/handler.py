"""Show the unsubscribe page and take the wish in. Called by the HTTP API: people by GET, buttons and mail clients by POST."""

from functools import cache
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response, content_types
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.aws.address_records import DynamoAddressRecords
from waypost.aws.clients import client
from waypost.aws.function_log import function_log
from waypost.aws.queue import SqsEventQueue
from waypost.aws.secrets import SecretsManagerSecret
from waypost.clock import clock
from waypost.errors import RetryableError
from waypost.pages.texts import Texts, negotiate, texts
from waypost.settings import Settings
from waypost.tracking import unsubscribe_page as page
from waypost.tracking.unsubscribe_contact import UnsubscribeContact

logger = function_log("unsubscribe_contact")
app = APIGatewayHttpResolver()


@cache
def unsubscribe_contact() -> UnsubscribeContact:
    """Wire UnsubscribeContact to its queue and secret; once per process."""
    settings = Settings.load()
    return UnsubscribeContact(
        queue=SqsEventQueue(client("sqs"), settings.events_queue_url),
        addresses=DynamoAddressRecords(client("dynamodb"), settings.contacts_table),
        secret=SecretsManagerSecret(client("secretsmanager"), settings.link_secret),
        clock=clock(),
    )


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one HTTP API request (payload format 2.0)."""
    return app.resolve(event, context)


@app.route("/u/<token>", method=["GET", "HEAD"])
def ask(token: str) -> Response[str]:
    """The page with the button; following a link never unsubscribes anyone. Scanners of links ask for its head only."""
    return respond(page.asking(words(), asked) if (asked := unsubscribe_contact().read(token)) else None)


@app.post("/u/<token>")
def confirm(token: str) -> Response[str]:
    """The button, or a mail client's one-click post (RFC 8058). The body is not read: only people's will is posted."""
    request_id = app.current_event.request_context.request_id
    asked = unsubscribe_contact().unsubscribe(token, correlation_id=request_id)
    return respond(page.done(words(), asked) if asked else None)


@app.not_found
def not_found(_: NotFoundError) -> Response[str]:
    """A link that was damaged on the way, so that it is not even a token."""
    return respond(None)


def unavailable(error: RetryableError) -> Response[str]:
    """A service behind us failed; mail clients post again after a 503."""
    logger.warning("wish not stored for now", exc_info=error)
    return html(HTTPStatus.SERVICE_UNAVAILABLE, page.later(words()), {"Retry-After": "60"})


app.exception_handler(RetryableError)(unavailable)


def respond(content: str | None) -> Response[str]:
    """The page, or the one for a link we did not make."""
    return html(HTTPStatus.OK, content) if content else html(HTTPStatus.BAD_REQUEST, page.not_ours(words()))


def html(status: HTTPStatus, content: str, headers: dict[str, str] | None = None) -> Response[str]:
    """A page with the headers that keep the token in its address private."""
    return Response(status, f"{content_types.TEXT_HTML}; charset=utf-8", content, {**page.headers(), **(headers or {})})


def words() -> Texts:
    """The texts in the visitor's language: the one chosen on the page, else what the browser prefers."""
    event = app.current_event
    chosen = event.query_string_parameters.get("lang") or ""
    return texts(negotiate(event.headers.get("accept-language") or "", chosen))
