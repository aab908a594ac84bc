"""Show what is to be approved and take the decision in. Called by the HTTP API, behind a link of the approver's own."""

from functools import cache
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response, content_types
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.approvals import approval_page as page
from waypost.approvals.decide_approval import DecideApproval
from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.clients import client
from waypost.aws.deployed_staff import deployed_staff
from waypost.aws.function_log import function_log
from waypost.aws.secrets import SecretsManagerSecret
from waypost.clock import clock
from waypost.content.catalogue import PublishedCatalogue
from waypost.errors import InvalidInput
from waypost.pages.texts import Texts, negotiate, texts

logger = function_log("decide_approval")
app = APIGatewayHttpResolver()


@cache
def decide_approval() -> DecideApproval:
    """Wire DecideApproval to its stores and secret; once per process."""
    secret = SecretsManagerSecret(client("secretsmanager"), wiring.settings().link_secret)
    return assemble.decide_approval(wiring, messages=PublishedCatalogue(), staff=deployed_staff, secret=secret)


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one HTTP API request (payload format 2.0)."""
    return app.resolve(event, context)


@app.route("/a/<token>", method=["GET", "HEAD"])
def ask(token: str) -> Response[str]:
    """The page with the buttons; opening it decides nothing."""
    approval = decide_approval().read(token)
    if approval is None:
        return html(HTTPStatus.BAD_REQUEST, page.not_ours(words()))
    views = decide_approval().views(approval)
    return html(HTTPStatus.OK, page.asking(words(), approval, views, token, clock()))


@app.get("/a/<token>/<view>")
def mail(token: str, view: str) -> Response[str]:
    """A mail as it looks."""
    approval = decide_approval().read(token)
    views = decide_approval().views(approval) if approval else []
    shown = next((each.html for each in views if each.name == view and each.html), "")
    if not shown:
        return html(HTTPStatus.NOT_FOUND, page.not_ours(words()))
    return Response(HTTPStatus.OK, f"{content_types.TEXT_HTML}; charset=utf-8", shown, page.mail_headers())


@app.post("/a/<token>")
def decide(token: str) -> Response[str]:
    """A button."""
    given = parse_qs(app.current_event.decoded_body or "", max_num_fields=10)
    try:
        approval = decide_approval().decide(
            token,
            decision=given.get("decision", [""])[0],
            digest=given.get("digest", [""])[0],
            comment=given.get("comment", [""])[0],
        )
    except InvalidInput:
        return html(HTTPStatus.CONFLICT, page.refused(words()))
    if approval is None:
        return html(HTTPStatus.BAD_REQUEST, page.not_ours(words()))
    return html(HTTPStatus.OK, page.done(words(), approval))


@app.not_found
def not_found(_: NotFoundError) -> Response[str]:
    """A link that was damaged on the way."""
    return html(HTTPStatus.BAD_REQUEST, page.not_ours(words()))


def html(status: HTTPStatus, content: str) -> Response[str]:
    """A page with the headers that keep the token in its address private."""
    return Response(status, f"{content_types.TEXT_HTML}; charset=utf-8", content, page.headers())


def words() -> Texts:
    """The texts in the visitor's language: the one chosen on the page, else what the browser prefers."""
    event = app.current_event
    chosen = event.query_string_parameters.get("lang") or ""
    return texts(negotiate(event.headers.get("accept-language") or "", chosen))
