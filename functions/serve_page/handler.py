"""Show the pages on which people say what they want, and take it in. Called by the HTTP API."""

from functools import cache
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.aws import wiring
from waypost.aws.clients import client
from waypost.aws.function_log import function_log
from waypost.aws.page_app import html, page_app, words
from waypost.aws.queue import SqsEventQueue
from waypost.aws.secrets import SecretsManagerSecret
from waypost.clock import clock, real_now
from waypost.tracking import choice_pages
from waypost.tracking.declared_pages import load_pages
from waypost.tracking.serve_page import ServePage, form_of

logger = function_log("serve_page")
app = page_app(logger)


@cache
def serve_page() -> ServePage:
    """Wire ServePage to its stores and secret; once per process."""
    settings = wiring.settings()
    return ServePage(
        secret=SecretsManagerSecret(client("secretsmanager"), settings.link_secret),
        queue=SqsEventQueue(client("sqs"), settings.events_queue_url),
        contacts=wiring.contacts(),
        addresses=wiring.addresses(),
        pages=load_pages(),
        clock=clock(),
        real_clock=real_now,
    )


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one HTTP API request (payload format 2.0)."""
    return app.resolve(event, context)


@app.route("/c/<token>", method=["GET", "HEAD"])
def ask_consent(token: str) -> Response[str]:
    """The page with the button; following a link never confirms anything."""
    service = serve_page()
    return html(*choice_pages.asking_consent(words(app), service.consent_request(token), service.pages))


@app.post("/c/<token>")
def confirm_consent(token: str) -> Response[str]:
    """The button."""
    service, texts = serve_page(), words(app)
    asked = service.confirm_consent(token, app.current_event.raw_event, language=texts.language)
    return html(*choice_pages.consent_confirmed(texts, asked, service.pages))


@app.route("/p/<token>", method=["GET", "HEAD"])
def show_preferences(token: str) -> Response[str]:
    """What the contact can choose and has chosen."""
    service = serve_page()
    return html(*choice_pages.preferences(words(app), service.choices(token), service.pages))


@app.post("/p/<token>")
def save_preferences(token: str) -> Response[str]:
    """Take the choice in."""
    service, texts = serve_page(), words(app)
    chosen = service.choose(token, app.current_event.raw_event, language=texts.language)
    return html(*choice_pages.preferences(texts, chosen, service.pages, saved=True))


@app.route("/s/<token>/<survey>", method=["GET", "HEAD"])
def show_survey(token: str, survey: str) -> Response[str]:
    """The questions."""
    texts = words(app)
    asked = serve_page().open_survey(token, survey, app.current_event.raw_event, language=texts.language)
    return html(*choice_pages.survey(texts, asked))


@app.post("/s/<token>/<survey>")
def answer_survey(token: str, survey: str) -> Response[str]:
    """Take the answers in."""
    service, texts, request = serve_page(), words(app), app.current_event.raw_event
    answer = service.answer(token, survey, request, language=texts.language)
    return html(*choice_pages.answered(texts, answer, service.survey(token, survey), form_of(request)))


@app.route("/l/<name>", method=["GET", "HEAD"])
def show_landing(name: str) -> Response[str]:
    """A page of our own that everybody may see."""
    return html(*choice_pages.landing(words(app), serve_page().pages.landings.get(name)))
