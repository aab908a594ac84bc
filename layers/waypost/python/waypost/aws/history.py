"""A contact's events in DynamoDB: one item each, placed by their own time, kept with a retention."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from waypost.aws import table
from waypost.aws.translation import translates_errors
from waypost.clock import format_instant, parse_instant
from waypost.events.envelope import Event
from waypost.events.history import RecordedEvent

EVENTS_KEPT: Final = timedelta(days=760)
"""A little over two years: a year-on-year comparison needs both years."""

MARKERS_KEPT: Final = timedelta(days=60)
"""How long a repeated event is known as one; senders give up long before (Standard Webhooks: days; a queue: 14 days)."""


@translates_errors
@dataclass(frozen=True, slots=True)
class DynamoHistory:
    """An EventHistory on the contacts table."""

    client: Any
    table_name: str

    def is_routed(self, contact_id: str, event_id: str) -> bool:
        """See EventHistory."""
        answer = self.client.get_item(
            TableName=self.table_name,
            Key=table.key(table.contact_pk(contact_id), f"routed#{event_id}"),
            ConsistentRead=True,
            ProjectionExpression="pk",
        )
        return "Item" in answer

    def record(self, contact_id: str, event: Event, *, routed_at: datetime) -> None:
        """See EventHistory."""
        item = event.to_dict() | {
            "routed_at": format_instant(routed_at),
            "expires_at": int((event.occurred_at + EVENTS_KEPT).timestamp()),
        }
        sk = f"event#{format_instant(event.occurred_at)}#{event.id}"
        table.put_once(self.client, self.table_name, table.contact_pk(contact_id), sk, item)

    def mark_routed(
        self, contact_id: str, event: Event, *, at: datetime, decisions: Sequence[Mapping[str, Any]]
    ) -> None:
        """See EventHistory."""
        item = {
            "event_id": event.id,
            "event_type": event.type,
            "routed_at": format_instant(at),
            "decisions": [dict(decision) for decision in decisions],
            "expires_at": int((at + MARKERS_KEPT).timestamp()),
        }
        table.put_once(self.client, self.table_name, table.contact_pk(contact_id), f"routed#{event.id}", item)

    def since(self, contact_id: str, instant: datetime, *, types: Sequence[str] = ()) -> list[RecordedEvent]:
        """See EventHistory."""
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
        ]
