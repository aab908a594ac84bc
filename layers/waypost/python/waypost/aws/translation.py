"""Turns what boto3 raises into Waypost's own errors, so that the domain and the state machines know only those."""

from collections.abc import Callable, Iterator
from functools import wraps
from inspect import isgeneratorfunction
from typing import Any, Final, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from waypost.aws import table
from waypost.errors import ServiceRefused, TemporarilyUnavailable, WaypostError

TEMPORARY_CODES: Final = frozenset({
    "ExecutionLimitExceeded", "InternalError", "InternalException", "InternalFailure", "InternalServerError",
    "InternalServerException", "InternalServiceError", "KmsThrottled", "KmsThrottlingException", "LimitExceededException",
    "ProvisionedThroughputExceededException", "ReplicatedWriteConflictException", "RequestLimitExceeded",
    "RequestThrottled", "RequestTimeout", "ServiceUnavailable", "ServiceUnavailableException", "SlowDown", "Throttling",
    "ThrottlingException", "ThrottledException", "TooManyRequestsException", "TransactionConflictException",
    "TransactionInProgressException",
})  # fmt: skip
"""Codes of a 4xx or 5xx that a later call may not meet; any other 5xx is temporary as well."""

T = TypeVar("T")


def translate(error: ClientError | BotoCoreError) -> WaypostError:
    """The error as ours: TemporarilyUnavailable when a retry may help, else ServiceRefused."""
    if isinstance(error, ClientError):
        code = table.error_code(error)
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code not in TEMPORARY_CODES and status < 500:
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
