"""The contacts table: item keys, and values to and from DynamoDB's attribute format. Used by every store in this package.

Our own conversion instead of boto3's because ours keeps floats as floats (boto3's refuses them and gives back Decimal,
which JSON refuses).
"""

import hashlib
import random
import time
from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from typing import Any, Final

from botocore.exceptions import ClientError

from waypost.errors import ServiceRefused, TemporarilyUnavailable

Item = dict[str, Any]

CONDITION_FAILED = "ConditionalCheckFailedException"
TRANSACTION_CANCELED = "TransactionCanceledException"

CONDITION_FAILED_IN_PART: Final = "ConditionalCheckFailed"
CONFLICT_IN_PART: Final = "TransactionConflict"
_FINAL_IN_PART: Final = frozenset({"ValidationError", "ItemCollectionSizeLimitExceeded"})
"""Why a part of a transaction was cancelled, where the same part is cancelled again."""

LONGEST_WAIT: Final = 1.0
"""Seconds before what a batch has left is asked for again. Source: DynamoDB API Reference, "BatchGetItem": with exponential
backoff, because an immediate request is likely to be throttled as well."""


def contact_pk(contact_id: str) -> str:
    """The partition of a contact: everything known of it."""
    return f"contact#{contact_id}"


def identity_pk(kind: str, value: str) -> str:
    """The partition of an identity; hashed, so that no address stands in a key."""
    return f"identity#{kind}#{hashlib.sha256(value.encode()).hexdigest()[:32]}"


def profiles_table(table_name: str) -> str:
    """The table of the profiles beside a contacts table: bulk runs scan it and meet nothing else, and nothing is written twice."""
    return f"{table_name}-profiles"


def profile_key(contact_id: str) -> Item:
    """The primary key of a profile in its table, in attribute format."""
    return {"contact_id": {"S": contact_id}}


def key(pk: str, sk: str) -> Item:
    """The primary key of an item, in attribute format."""
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def dump(value: Any) -> Item:
    """A JSON value, or bytes, as a DynamoDB attribute value."""
    match value:
        case str() | bytes():  # first, because most are
            return {"S" if isinstance(value, str) else "B": value}
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case int() | float():
            return {"N": repr(value)}
        case dict() | Mapping():  # a dict is known as one at once
            return {"M": dump_item(value)}
        case list() | tuple():
            return {"L": [dump(element) for element in value]}
        case _:
            raise TypeError(f"cannot store a {type(value).__name__}")


def dump_item(value: Mapping[str, Any]) -> Item:
    """A JSON object as a DynamoDB item."""
    return {name: dump(element) for name, element in value.items()}


def load(value: Item) -> Any:
    """A DynamoDB attribute value as a JSON value."""
    ((kind, content),) = value.items()
    match kind:
        case "NULL":
            return None
        case "N":
            return float(content) if any(mark in content for mark in ".eE") else int(content)
        case "M":
            return load_item(content)
        case "L":
            return [load(element) for element in content]
        case _:
            return content


def load_item(item: Item) -> dict[str, Any]:
    """A DynamoDB item as a JSON object."""
    return {name: load(value) for name, value in item.items()}


def error_code(error: ClientError) -> str:
    """The service's name of an error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def failed_conditions(error: ClientError) -> list[bool]:
    """For each part of a cancelled transaction, whether its own condition failed.

    Raises ServiceRefused with the service's own words when a part can never be written (an item too large, a value of a wrong
    type), and TemporarilyUnavailable when it was cancelled for anything else (a conflict, a throttle). Source: DynamoDB API
    Reference, "TransactWriteItems", Cancellation reasons.
    """
    reasons = [
        (reason.get("Code", "None"), reason.get("Message", ""))
        for reason in error.response.get("CancellationReasons", [])
    ]
    codes = [code for code, _ in reasons]
    if CONDITION_FAILED_IN_PART in codes:
        return [code == CONDITION_FAILED_IN_PART for code in codes]
    if refused := [f"{code}: {message}" for code, message in reasons if code in _FINAL_IN_PART]:
        raise ServiceRefused(f"transaction cancelled: {', '.join(refused)}") from error
    raise TemporarilyUnavailable(f"transaction cancelled: {', '.join(codes)}") from error


def is_lost_race(error: ClientError) -> bool:
    """Whether a transaction was cancelled because another writer was first or is writing: read again and decide again.

    Raises like ``failed_conditions`` when it was cancelled for another reason.
    """
    codes = {reason.get("Code") for reason in error.response.get("CancellationReasons", [])}
    if codes <= {None, "None", CONFLICT_IN_PART} and CONFLICT_IN_PART in codes:
        return True
    return any(failed_conditions(error))


def query(
    client: Any, table: str, *, pk: str, prefix: str = "", after: str = "", **options: Any
) -> Iterator[dict[str, Any]]:
    """The items of a partition whose sort key starts with ``prefix`` (at or after ``after``), read consistently."""
    names: dict[str, str] = {"#pk": "pk"}
    values: Item = {":pk": {"S": pk}}
    condition = "#pk = :pk"
    if after:
        condition += " AND sk BETWEEN :from AND :to"
        values |= {":from": {"S": after}, ":to": {"S": prefix + "\uffff"}}
    elif prefix:
        condition += " AND begins_with(sk, :prefix)"
        values[":prefix"] = {"S": prefix}
    request = {
        "TableName": table,
        "KeyConditionExpression": condition,
        "ExpressionAttributeNames": names | options.pop("names", {}),
        "ExpressionAttributeValues": values | dump_item(options.pop("values", {})),
        "ConsistentRead": True,
    } | options
    for page in client.get_paginator("query").paginate(**request):
        yield from (load_item(item) for item in page["Items"])


def batch_get(client: Any, table: str, keys: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    """The items under these keys (at most 100), read consistently, whatever DynamoDB leaves for a next call included."""
    return batch_get_of(client, {table: [key(pk, sk) for pk, sk in keys]})[table]


def batch_get_of(client: Any, wanted: Mapping[str, list[Item]], **options: Any) -> dict[str, list[dict[str, Any]]]:
    """Like ``batch_get``, of several tables in one call: the items by table, ``wanted`` has their keys in attribute format.

    ``options`` hold for every table, such as ``ConsistentRead=False`` or a projection.
    """
    request: dict[str, Any] = {
        table: {"Keys": keys, "ConsistentRead": True} | options for table, keys in wanted.items()
    }
    found: dict[str, list[dict[str, Any]]] = {table: [] for table in wanted}
    for attempt in count():
        answer = client.batch_get_item(RequestItems=request)
        for table, items in answer["Responses"].items():
            found[table] += [load_item(item) for item in items]
        request = answer.get("UnprocessedKeys", {})
        if not request:
            break
        _wait(attempt)
    return found


def batch_put(client: Any, table: str, items: Iterable[Item]) -> None:
    """Write items (at most 25) over whatever is under their keys, what DynamoDB leaves for a next call included."""
    request = {table: [{"PutRequest": {"Item": item}} for item in items]}
    for attempt in count():
        request = client.batch_write_item(RequestItems=request).get("UnprocessedItems", {})
        if not request:
            return
        _wait(attempt)


def _wait(attempt: int) -> None:
    time.sleep(random.uniform(0, min(LONGEST_WAIT, 0.05 * 2**attempt)))  # noqa: S311 - spreads callers, no secret


def written(client: Any, request: Mapping[str, Any]) -> bool:
    """Run an UpdateItem request; False when its condition did not hold and nothing was written."""
    try:
        client.update_item(**request)
    except ClientError as error:
        if error_code(error) == CONDITION_FAILED:
            return False
        raise
    return True


def put_once(client: Any, table_name: str, pk: str, sk: str, item: Mapping[str, Any]) -> bool:
    """Write an item unless there is one under its key; False when there is."""
    try:
        client.put_item(
            TableName=table_name,
            Item=key(pk, sk) | dump_item(item),
            ConditionExpression="attribute_not_exists(pk)",
        )
    except ClientError as error:
        if error_code(error) == CONDITION_FAILED:
            return False
        raise
    return True
