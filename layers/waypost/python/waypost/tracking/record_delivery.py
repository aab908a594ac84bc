"""What providers report of a message after taking it, as events in our envelope. Called by record_delivery."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from waypost import ids
from waypost.channels.registry import notice_readers
from waypost.clock import Clock
from waypost.errors import InvalidInput
from waypost.events.envelope import OWN_SOURCE, Event
from waypost.events.ports import EventQueue


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordDelivery:
    """Queues the events that providers' notices amount to."""

    queue: EventQueue
    clock: Clock

    def record(self, notice: Mapping[str, Any]) -> dict[str, int]:
        """A provider's EventBridge notice → ``{queued}``, the number of events. Raises as ``delivery_events``."""
        events = delivery_events(notice, clock=self.clock)
        self.queue.send(events)
        return {"queued": len(events)}


def delivery_events(notice: Mapping[str, Any], *, clock: Clock) -> list[Event]:
    """The event in a provider's EventBridge notice; none for a kind that nothing here acts on.

    Raises InvalidInput when no channel has such notices, or the message carries none of our tags: Waypost did not send it.
    """
    if notice["source"] not in notice_readers():
        raise InvalidInput("source", f"{notice['source']!r} sends no messages for Waypost")
    channel, read = notice_readers()[notice["source"]]
    reported = read(notice["detail"])
    if reported is None:
        return []
    tags, now, source = reported.tags, clock(), f"{OWN_SOURCE}.{channel}"
    if missing := [name for name in ("contact_id", "message_key") if name not in tags]:
        raise InvalidInput("tags", f"{', '.join(missing)} missing: this message was not sent by Waypost")
    event = Event(
        id=f"{source}:{ids.digest(notice['id'])}",
        type=reported.event,
        contact={"contact_id": tags["contact_id"]},
        occurred_at=reported.occurred_at or now,
        received_at=now,
        source=source,
        properties={
            "channel": channel,
            "provider_word": reported.provider_word,
            "provider_message_id": reported.provider_message_id,
            **reported.properties,
            "message_key": tags["message_key"],
            "journey": tags.get("journey", ""),
        },
    )
    return [event]
