"""How two values compare, whatever they are; nothing here ever raises. Used by compiled rules and explanations."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from math import nan
from typing import Any, Final

DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def look_up(values: Mapping[str, Any], path: str) -> Any:
    """The value at a dotted path, None where there is none; a name that itself has dots comes first.

    In a list of mappings (the products of an order) it is the list of what each of them has there.
    """
    found: Any = values.get(path)
    if found is None and "." in path:
        found = values
        for name in path.split("."):
            found = found.get(name) if isinstance(found, Mapping) else _of_each(found, name)
    return found


def _of_each(values: Any, name: str) -> list[Any] | None:
    """What the mappings in a list have under the name, the elements of lists one by one; None when none has it."""
    if not isinstance(values, (list, tuple)):
        return None
    found: list[Any] = []
    for each in values:
        value = each.get(name) if isinstance(each, Mapping) else None
        if isinstance(value, (list, tuple)):
            found.extend(value)
        elif value is not None:
            found.append(value)
    return found or None


def same(value: Any, wanted: Any) -> bool:
    """Equality of values of one kind; a missing value equals nothing."""
    if value is None or wanted is None:
        return False
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    if isinstance(value, Decimal) or isinstance(wanted, Decimal):
        left, right = number(value), number(wanted)
        return left is not None and left == right
    return bool(value == wanted)


def number(value: Any) -> int | float | None:
    """A number as Python compares it; DynamoDB's Decimal(0.1) must equal the 0.1 of a rule."""
    if isinstance(value, bool):
        return None
    if isinstance(value, Decimal):
        if value.is_nan():  # float() refuses a signalling one
            return nan
        return int(value) if value.is_finite() and value == value.to_integral_value() else float(value)
    return value if isinstance(value, (int, float)) else None


def finite(value: Any) -> int | float | None:
    """A number that can be summed."""
    found = number(value)
    return None if found is None or found != found or found in {float("inf"), float("-inf")} else found  # noqa: PLR0124 - NaN


def fold(value: Any) -> Any:
    """Text without its case; a list of such texts; anything else as it is."""
    if isinstance(value, str):
        return value.casefold()
    return [fold(each) for each in value] if isinstance(value, (list, tuple, set, frozenset)) else value


def contains(value: Any, wanted: Any) -> bool:
    """Whether a list has the element, or a text the piece."""
    if isinstance(value, str):
        return isinstance(wanted, str) and wanted in value
    return is_list(value) and any(same(each, wanted) for each in value)


def same_or_one_of(value: Any, wanted: Any) -> bool:
    """Whether it is the same, or a list of which one is: an order has a list of products, and the trigger names one."""
    return same(value, wanted) or (is_list(value) and any(same(each, wanted) for each in value))


def is_list(value: Any) -> bool:
    """Whether the value is a list or a set of values."""
    return isinstance(value, (list, tuple, set, frozenset))


def is_empty(value: Any) -> bool:
    """Whether there is nothing: missing, null, empty text, an empty list or mapping."""
    return value is None or (isinstance(value, (str, list, tuple, set, frozenset, Mapping)) and not value)


def each_scalar(value: Any) -> Iterator[Any]:
    """The value, or the elements of a list, as far as they are text, numbers or booleans."""
    for one in value if is_list(value) else (value,):
        if isinstance(one, (str, bool)):
            yield one
        elif (found := number(one)) is not None:
            yield found


def identity_of(value: Any) -> tuple[bool, Any]:
    """What tells values apart in a set: Python takes True for 1."""
    return isinstance(value, bool), value


def order(value: Any, wanted: Any) -> int | None:
    """-1, 0 or 1 as ``value`` is before, at or after ``wanted``; None where that has no meaning."""
    if isinstance(value, str) and isinstance(wanted, str):
        return _order_in_time(value, wanted)
    left, right = number(value), number(wanted)
    if left is None or right is None or left != left or right != right:  # noqa: PLR0124 - only NaN differs from itself
        return None
    return (left > right) - (left < right)


def _order_in_time(value: str, wanted: str) -> int | None:
    left, right = instant(value), instant(wanted)
    if left is None or right is None:
        return None
    if DATE.fullmatch(value) or DATE.fullmatch(wanted):
        return (value[:10] > wanted[:10]) - (value[:10] < wanted[:10])
    return (left > right) - (left < right)


def instant(text: Any) -> datetime | None:
    """The instant an ISO 8601 text tells, UTC where it has no offset; None for any other text."""
    if not isinstance(text, str) or not DATE.match(text):  # before the costly parse: most text is no date
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


NumberTest = Callable[[Any], bool]

_TESTS: Final[Mapping[str, Callable[[Any], Callable[[Any], bool]]]] = {
    "equals": lambda wanted: lambda value: value == wanted,
    "exactly": lambda wanted: lambda value: value == wanted,
    "at_least": lambda wanted: lambda value: value >= wanted,
    "at_most": lambda wanted: lambda value: value <= wanted,
    "more_than": lambda wanted: lambda value: value > wanted,
    "less_than": lambda wanted: lambda value: value < wanted,
    "between": lambda wanted: lambda value: wanted[0] <= value <= wanted[1],
}


def number_test(wanted: Any) -> NumberTest:
    """``3`` or ``{at_least: 2, at_most: 5}`` as a test of a number; every one of its words must hold."""
    if not isinstance(wanted, Mapping):
        wanted = {"equals": wanted}
    tests = [_TESTS[word](limit) for word, limit in wanted.items()]
    return tests[0] if len(tests) == 1 else lambda value: all(test(value) for test in tests)


def texts_and_others(options: Sequence[Any]) -> tuple[frozenset[str], list[Any]]:
    """A list of values, its texts as a set because they are many."""
    texts = frozenset(option for option in options if isinstance(option, str))
    return texts, [option for option in options if not isinstance(option, str)]
