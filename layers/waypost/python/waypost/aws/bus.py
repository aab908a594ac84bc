"""The event bus: everything routed is passed on to the archive and to other systems."""

import json
from dataclasses import dataclass
from typing import Any

from waypost.aws.translation import translates_errors
from waypost.errors import TemporarilyUnavailable
from waypost.events.envelope import Event


@translates_errors
@dataclass(frozen=True, slots=True)
class EventBridgeBus:
    """An EventBus on EventBridge; the detail type is the event's type."""

    client: Any
    bus_name: str

    def publish(self, contact_id: str, event: Event) -> None:
        """See EventBus."""
        answer = self.client.put_events(
            Entries=[
                {
                    "EventBusName": self.bus_name,
                    "Source": "waypost",
                    "DetailType": event.type,
                    "Detail": json.dumps(event.to_dict() | {"contact_id": contact_id}, ensure_ascii=False),
                    "Time": event.occurred_at,
                }
            ]
        )
        if answer["FailedEntryCount"]:
            raise TemporarilyUnavailable(f"event bus: {answer['Entries'][0].get('ErrorCode')}")
