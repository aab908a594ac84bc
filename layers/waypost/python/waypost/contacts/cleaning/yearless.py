"""A day without its year, such as a birthday whose year nobody gave: ``--05-21``. Used by attributes, the profile and rules.

Source of the form: ISO 8601:2000, 5.2.1.3 (truncated representations), as in vCard 4.0 (RFC 6350, 4.3.1).
"""

import re
from datetime import date
from typing import Any, Final, assert_never

from waypost.contacts.cleaning.orders import DateOrder
from waypost.contacts.cleaning.outcome import Cleaned, Unusable
from waypost.contacts.cleaning.text import half_width

LEAP_YEAR: Final = 2000
"""The year in which every day exists."""

_STORED: Final = re.compile(r"--(?P<m>[0-9]{2})-(?P<d>[0-9]{2})", re.ASCII)
_MONTH_FIRST: Final = re.compile(
    r"(?:--)?(?P<m>[0-9]{1,2})(?:-(?P<d>[0-9]{1,2})|月 ?(?P<e>[0-9]{1,2}) ?[日号]?)", re.ASCII
)
_EITHER: Final = re.compile(r"(?P<a>[0-9]{1,2})[/. ](?P<b>[0-9]{1,2})", re.ASCII)
_AMBIGUOUS: Final = Unusable(
    "can be read with the day first or the month first; declare dates: day_first or month_first, or write --05-21"
)
_NO_SUCH_DAY: Final = Unusable("should be a day that exists")


def is_yearless(value: Any) -> bool:
    """Whether a stored value is a day without its year."""
    return isinstance(value, str) and value.startswith("--") and _STORED.fullmatch(value) is not None


def yearless(text: str, *, order: DateOrder = "year_first") -> Cleaned | None:
    """A day without its year as ``--MM-DD``: ``05/21``, ``5月21日``, ``--05-21``; None for what is none.

    Of two numbers that can both be a month the declared order says which is one; without it such a day is refused.
    """
    written = half_width(text)
    if found := _MONTH_FIRST.fullmatch(written):
        return _day(int(found["m"]), int(found["d"] or found["e"]))
    found = _EITHER.fullmatch(written)
    if not found:
        return None
    first, second = int(found["a"]), int(found["b"])
    match order:
        case "month_first":
            return _day(first, second)
        case "day_first":
            return _day(second, first)
        case "year_first":
            if first > 12 or second > 12 or first == second:
                return _day(min(first, second), max(first, second))
            return _AMBIGUOUS
        case never:
            assert_never(never)


def same_day(known: Any, value: str) -> bool:
    """Whether a known date lies on the day without its year."""
    return isinstance(known, str) and len(known) == 10 and known[4:] == value[1:]


def _day(month: int, day: int) -> Cleaned:
    try:
        return f"--{date(LEAP_YEAR, month, day):%m-%d}"
    except ValueError:
        return _NO_SUCH_DAY
