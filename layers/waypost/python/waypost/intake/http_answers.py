"""The HTTP responses to senders. Called by the receive_webhook function."""

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, assert_never

from waypost.intake.request_outcome import MOST_PROBLEMS_SHOWN, MOST_WARNINGS_SHOWN, Accepted, Problem, Refused

_HEADERS: Final[dict[int, dict[str, str]]] = {
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": 'Basic realm="Waypost write key"'},
    HTTPStatus.SERVICE_UNAVAILABLE: {"Retry-After": "5"},
}
"""What HTTP wants beside some statuses (RFC 9110)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; ``body`` is JSON."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)


def answer(outcome: Accepted | Refused, *, accepted_status: int = HTTPStatus.ACCEPTED) -> Answer:
    """The answer to an outcome; 200 says that there is something to read in it. ``code`` and ``message`` are what Segment's SDKs look for in a refusal."""
    match outcome:
        case Accepted(reply=dict(reply)):
            return Answer(HTTPStatus.OK, reply)
        case Accepted(count, [], 0):
            return Answer(accepted_status, {"success": True, "accepted": count})
        case Accepted(count, warnings, rejected):
            body: dict[str, Any] = {"success": True, "accepted": count}
            if rejected:
                body["rejected"] = rejected
            return Answer(HTTPStatus.OK, body | {"warnings": _plain(warnings[:MOST_WARNINGS_SHOWN])})
        case Refused(status, problems):
            shown, first = _plain(problems[:MOST_PROBLEMS_SHOWN]), problems[0]
            body = {
                "success": False,
                "error": shown[0],
                "errors": shown,
                "code": HTTPStatus(status).name.lower(),
                "message": f"{first.field}: {first.reason}",
            }
            return Answer(status, body, _HEADERS.get(status, {}))
        case _:
            assert_never(outcome)


def _plain(problems: list[Problem]) -> list[dict[str, str]]:
    return [{"field": problem.field, "reason": problem.reason} for problem in problems]
