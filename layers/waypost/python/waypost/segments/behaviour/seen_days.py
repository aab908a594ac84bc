"""Behaviour decided from the profile alone, as far as it can tell. Used by the conditions over events.

A profile knows the first and the last day (UTC) of every event type: that rules out what never happened, or not in the
window asked for, and proves that something happened when one of those days lies inside the window. The days outlive the
events, whose retention ends, so they are asked first wherever a condition is evaluated: a bulk run that reads no history,
a rule with the history at hand and an explanation give one answer.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, assert_never

from waypost.contacts.fitting import knows_all_types
from waypost.segments.behaviour.filters import EventFilter
from waypost.segments.behaviour.measures import Measure
from waypost.segments.calendar import Bounds
from waypost.segments.condition import Decision, Holds
from waypost.segments.generating import Code
from waypost.segments.subject import Subject
from waypost.segments.vocabulary import ANY_EVENT, CONCLUSIONS, CountWord

_ONE_DAY: Final = timedelta(days=1)
_DID_NOTHING: Final = Subject(attributes={}, tags=frozenset(), now=datetime(2000, 1, 1, tzinfo=UTC))


def never_seen(subject: Subject, types: Iterable[str]) -> bool:
    """Whether none of the event types has ever happened, for certain."""
    seen = subject.seen
    return seen is not None and knows_all_types(seen) and not any(kind in seen for kind in types)


def days_first(code: Code, decision: Decision, by_history: str) -> str:
    """The expression over ``s`` of a condition over events: by the days of the profile, by ``by_history`` where they do not tell."""
    return f"({by_history} if (known := {code.constant(decision)}(s)) is None else known)"


def days_beyond(subject: Subject, events: EventFilter) -> tuple[date, date] | None:
    """The first and the last day (UTC) of these event types where the profile reaches further than the events at hand.

    None where every day of the profile has its event, so that the events alone tell what there is to tell.
    """
    days = _days(subject, events.types)
    if not days:
        return None
    at_hand = {at.astimezone(UTC).date() for kind, at, _ in subject.history if kind in events.types}
    first, last = min(first for first, _ in days), max(last for _, last in days)
    return None if {first, last} <= at_hand else (first, last)


def decided_by_days(holds: Holds, events: EventFilter, counted: Measure | None) -> Decision:
    """The decision of a condition over these events; ``holds`` is the condition asked of the history alone.

    ``counted``: what is asked of the number of events, when the number of days proves it; None when it proves nothing.
    """
    window = events.times.window()
    without_events = holds(_DID_NOTHING)  # the same for everybody at any time: there is nothing to compare
    limits = (
        counted.limits if counted is not None and counted.counts_times and not events.asks_more_than_a_window else None
    )

    def decision(subject: Subject) -> bool | None:
        days = _days(subject, events.types)
        if days is None:
            return None
        bounds = window(subject.now, subject.zone) if window else (None, None)
        if not any(_overlaps(first, last, bounds) for first, last in days):
            return without_events
        if limits is None:
            return None
        return _compared(limits, sum(_inside(day, bounds) for span in days for day in set(span)))

    return decision


def _days(subject: Subject, types: Sequence[str]) -> list[tuple[date, date]] | None:
    """The first and last days of these event types; None when the profile does not know them all."""
    seen = subject.seen
    if seen is None or (not knows_all_types(seen) and any(kind not in seen for kind in types)):
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
