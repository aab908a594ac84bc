"""Calls of a provider that has an AWS API: the port, how a call can fail, and what a failure means by default.

Implemented by ``waypost.aws.provider_calls``, so that no provider file needs botocore.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, assert_never

from waypost.channels.answers import Answer, RefusedForNow, RefusedMessage, RefusedUs, Unclear


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """The service answered with an error; ``detail`` is the member ``Reason`` that some errors have.

    ``message`` may name an address: it is for telling errors of one code apart, never for a log or a reason.
    """

    status: int
    code: str
    detail: str = ""
    message: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class NeverSent:
    """The request did not leave: no connection was opened (``temporary``), or it breaks the API's own model."""

    cause: str
    temporary: bool


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The request may have arrived: it timed out or the connection broke."""

    cause: str


FailedCall = ErrorAnswer | NeverSent | NoAnswer


class AwsService(Protocol):
    """One AWS service; makes one attempt per call and never raises for what the service or the network does."""

    def call(self, operation: Callable[[Any], Mapping[str, Any]]) -> Mapping[str, Any] | FailedCall:
        """Call an operation, ``lambda client: client.send_email(…)``, and return its output."""
        ...


_THROTTLED: Final = re.compile(r"Throttl|TooManyRequests|ThroughputExceeded|LimitExceeded|SlowDown|Concurren")
_PASSES: Final = re.compile(r"Limit|Conflict")
_QUOTA: Final = re.compile(r"Quota")
_MAY_HAVE_ARRIVED: Final = frozenset({"PriorRequestNotComplete", "RequestTimeout", "RequestTimeoutException"})
_REFUSES_THE_CALLER: Final = frozenset({401, 402, 403})
NO_ACCESS: Final = frozenset({
    "AccessDeniedException", "ExpiredTokenException", "InvalidClientTokenId", "InvalidSignatureException",
    "OptInRequired", "SignatureDoesNotMatch", "UnrecognizedClientException",
})  # fmt: skip
"""Errors of any AWS service that refuse the account. Source: "Common errors" in the API reference of each service."""


def answer_to(failure: FailedCall, *, known: Callable[[ErrorAnswer], Answer | None]) -> Answer:
    """What the failure says of the message. ``known`` answers for the service's own errors, or None.

    A throttled call, a limit, a conflict and a connection that was never opened are refused for now; a quota that is used up
    and a call that we may not make refuse us; any other 4xx refuses the message; after a 5xx, a timeout or a broken
    connection it is unclear.
    """
    match failure:
        case ErrorAnswer(status=status, code=code):
            if answer := known(failure):
                return answer
            throttled = _THROTTLED.search(code) or status == 429
            return RefusedForNow(code) if throttled else _by_its_name(status, code)
        case NeverSent(cause=cause, temporary=temporary):
            return RefusedForNow(cause) if temporary else RefusedMessage(cause)
        case NoAnswer(cause=cause):
            return Unclear(cause)
        case _:
            assert_never(failure)


def _by_its_name(status: int, code: str) -> Answer:
    if code in _MAY_HAVE_ARRIVED or not 400 <= status < 500:
        return Unclear(code or f"http_{status}")
    if _PASSES.search(code):
        return RefusedForNow(code)
    if code in NO_ACCESS or status in _REFUSES_THE_CALLER or _QUOTA.search(code):
        return RefusedUs(code)
    return RefusedMessage(code)
