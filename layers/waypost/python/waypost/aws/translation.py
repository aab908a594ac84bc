"""Turns what boto3 raises into Waypost's own errors, so that the domain and the state machines know only those."""

import re
from collections.abc import Callable, Iterator
from functools import wraps
from inspect import isgeneratorfunction
from typing import Any, Final, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from waypost.aws import table
from waypost.errors import ServiceRefused, TemporarilyUnavailable, WaypostError

_TEMPORARY_CODES: Final = frozenset({
    "EC2ThrottledException", "InternalError", "InternalException", "InternalFailure", "InternalServerError",
    "InternalServerException", "InternalServiceError", "OperationAborted", "PriorRequestNotComplete", "RequestTimeout",
    "RequestTimeoutException", "ResourceInUseException", "ServiceUnavailable", "ServiceUnavailableException", "SlowDown",
    "TransactionInProgressException",
})  # fmt: skip
_TEMPORARY_NAMES: Final = re.compile(r"Throttl|TooManyRequests|ThroughputExceeded|Limit|Quota|Conflict|Concurren")
"""How services name a throttle, a limit or quota that is reached, and a race: later, or after a request to AWS, it passes."""

_FINAL_CODES: Final = frozenset({"ItemCollectionSizeLimitExceededException"})
"""Named like those, and yet the same call meets it again: an item collection with a local index is full."""


def is_temporary(code: str) -> bool:
    """Whether a later call may not meet this code of a 4xx or 5xx; any other 5xx is temporary as well."""
    named = _TEMPORARY_NAMES.search(code) is not None
    return (named and code not in _FINAL_CODES) or code in _TEMPORARY_CODES


T = TypeVar("T")


def translate(error: ClientError | BotoCoreError) -> WaypostError:
    """The error as ours: TemporarilyUnavailable when a retry may help, else ServiceRefused."""
    if isinstance(error, ClientError):
        code = table.error_code(error)
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if not is_temporary(code) and status < 500 and status != 429:
            return ServiceRefused(
                f"{error.operation_name}: {code}: {error.response.get('Error', {}).get('Message', '')}"
            )
        return TemporarilyUnavailable(f"{error.operation_name}: {code}")
    return TemporarilyUnavailable(type(error).__name__)


def translates_errors(adapter: type[T]) -> type[T]:
    """Class decorator: the adapter's public methods raise Waypost's errors instead of boto3's."""
    for name, method in list(vars(adapter).items()):
        if callable(method) and not name.startswith("_"):
            setattr(adapter, name, _translated(method))
    return adapter


def _translated(method: Callable[..., Any]) -> Callable[..., Any]:
    if isgeneratorfunction(method):

        @wraps(method)
        def iterate(*args: Any, **kwargs: Any) -> Iterator[Any]:
            try:
                yield from method(*args, **kwargs)
            except (ClientError, BotoCoreError) as error:
                raise translate(error) from error

        return iterate

    @wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return method(*args, **kwargs)
        except (ClientError, BotoCoreError) as error:
            raise translate(error) from error

    return call
