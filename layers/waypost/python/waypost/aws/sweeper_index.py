"""The sparse index of pending claims: an item with these attributes is found by the sweeper until they are removed."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from waypost import ids
from waypost.aws import table
from waypost.clock import format_instant
from waypost.journeys.ports import SHARDS

INDEX: Final = "due"


def index_attributes(kind: str, contact_id: str, instant: datetime) -> dict[str, str]:
    """The attributes that put an item of this kind into the index, due at ``instant``."""
    return {"due_shard": f"{kind}#{ids.shard_of(contact_id, SHARDS)}", "due_at": format_instant(instant)}


def overdue(client: Any, table_name: str, kind: str, before: datetime) -> Iterator[tuple[str, str]]:
    """The keys (pk, sk) of items of this kind that were due before ``before``."""
    pages = client.get_paginator("query")
    for shard in range(SHARDS):
        for page in pages.paginate(
            TableName=table_name,
            IndexName=INDEX,
            KeyConditionExpression="due_shard = :shard AND due_at < :before",
            ExpressionAttributeValues=table.dump_item(
                {
                    ":shard": f"{kind}#{shard}",
                    ":before": format_instant(before),
                }
            ),
        ):
            for item in page["Items"]:
                yield item["pk"]["S"], item["sk"]["S"]


def between(
    client: Any,
    table_name: str,
    kind: str,
    shard: int,
    since: datetime | None,
    until: datetime,
) -> Iterator[tuple[str, str, str]]:
    """The items (pk, sk, due_at) of one shard that are due after ``since`` and until ``until``, by time."""
    of = f"{kind}#{shard}"
    # times are texts of one length; "~" sorts behind every digit, so what is due at ``since`` itself is left out
    first = f"{format_instant(since)}~" if since else "0"
    request: dict[str, Any] = {
        "TableName": table_name,
        "IndexName": INDEX,
        "KeyConditionExpression": "due_shard = :shard AND due_at BETWEEN :first AND :last",
        "ExpressionAttributeValues": table.dump_item({":shard": of, ":first": first, ":last": format_instant(until)}),
    }
    for page in client.get_paginator("query").paginate(**request):
        for item in page["Items"]:
            yield item["pk"]["S"], item["sk"]["S"], item["due_at"]["S"]
