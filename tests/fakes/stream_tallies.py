"""StreamTallies in memory."""

from collections import defaultdict
from datetime import datetime

from waypost.sending.streams import Tally


class FakeStreamTallies:
    """StreamTallies, by stream, epoch and hour; ``writes`` counts the calls that add."""

    def __init__(self) -> None:
        self.counted: defaultdict[tuple[str, int, datetime], Tally] = defaultdict(Tally)
        self.writes = 0

    def add(self, stream: str, epoch: int, tally: Tally, *, at: datetime) -> None:
        """See StreamTallies."""
        self.writes += 1
        self.counted[stream, epoch, _hour(at)] += tally

    def since(self, stream: str, epoch: int, start: datetime) -> Tally:
        """See StreamTallies."""
        found = [
            tally
            for (of, then, hour), tally in self.counted.items()
            if (of, then) == (stream, epoch) and hour >= _hour(start)
        ]
        return sum(found, Tally())


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)
