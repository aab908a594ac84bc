"""A History in memory."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from tests.fakes.effects import Effects, effect
from waypost.clock import format_instant, parse_instant
from waypost.events.envelope import Event
from waypost.events.history import KeptEvent, RecordedEvent
from waypost.events.message_events import MessageEvent


class FakeHistory:
    """A BulkEventHistory."""

    label = "history"

    def __init__(self, effects: Effects | None = None) -> None:
        self.effects = effects or Effects()
        self.events: dict[tuple[str, str], str] = {}
        self.versions: dict[tuple[str, str], int] = {}
        self.routed: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self.left_out: dict[tuple[str, str], list[str]] = {}

    def __contains__(self, event_id: object) -> bool:
        return any(event_id == routed for _, routed in self.routed)

    def is_routed(self, contact_ids: Collection[str], event_id: str) -> bool:
        """See EventHistory."""
        return any((contact_id, event_id) in self.routed for contact_id in contact_ids)

    @effect
    def record(self, contact_id: str, event: Event, *, routed_at: datetime, version: int = 0) -> None:
        """See EventHistory."""
        place = f"{format_instant(event.occurred_at)}#{event.id}"
        item = event.to_dict() | {"routed_at": format_instant(routed_at)}
        self.versions.setdefault((contact_id, place), version)
        self.events.setdefault((contact_id, place), json.dumps(item))

    @effect
    def record_many(self, events: Sequence[KeptEvent]) -> None:
        """See BulkEventHistory."""
        for each in events:
            place = f"{format_instant(each.event.occurred_at)}#{each.event.id}"
            item = each.event.to_dict() | {"routed_at": format_instant(each.routed_at)}
            self.versions[each.contact_id, place] = each.version
            self.events[each.contact_id, place] = json.dumps(item)

    @effect
    def mark_routed(
        self,
        contact_id: str,
        event: Event,
        *,
        at: datetime,
        decisions: Sequence[Mapping[str, Any]],
        left_out: Sequence[str] = (),
    ) -> None:
        """See EventHistory."""
        if left_out:
            self.left_out.setdefault((contact_id, event.id), list(left_out))
        self.routed.setdefault((contact_id, event.id), json.loads(json.dumps([dict(each) for each in decisions])))

    @effect
    def correct(
        self, contact_id: str, event: RecordedEvent, *, becomes: MessageEvent, properties: Mapping[str, Any]
    ) -> None:
        """See CorrectableHistory."""
        place = (contact_id, f"{format_instant(event.occurred_at)}#{event.id}")
        if place in self.events:
            item = json.loads(self.events[place]) | {"type": becomes, "properties": dict(properties)}
            self.events[place] = json.dumps(item)

    def at(self, contact_id: str, occurred_at: datetime, event_id: str) -> Event | None:
        """The event in its place."""
        item = self.events.get((contact_id, f"{format_instant(occurred_at)}#{event_id}"))
        return Event.from_dict(json.loads(item)) if item else None

    def since(self, contact_id: str, instant: datetime, *, types: Sequence[str] = ()) -> list[RecordedEvent]:
        """See EventHistory."""
        first = format_instant(instant)
        items = [json.loads(item) for (owner, _), item in sorted(self.events.items()) if owner == contact_id]
        return [
            RecordedEvent(
                id=item["id"],
                type=item["type"],
                occurred_at=parse_instant(item["occurred_at"]),
                routed_at=parse_instant(item["routed_at"]),
                properties=item["properties"],
            )
            for item in items
            if item["occurred_at"] >= first and (not types or item["type"] in types)
        ]
