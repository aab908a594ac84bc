"""What a failed call to a provider means for the ledger: refused for now, refused for good, or unclear."""

from typing import Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ParamValidationError,
)

from waypost.aws import table
from waypost.sending.channels import Refused, Unclear

THROTTLED: Final = frozenset({"LimitExceededException", "ThrottlingException", "TooManyRequestsException"})
NEVER_OPENED: Final = (ConnectTimeoutError, EndpointConnectionError)


def answer_to(error: ClientError | BotoCoreError) -> Refused | Unclear:
    """Refused only when the provider certainly did not take the message; whatever may have reached it is Unclear.

    A throttled call and a connection that was never opened are refused for now; any other 4xx is refused for good; a
    5xx, a timeout after the request was written and a broken connection are unclear.
    """
    if isinstance(error, ClientError):
        code = table.error_code(error)
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in THROTTLED or status == 429:
            return Refused(code, temporary=True)
        return Refused(code, temporary=False) if 400 <= status < 500 else Unclear(code or f"http_{status}")
    if isinstance(error, NEVER_OPENED):
        return Refused(type(error).__name__, temporary=True)
    if isinstance(error, ParamValidationError):
        return Refused(type(error).__name__, temporary=False)
    return Unclear(type(error).__name__)
