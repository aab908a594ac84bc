"""Values and times of the naive reading: one value after the other, as docs/segments.md tells what they mean."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from waypost.segments.compile import Subject

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
WINDOWS = ("within", "older_than", "last_days", "period", "on", "before", "after", "between", "days_since")
CALENDAR = ("weekday", "month", "time_of_day")


def find(source: Mapping[str, Any], path: Any) -> Any:
    """The value at a path; a name with dots comes first."""
    if source.get(path) is not None:
        return source[path]
    if "." not in path:
        return None
    reached: list[Any] = [source]
    several = False
    for part in path.split("."):
        opened = [inner for each in reached for inner in (each if isinstance(each, list) else [each])]
        several = several or any(isinstance(each, list) for each in reached)
        reached = [each[part] for each in opened if isinstance(each, Mapping) and each.get(part) is not None]
    if several:
        return [inner for each in reached for inner in (each if isinstance(each, list) else [each])] or None
    return reached[0] if reached else None


def span(text: str) -> timedelta:
    """A duration."""
    return timedelta(seconds=int(text[:-1]) * UNITS[text[-1]])


def has_times(rule: Mapping[str, Any]) -> bool:
    return any(rule.get(word) is not None for word in (*WINDOWS, *CALENDAR))


def when(at: datetime, rule: Mapping[str, Any], subject: Subject, *, happened: bool = True) -> bool:
    """Whether the time words of a condition hold for an instant."""
    there = at.astimezone(subject.zone)
    return in_calendar(there, rule) and all(
        _window(at, word, rule[word], subject, happened)
        for word in (*WINDOWS, "within_next", "next_days", "days_until")
        if rule.get(word) is not None
    )


def _window(at: datetime, word: str, wanted: Any, subject: Subject, happened: bool) -> bool:
    now = subject.now
    if happened and at > now and word in {"within", "older_than", "last_days", "period", "days_since"}:
        at = now
    day, today = at.astimezone(subject.zone).date(), now.astimezone(subject.zone).date()
    ago = (today - day).days
    outcomes: dict[str, Callable[[], bool]] = {
        "within": lambda: now - span(wanted) <= at <= now,
        "within_next": lambda: now <= at <= now + span(wanted),
        "older_than": lambda: at < now - span(wanted),
        "last_days": lambda: 0 <= ago < wanted,
        "next_days": lambda: 0 <= -ago < wanted,
        "days_since": lambda: ago >= 0 and number_passes(ago, wanted),
        "days_until": lambda: ago <= 0 and number_passes(-ago, wanted),
        "period": lambda: _in_period(day, wanted, today),
        "on": lambda: day == date.fromisoformat(wanted),
        "before": lambda: _before(at, day, wanted),
        "after": lambda: _before_or_at(at, day, wanted) is False,
        "between": lambda: not _before(at, day, wanted[0]) and _before_or_at(at, day, wanted[1]),
    }
    return outcomes[word]()


def _before(at: datetime, day: date, bound: str) -> bool:
    return day < date.fromisoformat(bound) if len(bound) == 10 else at < _instant(bound)


def _before_or_at(at: datetime, day: date, bound: str) -> bool:
    return day <= date.fromisoformat(bound) if len(bound) == 10 else at <= _instant(bound)


def _instant(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _in_period(day: date, name: str, today: date) -> bool:
    if name in {"today", "yesterday", "tomorrow"}:
        return (day - today).days == {"today": 0, "yesterday": -1, "tomorrow": 1}[name]
    which, unit = name.split("_")
    step = {"last": -1, "this": 0, "next": 1}[which]
    if unit == "week":
        return day.isocalendar()[:2] == (today + timedelta(days=7 * step)).isocalendar()[:2]
    if unit == "year":
        return day.year == today.year + step
    size = 1 if unit == "month" else 3
    return (day.year * 12 + day.month - 1) // size == (today.year * 12 + today.month - 1) // size + step


def in_calendar(there: datetime, rule: Mapping[str, Any]) -> bool:
    if rule.get("weekday") is not None and there.strftime("%a").lower() not in rule["weekday"]:
        return False
    if rule.get("month") is not None and there.month not in (
        rule["month"] if isinstance(rule["month"], list) else [rule["month"]]
    ):
        return False
    if rule.get("time_of_day") is None:
        return True
    start, end = (time.fromisoformat(each) for each in rule["time_of_day"])
    clock = there.time()
    return start <= clock < end if start < end else clock >= start or clock < end


def kind_of(value: Any) -> str:
    """Values of different kinds are never equal and have no order."""
    if isinstance(value, bool):
        return "bool"
    return "number" if isinstance(value, (int, float)) else type(value).__name__


def equal(value: Any, wanted: Any) -> bool:
    """Equality without Python's habit of taking True for 1."""
    return value is not None and kind_of(value) == kind_of(wanted) and bool(value == wanted)


def number_passes(number: Any, wanted: Any) -> bool:
    """Whether a number passes a number or all comparisons of a mapping."""
    if not isinstance(wanted, Mapping):
        wanted = {"equals": wanted}
    outcomes: dict[str, Callable[[Any], bool]] = {
        "equals": lambda limit: number == limit,
        "at_least": lambda limit: not number < limit,
        "at_most": lambda limit: not number > limit,
        "more_than": lambda limit: number > limit,
        "less_than": lambda limit: number < limit,
        "between": lambda limit: limit[0] <= number <= limit[1],
    }
    return all(outcomes[word](limit) for word, limit in wanted.items())


def compare(value: Any, comparison: Mapping[str, Any], subject: Subject) -> bool:
    """One operator, spelled out."""
    [(operator, wanted)] = [(key, each) for key, each in comparison.items() if key != "ignore_case"]
    if comparison.get("ignore_case"):
        value, wanted = _lower(value), _lower(wanted)
        if operator == "matches":
            wanted = f"(?i){comparison['matches']}"
    outcomes: dict[str, Callable[[], bool]] = {
        "equals": lambda: equal(value, wanted),
        "not_equals": lambda: not equal(value, wanted),
        "in": lambda: [each for each in wanted if equal(value, each)] != [],
        "not_in": lambda: [each for each in wanted if equal(value, each)] == [],
        "exists": lambda: bool((value is not None) == wanted),
        "is_empty": lambda: bool((value is None or value in ("", [], {})) == wanted),
        "contains": lambda: _contains(value, wanted),
        "contains_any": lambda: True in [_contains(value, each) for each in wanted],
        "contains_all": lambda: False not in [_contains(value, each) for each in wanted],
        "contains_none": lambda: True not in [_contains(value, each) for each in wanted],
        "starts_with": lambda: kind_of(value) == "str" and bool(value[: len(wanted)] == wanted),
        "ends_with": lambda: kind_of(value) == "str" and bool(value[max(len(value) - len(wanted), 0) :] == wanted),
        "matches": lambda: kind_of(value) == "str" and re.search(wanted, value) is not None,
        "length": lambda: kind_of(value) == "str" and number_passes(len(value), wanted),
        "size": lambda: kind_of(value) in {"list", "dict"} and number_passes(len(value), wanted),
        "equals_trigger": lambda: any(
            equal(each, find(subject.trigger, wanted))
            for each in (value, *(value if isinstance(value, (list, tuple, set, frozenset)) else ()))
        ),
        "equals_property": lambda: equal(value, find(subject.properties, wanted)),
        "contains_property": lambda: _contains(value, find(subject.properties, wanted)),
        "at_least": lambda: _ordered(value, wanted, {1, 0}),
        "at_most": lambda: _ordered(value, wanted, {-1, 0}),
        "more_than": lambda: _ordered(value, wanted, {1}),
        "less_than": lambda: _ordered(value, wanted, {-1}),
    }
    if operator in outcomes:
        return outcomes[operator]()
    if operator == "between" and kind_of(wanted[0]) == "number":
        return kind_of(value) == "number" and number_passes(value, {"between": wanted})
    return _in_time(value, operator, wanted, subject)


def _in_time(value: Any, operator: str, wanted: Any, subject: Subject) -> bool:
    moment = _moment(value) if isinstance(value, str) else None
    if moment is None:
        return False
    is_day = len(value) == 10
    at = datetime(moment.year, moment.month, moment.day, tzinfo=subject.zone) if is_day else moment
    day = moment.date() if is_day else at.astimezone(subject.zone).date()
    today = subject.now.astimezone(subject.zone).date()
    if operator == "age":
        return day <= today and number_passes(_age(day, today), wanted)
    if operator == "anniversary":
        return _anniversary(day, today, wanted)
    if operator == "time_of_day" and is_day:
        return False
    if is_day and operator in CALENDAR:
        return in_calendar(datetime(day.year, day.month, day.day, 12, tzinfo=UTC), {operator: wanted})
    return when(at.astimezone(UTC), {operator: wanted}, subject, happened=False)


def _falls_on(day: date, candidate: date) -> bool:
    """Whether a candidate day is an anniversary of a day."""
    if (day.month, day.day) == (2, 29):
        return (candidate + timedelta(days=1)).strftime("%m-%d") == "03-01" and candidate.month == 2
    return (day.month, day.day) == (candidate.month, candidate.day)


def _age(day: date, today: date) -> int:
    years = 0
    while True:
        year = day.year + years + 1
        birthday = (
            date(year, 3, 1) - timedelta(days=1) if (day.month, day.day) == (2, 29) else date(year, day.month, day.day)
        )
        if birthday > today:
            return years
        years += 1


def _anniversary(day: date, today: date, wanted: Any) -> bool:
    if wanted == "today":
        return _falls_on(day, today)
    if wanted == "tomorrow":
        return _falls_on(day, today + timedelta(days=1))
    if wanted == "this_month":
        return day.strftime("%m") == today.strftime("%m")
    if wanted == "next_month":
        return (day.month - today.month) % 12 == 1
    [(word, days)] = wanted.items()
    offsets = {"next_days": range(days), "last_days": range(0, -days, -1), "in_days": [days]}[word]
    if word == "in_days" and any(_falls_on(day, today + timedelta(days=each)) for each in range(days)):
        return False  # the next one comes before
    return any(_falls_on(day, today + timedelta(days=each)) for each in offsets)


def _lower(value: Any) -> Any:
    if isinstance(value, str):
        return value.casefold()
    return [_lower(each) for each in value] if isinstance(value, list) else value


def _contains(value: Any, wanted: Any) -> bool:
    if kind_of(value) == "str":
        return kind_of(wanted) == "str" and str(value).find(wanted) >= 0
    return kind_of(value) == "list" and [each for each in value if equal(each, wanted)] != []


def _ordered(value: Any, wanted: Any, accepted: set[int]) -> bool:
    if kind_of(value) != kind_of(wanted) or kind_of(value) not in {"number", "str"}:
        return False
    if kind_of(value) == "str":
        moments = (_moment(value), _moment(wanted))
        if None in moments:
            return False
        value, wanted = (value[:10], wanted[:10]) if 10 in {len(value), len(wanted)} else moments
    return (-1 if value < wanted else 1 if value > wanted else 0) in accepted


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if text[4:5] != "-" or text[7:8] != "-":
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
