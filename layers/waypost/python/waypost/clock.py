"""The only place that reads the time. Everything that decides by time takes a Clock.

A rehearsal sets ``WAYPOST_CLOCK_FILE`` to a file that holds the virtual time; without it the clock is the real one.
The file holds one line: an ISO 8601 instant (time stands still there), or ``+<seconds>`` (time runs, that much ahead).
"""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

CLOCK_FILE_VARIABLE = "WAYPOST_CLOCK_FILE"

Clock = Callable[[], datetime]
"""Returns the current instant as an aware datetime in UTC."""


def real_now() -> datetime:
    """The real time in UTC: for security checks (signature age, token expiry) only."""
    return datetime.now(UTC)


def clock() -> Clock:
    """The clock of this process: virtual under a rehearsal, real otherwise."""
    path = os.environ.get(CLOCK_FILE_VARIABLE)
    return virtual_clock(Path(path)) if path else real_now


def virtual_clock(path: Path) -> Clock:
    """A clock that reads ``path`` at every call, so that all processes of a rehearsal share one time."""

    def now() -> datetime:
        line = path.read_text(encoding="ascii").strip()
        if line.startswith("+"):
            return real_now() + timedelta(seconds=float(line))
        return parse_instant(line)

    return now


def parse_instant(text: str) -> datetime:
    """An ISO 8601 instant with an offset as an aware datetime in UTC. Raises ValueError without an offset."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no UTC offset")
    return instant.astimezone(UTC)


def format_instant(instant: datetime) -> str:
    """The one spelling of an instant in stored items: UTC, milliseconds, ``Z``; sorts as text."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
