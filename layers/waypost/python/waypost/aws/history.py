"""A contact's events in DynamoDB: one item each, placed by their own time, kept as the retention of their type says."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from botocore.exceptions import ClientError

from waypost.aws import table
from waypost.aws.translation import translates_errors
from waypost.batches import batched
from waypost.clock import Clock, format_instant, parse_instant, real_now
from waypost.events.envelope import Event
from waypost.events.history import AppliedEvent, KeptEvent, RecordedEvent
from waypost.events.message_events import MessageEvent
from waypost.events.retention import EVERYTHING_ALIKE, Retention

MARKERS_KEPT: Final = timedelta(days=60)
"""How long a repeated event is known as one; senders give up long before (Standard Webhooks: days; a queue: 14 days)."""

MOST_KEYS: Final = 100
"""Of one BatchGetItem. Source: DynamoDB API Reference, "BatchGetItem"."""
MOST_ITEMS: Final = 25
"""Of one BatchWriteItem. Source: DynamoDB API Reference, "BatchWriteItem"."""


MOST_LEFT_OUT: Final = 20


@translates_errors
@dataclass(frozen=True, slots=True)
class DynamoHistory:
    """A BulkEventHistory on the contacts table; ``clock`` says which events are over their time."""

    client: Any
    table_name: str
    retention: Retention = EVERYTHING_ALIKE
    clock: Clock = real_now

    def is_routed(self, contact_ids: Collection[str], event_id: str) -> bool:
        """See EventHistory. A glance: a marker of the last milliseconds that it misses is as good as none, and all is repeated."""
        keys = [table.key(table.contact_pk(contact_id), f"routed#{event_id}") for contact_id in contact_ids]
        return any(
            table.batch_get_of(self.client, {self.table_name: some}, ConsistentRead=False)[self.table_name]
            for some in batched(keys, MOST_KEYS)
        )

    def record(self, contact_id: str, event: Event, *, routed_at: datetime, version: int = 0) -> None:
        """See EventHistory."""
        item = self._item(event, routed_at=routed_at, version=version)
        table.put_once(self.client, self.table_name, table.contact_pk(contact_id), _sk(event), item)

    def record_many(self, events: Sequence[KeptEvent]) -> None:
        """See BulkEventHistory."""
        for first in range(0, len(events), MOST_ITEMS):
            items = (
                table.key(table.contact_pk(each.contact_id), _sk(each.event))
                | table.dump_item(self._item(each.event, routed_at=each.routed_at, version=each.version))
                for each in events[first : first + MOST_ITEMS]
            )
            table.batch_put(self.client, self.table_name, items)

    def _item(self, event: Event, *, routed_at: datetime, version: int) -> dict[str, Any]:
        kept = self.retention.of(event.type).keep
        return event.to_dict() | {
            "routed_at": format_instant(routed_at),
            "profile_version": version,
            "expires_at": int((event.occurred_at + kept).timestamp()),
        }

    def mark_routed(
        self,
        contact_id: str,
        event: Event,
        *,
        at: datetime,
        decisions: Sequence[Mapping[str, Any]],
        left_out: Sequence[str] = (),
    ) -> None:
        """See EventHistory. Of what was left out the first names are kept, and how many there were."""
        full = {"left_out": list(left_out[:MOST_LEFT_OUT]), "left_out_in_all": len(left_out)} if left_out else {}
        item = full | {
            "event_id": event.id,
            "event_type": event.type,
            "routed_at": format_instant(at),
            "decisions": [dict(decision) for decision in decisions],
            "expires_at": int((at + MARKERS_KEPT).timestamp()),
        }
        table.put_once(self.client, self.table_name, table.contact_pk(contact_id), f"routed#{event.id}", item)

    def since(self, contact_id: str, instant: datetime, *, types: Sequence[str] = ()) -> list[RecordedEvent]:
        """See EventHistory. An event that TTL has not tidied up yet counts as gone."""
        now = self.clock().timestamp()
        names = {f":type{index}": name for index, name in enumerate(types)}
        wanted: dict[str, Any] = (
            {"names": {"#type": "type"}, "values": names, "FilterExpression": f"#type IN ({', '.join(names)})"}
            if types
            else {}
        )
        items = table.query(
            self.client,
            self.table_name,
            pk=table.contact_pk(contact_id),
            prefix="event#",
            after=f"event#{format_instant(instant)}",
            **wanted,
        )
        return [
            RecordedEvent(
                id=item["id"],
                type=item["type"],
                occurred_at=parse_instant(item["occurred_at"]),
                routed_at=parse_instant(item["routed_at"]),
                properties=item["properties"],
            )
            for item in items
            if item["expires_at"] > now
        ]

    def correct(
        self, contact_id: str, event: RecordedEvent, *, becomes: MessageEvent, properties: Mapping[str, Any]
    ) -> None:
        """See CorrectableHistory."""
        expires_at = int((event.occurred_at + self.retention.of(becomes).keep).timestamp())
        try:
            self.client.update_item(
                TableName=self.table_name,
                Key=table.key(table.contact_pk(contact_id), event_sk(event.occurred_at, event.id)),
                UpdateExpression="SET #type = :type, #properties = :properties, #expires_at = :expires_at",
                ConditionExpression="attribute_exists(#type)",
                ExpressionAttributeNames={"#type": "type", "#properties": "properties", "#expires_at": "expires_at"},
                ExpressionAttributeValues=table.dump_item(
                    {":type": becomes, ":properties": dict(properties), ":expires_at": expires_at}
                ),
            )
        except ClientError as error:
            if table.error_code(error) != table.CONDITION_FAILED:
                raise

    def applied(self, contact_id: str) -> list[AppliedEvent]:
        """See AppliedEvents: the events of the partition that are not over their time."""
        now = self.clock().timestamp()
        items = table.query(self.client, self.table_name, pk=table.contact_pk(contact_id), prefix="event#")
        return [AppliedEvent.from_dict(item) for item in items if item["expires_at"] > now]


def event_sk(occurred_at: datetime, event_id: str) -> str:
    """Where an event is placed in its contact's partition."""
    return f"event#{format_instant(occurred_at)}#{event_id}"


def _sk(event: Event) -> str:
    return event_sk(event.occurred_at, event.id)
