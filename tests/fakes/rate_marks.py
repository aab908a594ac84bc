"""RateMarks in memory."""

from datetime import datetime, timedelta
from threading import Lock

from waypost.sending.pace import Mark, Moved


class FakeRateMarks:
    """RateMarks, by name and mark; ``writes`` counts the moves that were asked for."""

    def __init__(self) -> None:
        self.marks: dict[tuple[str, Mark], datetime] = {}
        self.writes = 0
        self._lock = Lock()

    def move(self, name: str, mark: Mark, *, by: timedelta, now: datetime, within: timedelta | None) -> Moved | None:
        """See RateMarks."""
        with self._lock:
            self.writes += 1
            before = self.marks.get((name, mark))
            start = now if before is None else max(before, now)
            if within is not None and start > now + within:
                return None
            self.marks[name, mark] = start + by
            return Moved(start, before)
