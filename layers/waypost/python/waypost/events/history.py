"""The port to the event history of contacts."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol, Self

from waypost.clock import parse_instant
from waypost.events.envelope import Event
from waypost.events.message_events import MessageEvent

EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""A contact's events may be older than our record of the contact: the first one always is."""


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event as the history gives it back; ``routed_at`` is when we acted on it."""

    id: str
    type: str
    occurred_at: datetime
    routed_at: datetime
    properties: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """An event on its way into the history of a contact: the input of ``EventHistory.record_many``."""

    contact_id: str
    event: Event
    routed_at: datetime
    version: int


@dataclass(frozen=True, slots=True)
class AppliedEvent:
    """A whole event as it was kept, and where it stands in the order in which events were applied to the profile.

    ``version`` is the profile's with the event applied; 0 in events stored before versions were recorded.
    """

    event: Event
    routed_at: datetime
    version: int

    @property
    def place(self) -> tuple[datetime, int, datetime, str]:
        """Sorts events as they were applied."""
        return (self.routed_at, self.version, self.event.received_at, self.event.id)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """From a stored item or a line of the archive."""
        return cls(
            event=Event.from_dict(dict(value)),
            routed_at=parse_instant(value["routed_at"]),
            version=int(value.get("profile_version", 0)),
        )


class EventHistory(Protocol):
    """Keeps the events of each contact, placed by their own time."""

    def is_routed(self, contact_ids: Collection[str], event_id: str) -> bool:
        """Whether everything that follows from this event has been done already, under any of these ids; asked in one go."""
        ...

    def record(self, contact_id: str, event: Event, *, routed_at: datetime, version: int = 0) -> None:
        """Keep the event; recording it again changes nothing. ``version`` is that of the profile with the event applied."""
        ...

    def mark_routed(
        self,
        contact_id: str,
        event: Event,
        *,
        at: datetime,
        decisions: Sequence[Mapping[str, Any]],
        left_out: Sequence[str] = (),
    ) -> None:
        """Everything that follows from the event is done.

        ``decisions`` says which journeys it started or not, and why; ``left_out`` names what a full profile could not take.
        """
        ...

    def since(self, contact_id: str, instant: datetime, *, types: Sequence[str] = ()) -> list[RecordedEvent]:
        """The contact's events that occurred at or after ``instant``, oldest first, read consistently."""
        ...


class BulkEventHistory(EventHistory, Protocol):
    """An EventHistory that keeps many events at once."""

    def record_many(self, events: Sequence[KeptEvent]) -> None:
        """Store events that no other process is storing; none twice in a call. A stored one is overwritten."""
        ...


class CorrectableHistory(BulkEventHistory, Protocol):
    """A BulkEventHistory that corrects what it keeps."""

    def correct(
        self, contact_id: str, event: RecordedEvent, *, becomes: MessageEvent, properties: Mapping[str, Any]
    ) -> None:
        """Give a stored event another type and other properties, where it is; one that is gone stays gone."""
        ...


def since_under(
    contact_ids: Iterable[str], history: EventHistory, instant: datetime, *, types: Sequence[str] = ()
) -> list[RecordedEvent]:
    """What occurred at or after ``instant`` under any of these ids, oldest first: a merged contact's events keep their place.

    An event stands in two places when a crash and a merge came between the two attempts to route it; it counts once.
    """
    found = {event.id: event for contact_id in contact_ids for event in history.since(contact_id, instant, types=types)}
    return sorted(found.values(), key=lambda event: (event.occurred_at, event.id))


class EventBus(Protocol):
    """Passes events on to other systems."""

    def publish(self, events: Sequence[tuple[str, Event]]) -> None:
        """Put events on the bus, each with the id of its contact. Raises TemporarilyUnavailable when it did not take them all."""
        ...
