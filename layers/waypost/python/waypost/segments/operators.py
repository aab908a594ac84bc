"""What each operator becomes in a compiled rule. Used by the compiler.

What a comparison means, whatever the values are (none ever raises):

- a missing value, or one that is null, makes every comparison false, except ``not_equals``, ``not_in``, ``contains_none``,
  ``exists: false`` and ``is_empty: true``, which it makes true;
- text equals text, numbers equal numbers, booleans equal booleans; ``"5"`` is not ``5`` and ``true`` is not ``1``;
- ``at_least``, ``at_most``, ``more_than``, ``less_than`` compare numbers with numbers and dates or instants (ISO 8601)
  with each other, and are false for anything else. Where one side is a date, the other counts with the date as written
  in it; an instant without offset is UTC;
- the time words see instants: a date is its first moment in the contact's zone.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from waypost.errors import InvalidInput
from waypost.segments.calendar import (
    WEEKDAYS,
    age_at,
    calendar_test,
    day_of,
    days_from_anniversary,
    days_to_anniversary,
    local,
    moment,
    window_of,
    yearly_day,
)
from waypost.segments.comparing import (
    DATE,
    contains,
    fold,
    instant,
    is_empty,
    is_list,
    look_up,
    number,
    number_test,
    order,
    same,
    same_or_one_of,
    texts_and_others,
)
from waypost.segments.generating import Code
from waypost.segments.subject import Subject
from waypost.segments.vocabulary import (
    CALENDAR_WORDS,
    NUMBER_WORDS,
    WINDOW_WORDS,
)

Test = Callable[[Any, Subject], bool]
"""A comparison: of the value found (None where there is none) with what the rule wants."""

MOST_REGEX: Final = 1_000
REGEX_MEMORY: Final = 1 << 20
"""Bytes a compiled expression may take; RE2 runs in time linear in the text, whatever the expression."""

_SIGNS: Final[Mapping[str, str]] = {"at_least": ">=", "at_most": "<=", "more_than": ">", "less_than": "<"}
_NUMBER_SIGNS: Final[Mapping[str, str]] = {**_SIGNS, "equals": "=="}


def comparison(code: Code, operator: str, wanted: Any, value: str, *, folds: bool) -> str:
    """The comparison of a value (source code), as an expression; ``folds``: case does not count. Raises InvalidInput."""
    if not folds and (quick := _inline(code, operator, wanted, value)):
        return quick
    return f"{code.constant(_folding(operator, wanted) if folds else test_of(operator, wanted))}({value}, s)"


def _inline(code: Code, operator: str, wanted: Any, value: str) -> str | None:  # noqa: PLR0911 - one return per form
    """The comparisons of nearly every rule without a call; None for the others."""
    match operator, wanted:
        case "equals", str():
            return f"({value} == {code.constant(wanted)})"
        case "not_equals", str():
            return f"({value} != {code.constant(wanted)})"
        case "equals", bool():
            return f"({value} is {wanted})"
        case (("at_least" | "at_most" | "more_than" | "less_than"), int() | float()) if not isinstance(wanted, bool):
            limit = code.constant(wanted)
            slow = f"{code.constant(test_of(operator, wanted))}(v, s)"
            return f"(v {_SIGNS[operator]} {limit} if (c := (v := {value}).__class__) is int or c is float else {slow})"
        case "between", [low, high] if _is_number(low) and _is_number(high):
            limits = code.constant(low), code.constant(high)
            slow = f"{code.constant(test_of(operator, wanted))}(v, s)"
            inside = f"{limits[0]} <= v <= {limits[1]}"
            return f"({inside} if (c := (v := {value}).__class__) is int or c is float else {slow})"
        case (("in" | "not_in"), list()) if wanted and all(isinstance(each, str) for each in wanted):
            found = f"(v := {value}).__class__ is str and v in {code.constant(frozenset(wanted))}"
            return f"({found})" if operator == "in" else f"(not ({found}))"
        case "exists", bool():
            return f"({value} is {'not ' if wanted else ''}None)"
        case "contains", str():
            piece = code.constant(wanted)
            slow = f"{code.constant(contains)}(v, {piece})"
            return f"({piece} in v if (c := (v := {value}).__class__) is list or c is str else {slow})"
        case "starts_with", str():
            return f"((v := {value}).__class__ is str and v.startswith({code.constant(wanted)}))"
        case _:
            return None


def test_of(operator: str, wanted: Any) -> Test:  # noqa: C901, PLR0911, PLR0912 - one branch per operator
    """The operator as a function. Raises InvalidInput for a value that means nothing to it."""
    match operator, wanted:
        case "equals", _ if _is_scalar(wanted):
            return lambda value, _subject: same(value, wanted)
        case "not_equals", _ if _is_scalar(wanted):
            return lambda value, _subject: not same(value, wanted)
        case "in", list():
            one_of = _one_of(wanted)
            return lambda value, _subject: one_of(value)
        case "not_in", list():
            one_of = _one_of(wanted)
            return lambda value, _subject: not one_of(value)
        case "between", [low, high]:
            return _between(low, high)
        case "at_least", _ if _is_orderly(wanted):
            return lambda value, _subject: (found := order(value, wanted)) is not None and found >= 0
        case "at_most", _ if _is_orderly(wanted):
            return lambda value, _subject: (found := order(value, wanted)) is not None and found <= 0
        case "more_than", _ if _is_orderly(wanted):
            return lambda value, _subject: (found := order(value, wanted)) is not None and found > 0
        case "less_than", _ if _is_orderly(wanted):
            return lambda value, _subject: (found := order(value, wanted)) is not None and found < 0
        case "exists", bool():
            return lambda value, _subject: (value is not None) is wanted
        case "is_empty", bool():
            return lambda value, _subject: is_empty(value) is wanted
        case "contains", _ if _is_scalar(wanted):
            return lambda value, _subject: contains(value, wanted)
        case "contains_any", list():
            return lambda value, _subject: any(contains(value, each) for each in wanted)
        case "contains_all", list():
            return lambda value, _subject: all(contains(value, each) for each in wanted)
        case "contains_none", list():
            return lambda value, _subject: not any(contains(value, each) for each in wanted)
        case "starts_with", str():
            return lambda value, _subject: isinstance(value, str) and value.startswith(wanted)
        case "ends_with", str():
            return lambda value, _subject: isinstance(value, str) and value.endswith(wanted)
        case "matches", str():
            return _matching(wanted, folds=False)
        case "length", _ if is_number_test(wanted):
            passes = number_test(wanted)
            return lambda value, _subject: isinstance(value, str) and passes(len(value))
        case "size", _ if is_number_test(wanted):
            passes = number_test(wanted)
            return lambda value, _subject: (is_list(value) or isinstance(value, Mapping)) and passes(len(value))
        case "equals_trigger", str():
            return lambda value, subject: same_or_one_of(value, look_up(subject.trigger, wanted))
        case "age", _ if is_number_test(wanted):
            return _age(wanted)
        case "anniversary", _:
            return _anniversary(wanted)
        case (("weekday" | "month" | "time_of_day"), _):
            return _calendar(operator, wanted)
        case _ if operator in WINDOW_WORDS:
            return _window(operator, wanted)
        case _:
            raise InvalidInput("rule", f"not a comparison: {operator} {wanted!r}")


def is_number_test(wanted: Any) -> bool:
    """Whether this is a number or a comparison of numbers."""
    if not isinstance(wanted, Mapping):
        return _is_number(wanted)
    return bool(wanted) and all(
        word in NUMBER_WORDS
        and (
            _is_number(limit)
            if word != "between"
            else isinstance(limit, (list, tuple)) and len(limit) == 2 and all(map(_is_number, limit))
        )
        for word, limit in wanted.items()
    )


def number_expression(code: Code, wanted: Any, value: str) -> str:
    """A comparison of what is a number for certain, as an expression. Raises InvalidInput for what is no comparison."""
    if not is_number_test(wanted):
        raise InvalidInput("rule", f"expected a number or a comparison such as {{at_least: 18}}, got {wanted!r}")
    tests = wanted if isinstance(wanted, Mapping) else {"equals": wanted}
    parts = [
        f"{code.constant(limit[0])} <= {value} <= {code.constant(limit[1])}"
        if word == "between"
        else f"{value} {_NUMBER_SIGNS[word]} {code.constant(limit)}"
        for word, limit in tests.items()
    ]
    return f"({' and '.join(parts)})"


def compiled_regex(pattern: str, *, folds: bool) -> Any:
    """The expression for RE2's search. Raises InvalidInput with what is wrong with it."""
    import re2  # noqa: PLC0415 - a native library that only rules with an expression need

    if len(pattern) > MOST_REGEX:
        raise InvalidInput("rule.matches", f"expected at most {MOST_REGEX:,} characters, got {len(pattern):,}")
    options = re2.Options()
    options.max_mem = REGEX_MEMORY
    options.log_errors = False
    options.case_sensitive = not folds
    try:
        return re2.compile(pattern, options=options)
    except re2.error as error:
        reason = error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else str(error)
        raise InvalidInput(
            "rule.matches",
            f"expected a regular expression of RE2's syntax (no backreferences, no look-around), got: {reason}",
        ) from None


def _matching(pattern: str, *, folds: bool) -> Test:
    search = compiled_regex(pattern, folds=folds).search

    def holds(value: Any, _subject: Subject) -> bool:
        try:
            return isinstance(value, str) and search(value) is not None
        except UnicodeEncodeError:  # half of a surrogate pair, which JSON allows and UTF-8 does not
            return False

    return holds


def _folding(operator: str, wanted: Any) -> Test:
    """The operator with both sides folded."""
    if operator == "matches" and isinstance(wanted, str):
        return _matching(wanted, folds=True)
    test = test_of(operator, fold(wanted))
    return lambda value, subject: test(fold(value), subject)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_scalar(value: Any) -> bool:
    return isinstance(value, (str, int, float, bool, Decimal))


def _is_orderly(value: Any) -> bool:
    return number(value) is not None or instant(value) is not None


def _one_of(options: list[Any]) -> Callable[[Any], bool]:
    texts, others = texts_and_others(options)
    return lambda value: value in texts if isinstance(value, str) else any(same(value, option) for option in others)


def _between(low: Any, high: Any) -> Test:
    if number(low) is not None and number(high) is not None:
        return lambda value, _subject: (
            (first := order(value, low)) is not None and first >= 0 and (order(value, high) or 0) <= 0
        )
    return _window("between", [low, high])


def _window(word: str, wanted: Any) -> Test:
    window = window_of({word: wanted}, of_events=False)
    if window is None:
        raise InvalidInput(f"rule.{word}", "expected a value, got nothing")

    def holds(value: Any, subject: Subject) -> bool:
        at = moment(value, subject.zone)
        if at is None:
            return False
        start, end = window(subject.now, subject.zone)
        return (start is None or at >= start) and (end is None or at < end)

    return holds


def _calendar(word: str, wanted: Any) -> Test:
    passes = calendar_test({word: wanted})
    if passes is None or word not in CALENDAR_WORDS:
        raise InvalidInput(f"rule.{word}", f"means nothing: {wanted!r}; a weekday is one of {', '.join(WEEKDAYS)}")

    def holds(value: Any, subject: Subject) -> bool:
        at = instant(value)
        if at is None:
            day = (
                yearly_day(value, subject.zone) if word == "month" else None
            )  # a birthday without its year has a month
            return day is not None and passes(datetime(day.year, day.month, day.day, tzinfo=UTC))
        if not DATE.fullmatch(value):
            return passes(local(at, subject.zone))
        return word != "time_of_day" and passes(at)

    return holds


def _age(wanted: Any) -> Test:
    passes = number_test(wanted)

    def holds(value: Any, subject: Subject) -> bool:
        day = day_of(value, subject.zone)
        today = local(subject.now, subject.zone).date()
        return day is not None and day <= today and passes(age_at(day, today))

    return holds


def _anniversary(wanted: Any) -> Test:
    is_near = _anniversary_test(wanted)

    def holds(value: Any, subject: Subject) -> bool:
        day = yearly_day(value, subject.zone)
        return day is not None and is_near(day, local(subject.now, subject.zone).date())

    return holds


def _anniversary_test(wanted: Any) -> Callable[[date, date], bool]:  # noqa: PLR0911 - one return per form
    match wanted:
        case "today":
            return lambda day, today: days_to_anniversary(day, today) == 0
        case "tomorrow":
            return lambda day, today: days_to_anniversary(day, today) == 1
        case "this_month":
            return lambda day, today: day.month == today.month
        case "next_month":
            return lambda day, today: day.month == today.month % 12 + 1
        case {"next_days": int(days)}:
            return lambda day, today: days_to_anniversary(day, today) < days
        case {"last_days": int(days)}:
            return lambda day, today: days_from_anniversary(day, today) < days
        case {"in_days": int(days)}:
            return lambda day, today: days_to_anniversary(day, today) == days
        case _:
            raise InvalidInput("rule.anniversary", f"means nothing: {wanted!r}")
