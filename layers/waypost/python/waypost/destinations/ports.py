"""What delivering to other systems needs from the outside."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol


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
