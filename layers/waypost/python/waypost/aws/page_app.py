"""The answers of functions that people open by a link: HTML, in the visitor's language, with private headers."""

from collections.abc import Mapping
from http import HTTPStatus

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response, content_types
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from waypost.errors import RetryableError
from waypost.pages import notices
from waypost.pages.rendering import served
from waypost.pages.texts import Texts, negotiate, texts


def page_app(logger: Logger) -> APIGatewayHttpResolver:
    """An application that has a page for a link that is not even a token, and one for when a service behind it fails."""
    app = APIGatewayHttpResolver()

    def not_found(_: NotFoundError) -> Response[str]:
        return html(HTTPStatus.BAD_REQUEST, notices.not_ours(words(app)))

    def unavailable(error: RetryableError) -> Response[str]:
        logger.warning("not stored for now", exc_info=error)
        return html(HTTPStatus.SERVICE_UNAVAILABLE, notices.later(words(app)), {"Retry-After": "60"})

    app.not_found(not_found)
    app.exception_handler(RetryableError)(unavailable)
    return app


def html(status: HTTPStatus, content: str, headers: Mapping[str, str] | None = None) -> Response[str]:
    """A page whose address is a secret; it may post to itself."""
    return Response(
        status,
        f"{content_types.TEXT_HTML}; charset=utf-8",
        content,
        {**served(form_action="'self'"), **(headers or {})},
    )


def words(app: APIGatewayHttpResolver) -> Texts:
    """The texts in the visitor's language: the one chosen on the page, else what the browser prefers."""
    event = app.current_event
    chosen = event.query_string_parameters.get("lang") or ""
    return texts(negotiate(event.headers.get("accept-language") or "", chosen))
