"""Show the unsubscribe page and take the wish in. Called by the HTTP API: people by GET, buttons and mail clients by POST."""

from functools import cache
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.aws.address_records import DynamoAddressRecords
from waypost.aws.clients import client
from waypost.aws.function_log import function_log
from waypost.aws.page_app import html, page_app, words
from waypost.aws.queue import SqsEventQueue
from waypost.aws.secrets import SecretsManagerSecret
from waypost.clock import clock
from waypost.pages.notices import not_ours
from waypost.settings import Settings
from waypost.tracking import unsubscribe_page as page
from waypost.tracking.unsubscribe_contact import UnsubscribeContact

logger = function_log("unsubscribe_contact")
app = page_app(logger)


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
    return respond(page.asking(words(app), asked) if (asked := unsubscribe_contact().read(token)) else None)


@app.post("/u/<token>")
def confirm(token: str) -> Response[str]:
    """The button, or a mail client's one-click post (RFC 8058). The body is not read: only people's will is posted."""
    request_id = app.current_event.request_context.request_id
    asked = unsubscribe_contact().unsubscribe(token, correlation_id=request_id)
    return respond(page.done(words(app), asked) if asked else None)


def respond(content: str | None) -> Response[str]:
    """The page, or the one for a link we did not make."""
    return html(HTTPStatus.OK, content) if content else html(HTTPStatus.BAD_REQUEST, not_ours(words(app)))
