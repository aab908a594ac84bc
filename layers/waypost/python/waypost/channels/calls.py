"""Calls of a provider that has an AWS API: the port, how a call can fail, and what a failure means by default.

Implemented by ``waypost.aws.provider_calls``, so that no provider file needs botocore.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, assert_never

from waypost.channels.answers import Answer, RefusedForNow, RefusedMessage, Unclear


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """The service answered with an error; ``detail`` is the member ``Reason`` that some errors have."""

    status: int
    code: str
    detail: str = ""


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


THROTTLED: Final = frozenset({"LimitExceededException", "ThrottlingException", "TooManyRequestsException"})
NO_ACCESS: Final = frozenset({
    "AccessDeniedException", "ExpiredTokenException", "InvalidClientTokenId", "InvalidSignatureException",
    "OptInRequired", "SignatureDoesNotMatch", "UnrecognizedClientException",
})  # fmt: skip
"""Errors of any AWS service that refuse the account. Source: "Common errors" in the API reference of each service."""


def answer_to(failure: FailedCall, *, known: Callable[[ErrorAnswer], Answer | None]) -> Answer:
    """What the failure says of the message. ``known`` answers for the service's own errors, or None.

    A throttled call and a connection that was never opened are refused for now; any other 4xx refuses the message; after a
    5xx, a timeout or a broken connection it is unclear.
    """
    match failure:
        case ErrorAnswer(status=status, code=code):
            if code in THROTTLED or status == 429:
                return RefusedForNow(code)
            if (answer := known(failure)) is not None:
                return answer
            return RefusedMessage(code) if 400 <= status < 500 else Unclear(code or f"http_{status}")
        case NeverSent(cause=cause, temporary=temporary):
            return RefusedForNow(cause) if temporary else RefusedMessage(cause)
        case NoAnswer(cause=cause):
            return Unclear(cause)
        case _:
            assert_never(failure)
