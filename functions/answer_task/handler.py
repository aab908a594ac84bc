"""Show a member of staff a task and take the answer in. Called by the HTTP API, behind a link of the member's own."""

from functools import cache
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.clients import client
from waypost.aws.deployed_staff import deployed_staff
from waypost.aws.function_log import function_log
from waypost.aws.page_app import html, page_app, words
from waypost.aws.secrets import SecretsManagerSecret
from waypost.defaults import load_defaults
from waypost.errors import InvalidInput
from waypost.human_tasks import task_page as page
from waypost.human_tasks.answer_task import AnswerTask
from waypost.tracking.serve_page import form_of

logger = function_log("answer_task")
app = page_app(logger)


@cache
def answer_task() -> AnswerTask:
    """Wire AnswerTask to its stores and secret; once per process."""
    secret = SecretsManagerSecret(client("secretsmanager"), wiring.settings().link_secret)
    return assemble.answer_task(wiring, staff=deployed_staff, secret=secret, default_zone=load_defaults().time_zone)


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one HTTP API request (payload format 2.0)."""
    return app.resolve(event, context)


@app.route("/t/<token>", method=["GET", "HEAD"])
def show(token: str) -> Response[str]:
    """The page with the buttons; opening it answers nothing: scanners follow links."""
    return html(*page.task(words(app), answer_task().open(token)))


@app.post("/t/<token>")
def answer(token: str) -> Response[str]:
    """A button."""
    form = form_of(app.current_event.raw_event)
    try:
        result = answer_task().answer(token, answer=form.get("answer", ("",))[0], note=form.get("note", ("",))[0])
    except InvalidInput:
        _, content = page.task(words(app), answer_task().open(token))
        return html(HTTPStatus.BAD_REQUEST, content)
    return html(*page.answered(words(app), result))
