"""Sending windows: the hours of the contact's day in which a channel may be used. Used by the guards."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

Window = tuple[time, time]
"""First and last local time; the last one is outside. A window may span midnight (``20:00`` to ``06:00``)."""


def opening(window: Window, instant: datetime, zone: ZoneInfo) -> datetime:
    """``instant`` if the window is open then where the contact lives, else when it opens next, in UTC."""
    first, last = window
    local = instant.astimezone(zone)
    if _open(first, last, local.time()):
        return instant
    day = local.date() if local.time() < first else local.date() + timedelta(days=1)
    # An opening time that a clock change skips is read with the offset before the gap (RFC 5545, section 3.3.5); of one
    # that comes twice the first is meant, unless it is over.
    opens = datetime.combine(day, first, tzinfo=zone).astimezone(UTC)
    return opens if opens > instant else datetime.combine(day, first.replace(fold=1), tzinfo=zone).astimezone(UTC)


def _open(first: time, last: time, now: time) -> bool:
    return first <= now < last if first <= last else now >= first or now < last
