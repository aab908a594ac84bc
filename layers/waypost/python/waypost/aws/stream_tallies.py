"""The counts of the streams in DynamoDB: an item for each stream, epoch, hour and shard."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from waypost.aws import table
from waypost.aws.translation import translates_errors
from waypost.sending.streams import Tally

SHARDS: Final = 4
"""140 writes a second, at ten million messages an hour, are spread over as many items; each is read with every write."""
_KEPT: Final = timedelta(days=8)
_HOUR: Final = "%Y-%m-%dT%H"


@translates_errors
@dataclass(frozen=True, slots=True)
class DynamoStreamTallies:
    """StreamTallies on the contacts table."""

    client: Any
    table_name: str

    def add(self, stream: str, epoch: int, tally: Tally, *, at: datetime) -> None:
        """See StreamTallies."""
        self.client.update_item(
            TableName=self.table_name,
            Key=table.key(_pk(stream, epoch, random.randrange(SHARDS)), at.strftime(_HOUR)),  # noqa: S311 - no secret
            UpdateExpression="SET expires_at = :ends ADD sent :sent, hard_bounces :bounces, complaints :complaints",
            ExpressionAttributeValues=table.dump_item(
                {
                    ":ends": int((at + _KEPT).timestamp()),
                    ":sent": tally.sent,
                    ":bounces": tally.hard_bounces,
                    ":complaints": tally.complaints,
                }
            ),
        )

    def since(self, stream: str, epoch: int, start: datetime) -> Tally:
        """See StreamTallies. One query for each shard."""
        total = Tally()
        for shard in range(SHARDS):
            answer = self.client.query(
                TableName=self.table_name,
                KeyConditionExpression="pk = :pk AND sk >= :start",
                ExpressionAttributeValues=table.dump_item(
                    {":pk": _pk(stream, epoch, shard), ":start": start.strftime(_HOUR)}
                ),
                ConsistentRead=True,
            )  # at most 169 hours of some 100 bytes: one page
            for item in map(table.load_item, answer["Items"]):
                total += Tally(int(item["sent"]), int(item["hard_bounces"]), int(item["complaints"]))
        return total


def _pk(stream: str, epoch: int, shard: int) -> str:
    return f"stream#{stream}#{epoch}#{shard}"
