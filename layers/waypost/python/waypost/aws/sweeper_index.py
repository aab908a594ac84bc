"""The sparse index of what is owed: an item with these attributes is found by the sweeper until they are removed."""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from waypost.aws import table
from waypost.clock import format_instant

INDEX: Final = "due"
SHARDS: Final = 16
"""No shard of the index takes more than a sixteenth of the writes."""


def owed(kind: str, contact_id: str, instant: datetime) -> dict[str, str]:
    """The attributes that put an item of this kind into the index, due at ``instant``."""
    shard = int(hashlib.sha256(contact_id.encode()).hexdigest(), 16) % SHARDS
    return {"due_shard": f"{kind}#{shard}", "due_at": format_instant(instant)}


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
