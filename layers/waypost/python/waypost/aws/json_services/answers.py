"""What a service answers: its JSON, or its error as botocore raises it."""

from dataclasses import dataclass
from typing import Any
from zlib import crc32

import orjson
from botocore.exceptions import ClientError, HTTPClientError

from waypost.aws.json_services import binary
from waypost.aws.json_services.connections import Answer, NoAnswer


@dataclass(frozen=True, slots=True)
class Refused:
    """An answer that is no success: its code, its status, when the service gave it, and the ClientError that says so."""

    code: str
    status: int
    date: str
    error: Exception


def read(
    answer: Answer, operation: str, *, attempts: int, is_rest: bool = False
) -> dict[str, Any] | Refused | NoAnswer:
    """What an operation answered. A body that is not the one that was sent, or no JSON object, is no answer.

    DynamoDB says which body it sent by a checksum. ``is_rest``: the service speaks REST JSON.
    """
    checksum = answer.headers.get("x-amz-crc32")
    if checksum is not None and checksum != str(crc32(answer.body)):
        return NoAnswer(HTTPClientError(error="the body does not have its checksum"))
    found = _object(answer.body)
    if found and binary.may_hold_binary(answer.body):
        binary.decode(found)
    if answer.status >= 300:
        return _refused(answer, found, operation, attempts, is_rest=is_rest)
    if found is None:
        return NoAnswer(HTTPClientError(error="the body is no JSON object"))
    found["ResponseMetadata"] = _metadata(answer, attempts)
    return found


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        found = orjson.loads(body or b"{}")
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def _refused(answer: Answer, found: dict[str, Any] | None, operation: str, attempts: int, *, is_rest: bool) -> Refused:
    """The error of an answer; one whose body is none of the service's (a page of a proxy) has its status as code.

    A service that spoke XML before gives the code of that time in a header. Source: Smithy, "AWS JSON 1.0 protocol", Operation error
    serialization, and "AWS query compatible".
    """
    body = {"message": answer.body.decode(errors="replace")} if found is None else found
    described = {
        "Code": str(_named(answer, body, is_rest=is_rest) or answer.status).partition(":")[0].rpartition("#")[2],
        "Message": str(body.get("message") or body.get("Message") or ""),
    }
    code_of_query, _, fault = answer.headers.get("x-amzn-query-error", "").partition(";")
    if code_of_query and fault:
        described |= {"QueryErrorCode": described["Code"], "Code": code_of_query, "Type": fault}
    members = {name: value for name, value in body.items() if name not in {"__type", "message", "Message"}}
    response = {**members, "Error": described, "ResponseMetadata": _metadata(answer, attempts)}
    return Refused(described["Code"], answer.status, answer.headers.get("date", ""), ClientError(response, operation))


def _named(answer: Answer, body: dict[str, Any], *, is_rest: bool) -> Any:
    """What the service calls the error. Source: Smithy, "AWS REST JSON 1.0 protocol", Operation error serialization."""
    in_rest = answer.headers.get("x-amzn-errortype") or body.get("code") or body.get("Code") if is_rest else None
    return in_rest or body.get("__type")


def _metadata(answer: Answer, attempts: int) -> dict[str, Any]:
    return {
        "RequestId": answer.headers.get("x-amzn-requestid", ""),
        "HTTPStatusCode": answer.status,
        "HTTPHeaders": answer.headers,
        "RetryAttempts": attempts - 1,
    }
