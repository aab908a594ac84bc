"""BudgetCounters in memory."""

from collections import Counter
from datetime import date
from threading import Lock

from waypost.contacts.channels import Channel


class FakeBudgetCounters:
    """BudgetCounters, by channel and day; ``writes`` counts the calls."""

    def __init__(self) -> None:
        self.taken: Counter[tuple[Channel, date]] = Counter()
        self.writes = 0
        self._lock = Lock()

    def take(self, channel: Channel, day: date, count: int, *, limit: int) -> bool:
        """See BudgetCounters."""
        with self._lock:
            self.writes += 1
            if self.taken[channel, day] + count > limit:
                return False
            self.taken[channel, day] += count
            return True
