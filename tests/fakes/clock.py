"""A clock in memory."""

from datetime import datetime, timedelta

from waypost.clock import parse_instant


class FakeClock:
    """A clock that stands still until it is advanced."""

    def __init__(self, now: datetime | str) -> None:
        self.now = parse_instant(now) if isinstance(now, str) else now

    def __call__(self) -> datetime:
        return self.now

    def set(self, instant: datetime | str) -> None:
        """Move to an instant; never backwards."""
        then = parse_instant(instant) if isinstance(instant, str) else instant
        assert then >= self.now, "time does not run backwards"
        self.now = then

    def advance(self, **span: float) -> None:
        """Move ahead, ``advance(hours=2)``."""
        self.now += timedelta(**span)
