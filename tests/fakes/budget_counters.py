"""BudgetCounters in memory."""

from collections import Counter
from datetime import date
from threading import Lock


class FakeBudgetCounters:
    """BudgetCounters, by channel and day; ``writes`` counts the calls."""

    def __init__(self) -> None:
        self.taken: Counter[tuple[str, date]] = Counter()
        self.writes = 0
        self._lock = Lock()

    def take(self, budget: str, day: date, count: int, *, limit: int) -> bool:
        """See BudgetCounters."""
        with self._lock:
            self.writes += 1
            if self.taken[budget, day] + count > limit:
                return False
            self.taken[budget, day] += count
            return True
