"""What receiving events needs from the outside."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from waypost.events.envelope import Event


class EventQueue(Protocol):
    """Where accepted events wait, in order per contact."""

    def send(self, events: Sequence[Event]) -> None:
        """Return once the queue has every event.

        Raises TemporarilyUnavailable when it may lack one; sending all of them again is harmless, because the queue and
        the router know an event by its id.
        """
        ...


class SecretStore(Protocol):
    """One secret, a JSON object, that an operator may change at any time."""

    def read(self) -> Mapping[str, Any]:
        """The secret, at most five minutes old. Raises TemporarilyUnavailable."""
        ...

    def read_again(self) -> Mapping[str, Any]:
        """The secret for a caller whom the known one did not satisfy: newer, unless it was read moments ago."""
        ...


class WebhookLog(Protocol):
    """The webhook ids of the last day."""

    def has(self, source: str, webhook_id: str) -> bool:
        """Whether a webhook of this id was accepted. Read consistently; raises TemporarilyUnavailable."""
        ...

    def add(self, source: str, webhook_id: str) -> None:
        """Remember an accepted webhook. Raises TemporarilyUnavailable."""
        ...
