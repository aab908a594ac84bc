"""Behaviour decided from the profile alone, as far as it can tell. Used by bulk runs, to read no history that does not matter.

A profile knows the first and the last day (UTC) of every event type: that rules out what never happened, or not in the
window asked for, and proves that something happened when one of those days lies inside the window.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, assert_never

from waypost.contacts.profile import MOST_SEEN
from waypost.segments.behaviour.filters import EventFilter
from waypost.segments.behaviour.measures import Measure
from waypost.segments.calendar import Bounds
from waypost.segments.condition import Decision, Holds
from waypost.segments.subject import Subject
from waypost.segments.vocabulary import ANY_EVENT, CONCLUSIONS, CountWord

_ONE_DAY: Final = timedelta(days=1)


def never_seen(subject: Subject, types: Iterable[str]) -> bool:
    """Whether none of the event types has ever happened, for certain."""
    seen = subject.seen
    return seen is not None and len(seen) < MOST_SEEN and not any(kind in seen for kind in types)


def decided_by_days(holds: Holds, events: EventFilter, counted: Measure | None) -> Decision:
    """The decision of a condition over these events, which is ``holds`` with the history.

    ``counted``: what is asked of the number of events, when the number of days proves it; None when it proves nothing.
    """
    window = events.times.window()
    limits = (
        counted.limits if counted is not None and counted.counts_times and not events.asks_more_than_a_window else None
    )

    def decision(subject: Subject) -> bool | None:
        days = _days(subject, events.types)
        if days is None:
            return None
        bounds = window(subject.now, subject.zone) if window else (None, None)
        if not any(_overlaps(first, last, bounds) for first, last in days):
            return holds(replace(subject, history=()))
        if limits is None:
            return None
        return _compared(limits, sum(_inside(day, bounds) for span in days for day in set(span)))

    return decision


def _days(subject: Subject, types: Sequence[str]) -> list[tuple[date, date]] | None:
    """The first and last days of these event types; None when the profile does not know them all."""
    seen = subject.seen
    if seen is None or (len(seen) >= MOST_SEEN and any(kind not in seen for kind in types)):
        return None
    if ANY_EVENT in types:
        return [days for kind, days in seen.items() if kind not in CONCLUSIONS]
    return [seen[kind] for kind in types if kind in seen]


def _start(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _overlaps(first: date, last: date, bounds: Bounds) -> bool:
    start, end = bounds
    return (start is None or _start(last) + _ONE_DAY > start) and (end is None or _start(first) < end)


def _inside(day: date, bounds: Bounds) -> bool:
    start, end = bounds
    return (start is None or _start(day) >= start) and (end is None or _start(day) + _ONE_DAY <= end)


def _compared(limits: Mapping[CountWord, Any], least: int) -> bool | None:
    """The comparisons of a count of which only ``least`` is known: it may be any number from there on."""
    found = [_compared_by(word, limit, least) for word, limit in (limits or {"at_least": 1}).items()]
    if False in found:
        return False
    return None if None in found else True


def _compared_by(word: CountWord, limit: float, least: int) -> bool | None:
    match word:
        case "at_least":
            return True if least >= limit else None
        case "more_than":
            return True if least > limit else None
        case "at_most" | "exactly":
            return False if least > limit else None
        case "less_than":
            return False if least >= limit else None
        case _:
            assert_never(word)
