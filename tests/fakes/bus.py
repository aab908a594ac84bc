"""An EventBus in memory."""

from collections.abc import Sequence

from tests.fakes.effects import Effects, effect
from waypost.events.envelope import Event


class FakeBus:
    """An EventBus."""

    label = "bus"

    def __init__(self, effects: Effects | None = None) -> None:
        self.effects = effects or Effects()
        self.published: list[tuple[str, Event]] = []
        self.calls = 0

    def __contains__(self, event_id: object) -> bool:
        return any(event.id == event_id for _, event in self.published)

    @effect
    def publish(self, events: Sequence[tuple[str, Event]]) -> None:
        """See EventBus."""
        self.calls += 1
        self.published += events
