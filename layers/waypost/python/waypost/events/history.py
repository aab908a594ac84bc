"""What the domain needs from whoever keeps a contact's events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from waypost.events.envelope import Event


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event as the history gives it back; ``routed_at`` is when we acted on it."""

    id: str
    type: str
    occurred_at: datetime
    routed_at: datetime
    properties: Mapping[str, Any]


class EventHistory(Protocol):
    """Keeps the events of each contact, placed by their own time."""

    def is_routed(self, contact_id: str, event_id: str) -> bool:
        """Whether everything that follows from this event has been done already."""
        ...

    def record(self, contact_id: str, event: Event, *, routed_at: datetime) -> None:
        """Keep the event; recording it again changes nothing."""
        ...

    def mark_routed(
        self, contact_id: str, event: Event, *, at: datetime, decisions: Sequence[Mapping[str, Any]]
    ) -> None:
        """Everything that follows from the event is done; ``decisions`` says which journeys it started or not, and why."""
        ...

    def since(self, contact_id: str, instant: datetime, *, types: Sequence[str] = ()) -> list[RecordedEvent]:
        """The contact's events that occurred at or after ``instant``, oldest first, read consistently."""
        ...


class EventBus(Protocol):
    """Passes events on to the archive and to other systems."""

    def publish(self, contact_id: str, event: Event) -> None:
        """Put the event on the bus. Raises TemporarilyUnavailable when the bus did not take it."""
        ...
