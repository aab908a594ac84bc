"""Rules decided from the profile alone, as far as it can tell. Used by bulk runs, to read no history that does not matter.

The answer is True, False, or None where only the history or the enrolments can tell. A profile knows the first and the
last day (UTC) of every event type: that rules out what never happened, or not in the window asked for, and proves that
something happened when one of those days lies inside the window.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from waypost.contacts.profile import MOST_SEEN
from waypost.segments.calendar import Bounds, window_of
from waypost.segments.compile import Condition, compile_rule
from waypost.segments.dependencies import reads
from waypost.segments.subject import Subject
from waypost.segments.vocabulary import (
    ANY_EVENT,
    CALENDAR_WORDS,
    CONCLUSIONS,
    COUNT_WORDS,
    KEY_WORDS,
    LIFECYCLE_CHANGED,
    MEASURES,
    Rule,
    arrivals_as_event,
    engagement_as_event,
    event_types,
    expand_where,
)

Decision = Callable[[Subject], bool | None]

_ONE_DAY: Final = timedelta(days=1)
_MORE_THAN_TIMES: Final = (
    "where", "occurrence", "followed_by", "not_followed_by", *MEASURES, *CALENDAR_WORDS,
)  # fmt: skip


def decide(rule: Mapping[str, Any] | None) -> Decision:
    """The rule as a three-valued function. Raises InvalidInput for what is not a rule."""
    whole = compile_rule(rule)  # also checks all of it
    if rule is None or not _needs_more(rule):
        return whole
    return _decision(expand_where(rule, KEY_WORDS))


def _needs_more(rule: Rule) -> bool:
    looked_at = reads(rule)
    return looked_at.history or looked_at.enrolments


def _decision(rule: Rule) -> Decision:  # noqa: PLR0911 - one return per form
    if not _needs_more(rule):
        return compile_rule(rule)
    match rule:
        case {"all": rules}:
            return _of_several(rules, "all", settling=False)
        case {"any": rules}:
            return _of_several(rules, "any", settling=True)
        case {"not": inner}:
            decision = _decision(inner)
            return lambda subject: None if (known := decision(subject)) is None else not known
        case {"engagement": str(), "of_last": int()}:
            return _behaviour(rule, arrivals_as_event(rule), certain=False)
        case {"engagement": str()}:
            return _behaviour(rule, engagement_as_event(rule))
        case {"event": _}:
            return _behaviour(rule, rule)
        case {"lifecycle": _}:
            return _lifecycle(rule)
        case _:
            return lambda _subject: None


def _of_several(rules: Iterable[Rule], word: str, *, settling: bool) -> Decision:
    """Kleene's all and any: one part that settles it is enough; what the profile knows is asked in one function."""
    listed = list(rules)
    known = [each for each in listed if not _needs_more(each)]
    others = [_decision(each) for each in listed if _needs_more(each)]
    first: Condition | None = compile_rule({word: known}) if known else None

    def decision(subject: Subject) -> bool | None:
        if first is not None and first(subject) is settling:
            return settling
        unknown = False
        for other in others:
            found = other(subject)
            if found is settling:
                return settling
            unknown = unknown or found is None
        return None if unknown else not settling

    return decision


def _lifecycle(rule: Rule) -> Decision:
    is_in = compile_rule({"lifecycle": rule["lifecycle"]})

    def decision(subject: Subject) -> bool | None:
        if not is_in(subject) or _never(subject, [LIFECYCLE_CHANGED]):
            return False
        return None

    return decision


def _never(subject: Subject, types: Iterable[str]) -> bool:
    """Whether none of the event types has ever happened, for certain."""
    seen = subject.seen
    return seen is not None and len(seen) < MOST_SEEN and not any(kind in seen for kind in types)


def _behaviour(rule: Rule, event: Rule, *, certain: bool = True) -> Decision:
    """Rules out what the days of the event types exclude; proves a count they show, unless ``certain`` is false."""
    asks = compile_rule(rule)
    types = event_types(event)
    window = window_of(event, of_events=True)
    counts = (
        certain and all(event.get(word) is None for word in _MORE_THAN_TIMES) and event.get("count") in {None, "times"}
    )

    def decision(subject: Subject) -> bool | None:
        days = _days(subject, types)
        if days is None:
            return None
        bounds = window(subject.now, subject.zone) if window else (None, None)
        if not any(_overlaps(first, last, bounds) for first, last in days):
            return asks(replace(subject, history=()))
        if not counts:
            return None
        return _compared(event, sum(_inside(day, bounds) for span in days for day in set(span)))

    return decision


def _days(subject: Subject, types: list[str]) -> list[tuple[date, date]] | None:
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


def _compared(event: Rule, least: int) -> bool | None:
    """The comparisons of a count of which only ``least`` is known: it may be any number from there on."""
    answers = [_compared_by(word, event[word], least) for word in COUNT_WORDS if event.get(word) is not None]
    answers = answers or [_compared_by("at_least", 1, least)]
    if False in answers:
        return False
    return None if None in answers else True


def _compared_by(word: str, limit: float, least: int) -> bool | None:
    match word:
        case "at_least":
            return True if least >= limit else None
        case "more_than":
            return True if least > limit else None
        case "at_most" | "exactly":
            return False if least > limit else None
        case _:
            return False if least >= limit else None
