"""Show people their inbox on the company's own pages, and take what they do with it. Called by the HTTP API, which browsers ask."""

from collections.abc import Sequence
from functools import cache
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response, content_types
from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.aws.clients import client
from waypost.aws.function_log import function_log
from waypost.aws.inbox import DynamoInboxReader
from waypost.aws.notice_queue import SqsNoticeQueue
from waypost.aws.secrets import SecretsManagerSecret
from waypost.clock import clock
from waypost.errors import RetryableError
from waypost.intake.http_answers import answer
from waypost.intake.http_request import Request
from waypost.intake.request_outcome import Refused, refuse
from waypost.intake.serve_inbox import Inbox, ServeInbox
from waypost.intake.webhook_secrets import KnownSecrets
from waypost.pages.inbox_script import inbox_script
from waypost.settings import Settings

logger = function_log("serve_inbox")
app = APIGatewayHttpResolver()

_PRIVATE = {"Cache-Control": "no-store"}
_PUBLIC = {
    "Cache-Control": "public, max-age=3600",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
}


@cache
def serve_inbox() -> ServeInbox:
    """Wire ServeInbox to its secret, table and queue; once per process."""
    settings = Settings.load()
    secrets = SecretsManagerSecret(client("secretsmanager"), settings.webhook_secrets)
    return ServeInbox(
        secrets=KnownSecrets(store=secrets, schemes={}, on_rejected=rejected_secrets),
        inboxes=DynamoInboxReader(client("dynamodb"), settings.contacts_table),
        queue=SqsNoticeQueue(client("sqs"), settings.notices_url),
        clock=clock(),
    )


def rejected_secrets(places: Sequence[str]) -> None:
    """Entries of the webhook secret were left out; the receiver of webhooks raises the alarm."""
    logger.warning("entries of the webhook secret are left out", extra={"entries": list(places)})


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one HTTP API request (payload format 2.0)."""
    return app.resolve(event, context)


@app.post("/v1/inbox/<action>")
def inbox(action: str) -> Response[Any]:
    """The inbox of one person, or something done with its messages."""
    return respond(serve_inbox().answer(action, Request.from_api_gateway(app.current_event.raw_event)))


@app.get("/v1/inbox.js", compress=True)
def script() -> Response[str]:
    """The script that shows the inbox on any page."""
    return Response(HTTPStatus.OK, "text/javascript; charset=utf-8", inbox_script(), _PUBLIC)


def unavailable(error: RetryableError) -> Response[Any]:
    """A service behind us failed; the page may ask again."""
    logger.warning("inbox not served for now", exc_info=error)
    return respond(refuse(HTTPStatus.SERVICE_UNAVAILABLE, "service", "should be called again after a moment"))


app.exception_handler(RetryableError)(unavailable)


def respond(outcome: Inbox | Refused) -> Response[Any]:
    """The HTTP answer. Nobody but the page may keep it."""
    match outcome:
        case Inbox():
            return Response(HTTPStatus.OK, content_types.APPLICATION_JSON, outcome.to_dict(), _PRIVATE)
        case Refused(status, problems):
            logger.info("refused", extra={"status": status, "problems": len(problems)})
            refused = answer(outcome)
            return Response(refused.status, content_types.APPLICATION_JSON, refused.body, _PRIVATE | refused.headers)
