"""Lead readers on from the links of messages, and answer the pixel. Called by the HTTP API: readers, mail programs and scanners."""

from functools import cache
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.aws import wiring
from waypost.aws.clients import client
from waypost.aws.function_log import function_log
from waypost.aws.page_app import page_app, words
from waypost.aws.queue import SqsEventQueue
from waypost.aws.recent_clicks import DynamoRecentClicks
from waypost.aws.secrets import SecretsManagerSecret
from waypost.clock import clock, real_now
from waypost.tracking import link_page
from waypost.tracking.follow_link import FollowLink

logger = function_log("follow_link")
app = page_app(logger)


@cache
def follow_link() -> FollowLink:
    """Wire FollowLink to its secret, ledger and queue; once per process."""
    settings = wiring.settings()
    return FollowLink(
        secret=SecretsManagerSecret(client("secretsmanager"), settings.link_secret),
        rows=wiring.ledger(),
        clicks=DynamoRecentClicks(client("dynamodb"), settings.contacts_table),
        queue=SqsEventQueue(client("sqs"), settings.events_queue_url),
        clock=clock(),
        real_clock=real_now,
    )


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one HTTP API request (payload format 2.0)."""
    return app.resolve(event, context)


@app.route("/r/<token>", method=["GET", "HEAD"])
def follow(token: str) -> Response[str]:
    """On to where the link leads."""
    status, page, headers = link_page.answer(words(app), follow_link().follow(token, app.current_event.raw_event))
    return Response(status, "text/html; charset=utf-8", page, headers)


@app.route("/o/<token>", method=["GET", "HEAD"])
def show_pixel(token: str) -> Response[bytes]:
    """The picture that mail programs load when a message is opened."""
    is_ours = follow_link().open(token, app.current_event.raw_event)
    return Response(
        HTTPStatus.OK if is_ours else HTTPStatus.BAD_REQUEST, "image/gif", link_page.PIXEL, link_page.UNSEEN
    )
