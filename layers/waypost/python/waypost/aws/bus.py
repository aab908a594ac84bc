"""The event bus: everything routed is passed on to the archive and to other systems."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from waypost.aws.translation import translates_errors
from waypost.errors import TemporarilyUnavailable
from waypost.events.envelope import Event

MOST_ENTRIES: Final = 10
MOST_BYTES: Final = 256 * 1024
"""Of one call. Source: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html"""
REST_OF_AN_ENTRY: Final = 512
"""Bytes, more than source, detail type, time and the name of the bus take."""


@translates_errors
@dataclass(frozen=True, slots=True)
class EventBridgeBus:
    """An EventBus on EventBridge; the detail type is the event's type."""

    client: Any
    bus_name: str

    def publish(self, events: Sequence[tuple[str, Event]]) -> None:
        """See EventBus. One call for as many as it takes; a call whose entries partly failed fails as a whole."""
        for entries in _calls([self._entry(contact_id, event) for contact_id, event in events]):
            answer = self.client.put_events(Entries=entries)
            if answer["FailedEntryCount"]:
                codes = sorted({each["ErrorCode"] for each in answer["Entries"] if each.get("ErrorCode")})
                raise TemporarilyUnavailable(f"event bus: {', '.join(codes)}")

    def _entry(self, contact_id: str, event: Event) -> dict[str, Any]:
        return {
            "EventBusName": self.bus_name,
            "Source": "waypost",
            "DetailType": event.type,
            "Detail": json.dumps(event.to_dict() | {"contact_id": contact_id}, ensure_ascii=False),
            "Time": event.occurred_at,
        }


def _calls(entries: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """The entries by call, in order."""
    call: list[dict[str, Any]] = []
    size = 0
    for entry in entries:
        length = len(entry["Detail"].encode()) + REST_OF_AN_ENTRY
        if call and (len(call) == MOST_ENTRIES or size + length > MOST_BYTES):
            yield call
            call, size = [], 0
        call.append(entry)
        size += length
    if call:
        yield call
