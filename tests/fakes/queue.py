"""An EventQueue in memory."""

import json
from collections.abc import Sequence

from tests.fakes.effects import Effects, effect
from waypost.errors import TemporarilyUnavailable
from waypost.events.envelope import Event


class FakeQueue:
    """An EventQueue that knows an event by its id, as a FIFO queue does.

    ``events`` are those it holds, ``sent`` is all that was sent, repetitions too; a ``broken`` one takes nothing.
    """

    label = "queue"

    def __init__(self, effects: Effects | None = None, *, broken: bool = False) -> None:
        self.effects = effects or Effects()
        self.events: dict[str, Event] = {}
        self.sent: list[Event] = []
        self.broken = broken

    def __contains__(self, event_id: object) -> bool:
        return event_id in self.events

    @effect
    def send(self, events: Sequence[Event]) -> None:
        """See EventQueue."""
        if self.broken:
            raise TemporarilyUnavailable("SendMessageBatch: throttled")
        self.sent += events
        for event in events:
            self.events.setdefault(event.id, Event.from_dict(json.loads(json.dumps(event.to_dict()))))
