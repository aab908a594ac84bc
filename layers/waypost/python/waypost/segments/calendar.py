"""Times against the calendar of a zone. Used by compiled rules.

Every time word of the language is one question: does an instant lie in [start, end)? A date counts as its first moment in
the contact's zone. Local midnight that a change of the clocks skips is the moment of the change; one that comes twice is
the first.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from math import ceil, floor
from typing import Any, Final
from zoneinfo import ZoneInfo

from waypost.contacts.cleaning.yearless import LEAP_YEAR, is_yearless
from waypost.durations import parse_duration
from waypost.errors import InvalidInput
from waypost.segments.comparing import DATE, instant
from waypost.segments.vocabulary import CALENDAR_WORDS, WINDOW_WORDS

Bounds = tuple[datetime | None, datetime | None]
"""The first instant inside and the first one after it; None: no limit."""

Window = Callable[[datetime, ZoneInfo], Bounds]
"""The bounds for a moment of asking and a zone."""

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
PERIODS: Final = (
    "today", "yesterday", "tomorrow", "this_week", "last_week", "next_week", "this_month", "last_month", "next_month",
    "this_quarter", "last_quarter", "this_year", "last_year", "next_year",
)  # fmt: skip
MOST_DAYS: Final = 36_600

_TICK: Final = timedelta(microseconds=1)
_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)


def start_of(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of a local day, in UTC."""
    try:
        return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
    except OverflowError:
        return _FIRST if day.year == 1 else _LAST


def local(at: datetime, zone: ZoneInfo) -> datetime:
    """The wall clock of the zone; the ends of the calendar stay where they are."""
    try:
        return at.astimezone(zone)
    except OverflowError:
        return at.replace(tzinfo=zone)


def moment(value: Any, zone: ZoneInfo) -> datetime | None:
    """The instant that an attribute's date or instant means; None for anything else."""
    found = instant(value)
    return start_of(found.date(), zone) if found is not None and DATE.fullmatch(value) else found


def day_of(value: Any, zone: ZoneInfo) -> date | None:
    """The local day of an attribute's date or instant."""
    found = instant(value)
    if found is None:
        return None
    return found.date() if DATE.fullmatch(value) else local(found, zone).date()


def _moved(day: date, days: int) -> date:
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return date.min if days < 0 else date.max


def _shifted(at: datetime, span: timedelta) -> datetime:
    try:
        return at + span
    except OverflowError:
        return _FIRST if span < timedelta(0) else _LAST


def window_of(rule: Mapping[str, Any], *, of_events: bool) -> Window | None:
    """The window that the time words of a condition mean together; None when it has none.

    ``of_events``: what has happened cannot lie in the future, so a window that reaches up to now takes in what is dated
    ahead of it. Raises InvalidInput for a word with a value that means nothing.
    """
    words = [word for word in WINDOW_WORDS if rule.get(word) is not None]
    windows = [_window(word, rule[word], of_events=of_events) for word in words]
    if not windows:
        return None
    if words == ["within", "older_than"]:
        window = _both(*windows)
    elif len(windows) == 1:
        window = windows[0]
    else:
        raise InvalidInput(
            "rule", f"expected only one of {', '.join(WINDOW_WORDS)} (within and older_than may stand together)"
        )
    return lru_cache(maxsize=64)(window)  # in a bulk run everybody is asked at one moment, in few zones


def _both(since: Window, until: Window) -> Window:
    """From where the first begins to where the second ends."""
    return lambda now, zone: (since(now, zone)[0], until(now, zone)[1])


def _window(word: str, value: Any, *, of_events: bool) -> Window:  # noqa: C901, PLR0911, PLR0912 - one branch per word
    match word:
        case "within":
            span = _span(word, value)
            return lambda now, _zone: (_shifted(now, -span), None if of_events else now + _TICK)
        case "within_next":
            span = _span(word, value)
            return lambda now, _zone: (now, _shifted(now, span + _TICK))
        case "older_than":
            span = _span(word, value)
            return lambda now, _zone: (None, _shifted(now, -span))
        case "last_days":
            return _of_days(1 - _days(word, value), 0, of_events=of_events)
        case "next_days":
            return _of_days(0, _days(word, value) - 1, of_events=of_events)
        case "days_since":
            least, most = day_range(value)
            return _of_days(None if most is None else -most, -least, of_events=of_events)
        case "days_until":
            least, most = day_range(value)
            return _of_days(least, most, of_events=of_events)
        case "period" if value in PERIODS:
            return _period(value, of_events=of_events)
        case "on":
            first, last = _edges(word, value)
            return lambda _now, zone: (first(zone), last(zone))
        case "before":
            first, _ = _edges(word, value)
            return lambda _now, zone: (None, first(zone))
        case "after":
            _, last = _edges(word, value)
            return lambda _now, zone: (last(zone), None)
        case "between" if isinstance(value, (list, tuple)) and len(value) == 2:
            (start, _), (_, end) = _edges(word, value[0]), _edges(word, value[1])
            return lambda _now, zone: (start(zone), end(zone))
        case _:
            raise InvalidInput(f"rule.{word}", f"means nothing: {value!r}")


def _span(word: str, value: Any) -> timedelta:
    try:
        return parse_duration(value)
    except ValueError as error:
        raise InvalidInput(f"rule.{word}", str(error)) from None


def _days(word: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_DAYS:
        raise InvalidInput(f"rule.{word}", f"expected a number of days from 1 to {MOST_DAYS:,}, got {value!r}")
    return value


def day_range(wanted: Any) -> tuple[int, int | None]:
    """The least and the most whole days, from 0 on, that pass a comparison of numbers. Raises InvalidInput."""
    least = 0
    most: int | None = None
    for word, limit in (wanted if isinstance(wanted, Mapping) else {"equals": wanted}).items():
        low: int | None = None
        high: int | None = None
        try:
            match word:
                case "equals":
                    low, high = ceil(limit), floor(limit)
                case "at_least":
                    low = ceil(limit)
                case "more_than":
                    low = floor(limit) + 1
                case "at_most":
                    high = floor(limit)
                case "less_than":
                    high = ceil(limit) - 1
                case "between":
                    low, high = ceil(limit[0]), floor(limit[1])
        except (TypeError, IndexError):
            raise InvalidInput(f"rule.{word}", f"expected a number of days, got {limit!r}") from None
        least = least if low is None else max(least, low)
        most = high if most is None else most if high is None else min(most, high)
    return least, most


def _of_days(first: int | None, last: int | None, *, of_events: bool) -> Window:
    """The local days from ``first`` to ``last``, counted from today."""

    def bounds(now: datetime, zone: ZoneInfo) -> Bounds:
        today = local(now, zone).date()
        start = None if first is None else start_of(_moved(today, first), zone)
        end = None if last is None or (of_events and last >= 0) else start_of(_moved(today, last + 1), zone)
        return start, end

    return bounds


def _period(name: str, *, of_events: bool) -> Window:
    def bounds(now: datetime, zone: ZoneInfo) -> Bounds:
        first, after = period_days(name, local(now, zone).date())
        end = start_of(after, zone)
        return start_of(first, zone), None if of_events and end > now else end

    return bounds


def period_days(name: str, today: date) -> tuple[date, date]:
    """The first day of a period and the first one after it. Weeks begin on Monday (ISO 8601)."""
    which, _, unit = name.partition("_")
    if not unit:
        day = _moved(today, {"yesterday": -1, "tomorrow": 1}.get(name, 0))
        return day, _moved(day, 1)
    steps = {"last": -1, "this": 0, "next": 1}[which]
    if unit == "week":
        monday = _moved(today, 7 * steps - today.weekday())
        return monday, _moved(monday, 7)
    months = {"month": 1, "quarter": 3, "year": 12}[unit]
    begin = (today.year * 12 + today.month - 1) // months * months + steps * months
    return _first_of(begin), _first_of(begin + months)


def _first_of(months: int) -> date:
    year, month = divmod(months, 12)
    if year < date.min.year:
        return date.min
    return date.max if year > date.max.year else date(year, month + 1, 1)


def _edges(word: str, value: Any) -> tuple[Callable[[ZoneInfo], datetime], Callable[[ZoneInfo], datetime]]:
    """The first moment of a date or instant, and the first one after it, in a zone."""
    found = instant(value)
    if found is None:
        raise InvalidInput(
            f"rule.{word}", f"expected a date (2027-03-01) or an instant (2027-03-01T10:00:00+08:00), got {value!r}"
        )
    if DATE.fullmatch(value):
        day = found.date()
        return lambda zone: start_of(day, zone), lambda zone: start_of(_moved(day, 1), zone)
    at = local(found, ZoneInfo("UTC")).astimezone(UTC)
    return lambda _zone: at, lambda _zone: _shifted(at, _TICK)


CalendarTest = Callable[[datetime], bool]
"""A test of a wall-clock time."""


def calendar_test(rule: Mapping[str, Any]) -> CalendarTest | None:
    """What weekday, month and time_of_day of a condition ask of a local time; None when it asks nothing."""
    tests = [_calendar(word, rule[word]) for word in CALENDAR_WORDS if rule.get(word) is not None]
    if not tests:
        return None
    return tests[0] if len(tests) == 1 else lambda at: all(test(at) for test in tests)


def _calendar(word: str, value: Any) -> CalendarTest:
    listed = value if isinstance(value, (list, tuple)) else [value]
    match word:
        case "weekday" if all(day in WEEKDAYS for day in listed):
            days = frozenset(WEEKDAYS.index(day) for day in listed)
            return lambda at: at.weekday() in days
        case "month" if all(isinstance(month, int) and 1 <= month <= 12 for month in listed):
            months = frozenset(listed)
            return lambda at: at.month in months
        case "time_of_day" if len(listed) == 2:
            return _time_of_day(*listed)
        case _:
            raise InvalidInput(f"rule.{word}", f"means nothing: {value!r}")


def _time_of_day(start: Any, end: Any) -> CalendarTest:
    try:
        first, last = time.fromisoformat(start), time.fromisoformat(end)
    except (TypeError, ValueError):
        raise InvalidInput(
            "rule.time_of_day", f"expected two local times such as [09:00, 21:00], got {start!r}"
        ) from None
    if first < last:
        return lambda at: first <= at.time() < last
    return lambda at: at.time() >= first or at.time() < last


def yearly_day(value: Any, zone: ZoneInfo) -> date | None:
    """The day that a date, an instant or a day without a year (``--05-21``) comes back on every year; None for anything else.

    Only its month and day are meant: of a day without a year, the year is a leap year.
    """
    if not is_yearless(value):
        return day_of(value, zone)
    try:
        return date(LEAP_YEAR, int(value[2:4]), int(value[5:]))
    except ValueError:  # --13-45, of an attribute that nobody declared
        return None


def anniversary_in(day: date, year: int) -> date:
    """The anniversary of a day; of 29 February, the 28th in other than leap years."""
    try:
        return day.replace(year=year)
    except ValueError:
        return date(year, 2, 28)


def next_anniversary(value: Any, day: date, zone: ZoneInfo) -> date | None:
    """The first anniversary of a date, an instant or a day without a year, on ``day`` or after it; None for anything else."""
    yearly = yearly_day(value, zone)
    if yearly is None:
        return None
    this_year = anniversary_in(yearly, day.year)
    return this_year if this_year >= day else anniversary_in(yearly, day.year + 1)


def age_at(day: date, today: date) -> int:
    """Whole years since a day: one more on each anniversary; negative before the day itself."""
    return today.year - day.year - (today < anniversary_in(day, today.year))


def days_to_anniversary(day: date, today: date) -> int:
    """Days from today to the next anniversary, 0 on the day."""
    ahead = anniversary_in(day, today.year)
    if ahead < today:
        ahead = anniversary_in(day, min(today.year + 1, date.max.year))
    return (ahead - today).days


def days_from_anniversary(day: date, today: date) -> int:
    """Days from the last anniversary to today, 0 on the day."""
    behind = anniversary_in(day, today.year)
    if behind > today:
        behind = anniversary_in(day, max(today.year - 1, 1))
    return (today - behind).days
