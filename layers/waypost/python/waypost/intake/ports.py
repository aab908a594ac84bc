"""What receiving needs from the outside beside the ports of events."""

from collections.abc import Sequence
from typing import Protocol

from waypost.intake.request_outcome import RejectedItem


class RejectedItems(Protocol):
    """Where an operator finds the items of requests of which no event could be made."""

    def keep(self, items: Sequence[RejectedItem]) -> None:
        """Return once every item is kept. Raises TemporarilyUnavailable; keeping an item twice is harmless."""
        ...
