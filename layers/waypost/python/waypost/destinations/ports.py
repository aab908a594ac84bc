"""What delivering to other systems needs from the outside."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Answer:
    """What the receiver answered; ``retry_after`` is what it asked for, if it did."""

    status: int
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """No response, or no connection; ``reason`` names no address."""

    reason: str


@dataclass(frozen=True, slots=True)
class Forbidden:
    """The address must not be called; nothing was sent."""

    reason: str


class WebhookSender(Protocol):
    """Posts to the outside world."""

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, timeout: timedelta
    ) -> Answer | NoAnswer | Forbidden:
        """One attempt; follows no redirect."""
        ...


class DestinationSecrets(Protocol):
    """The secret of each destination."""

    def read(self, destination: str) -> Mapping[str, Any]:
        """``{"signing_keys": ["whsec_…"], "url": "https://…"}``; one key may stand for the list, ``url`` may be absent.

        Raises TemporarilyUnavailable.
        """
        ...


class DestinationStates(Protocol):
    """Remembers which destinations want no more."""

    def disabled_since(self, destination: str, url: str) -> datetime | None:
        """When this URL of the destination answered 410 Gone. Raises TemporarilyUnavailable."""
        ...

    def disable(self, destination: str, url: str, *, at: datetime) -> None:
        """Record that the receiver at this URL answered 410 Gone; another URL is another receiver."""
        ...

    def enable(self, destination: str) -> None:
        """Deliver again."""
        ...
