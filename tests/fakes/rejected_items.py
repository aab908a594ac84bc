"""RejectedItems in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from waypost.intake.request_outcome import RejectedItem


@dataclass
class FakeRejectedItems:
    """RejectedItems in memory."""

    kept: list[RejectedItem] = field(default_factory=list)

    def keep(self, items: Sequence[RejectedItem]) -> None:
        self.kept += items
