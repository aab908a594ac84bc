"""Answers as DynamoDB does to the two writes of an inbox. The embedded cloud's own DynamoDB then keeps what is written.

Sources: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html, .../API_UpdateItem.html and
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
"""

import uuid
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Final, assert_never

from waypost.channels import fake_contract as contract

_TARGET: Final = "DynamoDB_20120810."
_CODE: Final = "com.amazonaws.dynamodb.v20120810#"
_MOST_BYTES: Final = 400 * 1024
_PARTITION: Final = "inbox#"


class DynamoDb(contract.FakeProvider):
    """UpdateItem, which counts, and PutItem, which hands the message over. Every user id has an inbox, so none is wrong."""

    provider = "dynamodb"
    endpoints = ("WAYPOST_INBOX_ENDPOINT",)
    refusals: ClassVar[frozenset[contract.RefusalKind]] = frozenset(contract.REFUSAL_KINDS) - {"address_gone"}
    words: ClassVar[frozenset[str]] = frozenset()
    fates: ClassVar[Mapping[contract.Fate, str]] = {}
    is_passed_on = True
    takes_any_address = True

    def __init__(self) -> None:
        self._numbers: Counter[str] = Counter()

    def forget(self) -> None:
        """See FakeProvider."""
        self._numbers.clear()

    def recognises(self, request: contract.HttpRequest) -> bool:
        """See FakeProvider."""
        return request.headers.get("x-amz-target", "") in {f"{_TARGET}UpdateItem", f"{_TARGET}PutItem"}

    def answer_aside(self, request: contract.HttpRequest) -> contract.HttpAnswer | None:
        """See FakeProvider: a message is counted before it is handed over."""
        if not request.headers["x-amz-target"].endswith("UpdateItem"):
            return None
        given = request.json()
        if problem := _problem_with(given, given.get("Key", {})):
            return _invalid(problem)
        partition = given["Key"]["pk"]["S"]
        self._numbers[partition] += 1
        return contract.HttpAnswer(status=200, content={"Attributes": {"number": {"N": str(self._numbers[partition])}}})

    def read(self, request: contract.HttpRequest) -> contract.SentMessage:
        """See FakeProvider."""
        given = request.json()
        item = given.get("Item", {})
        tags = item.get("tags", {}).get("M", {})
        return contract.SentMessage(
            recipient=_text(item, "user_id"),
            tags={name: _text(tags, name) for name in tags},
            content=contract.SentContent(
                text="\n".join(filter(None, (_text(item, "text"), _text(item, "link")))), subject=_text(item, "title")
            ),
            request=given,
        )

    def check(self, message: contract.SentMessage) -> None:
        """See FakeProvider."""
        item = message.request.get("Item", {})
        problem = _problem_with(message.request, item)
        if not problem and len(str(item).encode()) > _MOST_BYTES:
            problem = "Item size has exceeded the maximum allowed size"
        if problem:
            raise contract.RefusedRequestError(_invalid(problem))

    def accepted(self, message_id: str) -> contract.HttpAnswer:
        """See FakeProvider: what is returned of a PutItem is the id of the request."""
        return contract.HttpAnswer(status=200, headers={"x-amzn-requestid": message_id})

    def refusal(self, kind: contract.RefusalKind) -> contract.HttpAnswer:
        """See FakeProvider."""
        match kind:
            case "throttle":
                return _error(400, "ThrottlingException", "Throughput exceeds the current capacity of your table")
            case "reject":
                return _invalid("Item size has exceeded the maximum allowed size")
            case "refuse_us":
                return _error(400, "AccessDeniedException", "User is not authorized to perform: dynamodb:PutItem")
            case "error":
                return _error(500, "InternalServerError", "Internal server error")
            case "address_gone":
                raise ValueError("DYNAMODB has an inbox for everybody")
            case _:
                assert_never(kind)

    def new_id(self) -> str:
        """See FakeProvider."""
        return uuid.uuid4().hex.upper()

    def notice(
        self, word: str, message: contract.SentMessage, *, message_id: str, sent_at: datetime, at: datetime
    ) -> Any:
        """See FakeProvider: what a reader does with a message comes by the feed."""
        del message, message_id, sent_at, at
        raise ValueError(f"DynamoDB does not say {word!r}")


def _problem_with(given: Mapping[str, Any], item: Mapping[str, Any]) -> str:
    """Why DynamoDB takes no such request, "" where it would."""
    if not given.get("TableName"):
        return "1 validation error detected: Value null at 'tableName' failed to satisfy constraint"
    if not _text(item, "pk").startswith(_PARTITION) or not _text(item, "sk"):
        return "One or more parameter values were invalid: Missing the key pk in the item"
    return ""


def _text(item: Mapping[str, Any], name: str) -> str:
    return str(item.get(name, {}).get("S", ""))


def _invalid(message: str) -> contract.HttpAnswer:
    return _error(400, "ValidationException", message)


def _error(status: int, code: str, message: str) -> contract.HttpAnswer:
    return contract.HttpAnswer(status=status, content={"__type": f"{_CODE}{code}", "message": message})


FAKES: Final = (DynamoDb(),)
