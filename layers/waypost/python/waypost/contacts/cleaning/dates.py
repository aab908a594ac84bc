"""Dates and times as people and spreadsheets write them, in ISO 8601. Called by declared attributes.

A date that can be read in two ways is refused unless its order is declared: 03/04/1990 is March in
one country and April in the next, and a birthday greeting on the wrong day is worse than none.
"""

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from waypost.clock import format_instant
from waypost.contacts.cleaning.orders import DateOrder
from waypost.contacts.cleaning.outcome import Cleaned, Unusable
from waypost.contacts.cleaning.text import half_width

EARLIEST: Final = date(1000, 1, 1)
_LONGEST: Final = 64

_MONTHS: Final = {
    name[:length]: number
    for number, name in enumerate(
        ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
         "december"), 1)
    for length in (3, len(name))
} | {"sept": 9}  # fmt: skip

_CHINESE_DIGITS: Final = str.maketrans("〇零○Ｏ一二三四五六七八九", "0000123456789")
_NUMBER: Final = "[0-9]{1,2}"
_YEAR_FIRST: Final = re.compile(rf"(?P<y>\d{{4}})[-/.年 ]+(?P<m>{_NUMBER})[-/.月 ]+(?P<d>{_NUMBER}) ?[日号]?", re.ASCII)
_COMPACT: Final = re.compile(r"(?P<y>[12]\d{3})(?P<m>\d{2})(?P<d>\d{2})", re.ASCII)
_YEAR_LAST: Final = re.compile(rf"(?P<a>{_NUMBER})[-/. ]+(?P<b>{_NUMBER})[-/. ]+(?P<y>\d{{4}})", re.ASCII)
_DAY_NAMED: Final = re.compile(
    rf"(?P<d>{_NUMBER})(?:st|nd|rd|th)?[-/. ]+(?P<n>[a-z]{{3,9}})[-/., ]+(?P<y>\d{{4}})", re.ASCII
)
_NAMED_DAY: Final = re.compile(
    rf"(?P<n>[a-z]{{3,9}})[-/. ]+(?P<d>{_NUMBER})(?:st|nd|rd|th)?[-/., ]+(?P<y>\d{{4}})", re.ASCII
)
_NAMED_YEAR: Final = re.compile(rf"(?P<y>\d{{4}})[-/. ]+(?P<n>[a-z]{{3,9}})[-/. ]+(?P<d>{_NUMBER})", re.ASCII)
_SERIAL: Final = re.compile(r"(?P<days>\d{1,7})(?:\.(?P<part>\d{1,15}))?", re.ASCII)
_TIME: Final = re.compile(
    r"(?P<noon>上午|下午|晚上|中午|早上|凌晨)? ?(?P<h>\d{1,2})(?:[:时点](?P<min>\d{1,2})?(?:[:分](?P<s>\d{1,2})(?:[.,](?P<f>\d{1,9}))?)?)?"
    r"[分秒]? ?(?P<half>[ap]\.?m\.?)?",
    re.ASCII | re.IGNORECASE,
)
_TIME_MARK: Final = re.compile(r"[0-9][Tt](?=[0-9])[0-9]")
_OFFSET: Final = re.compile(
    r" ?(?:(?P<utc>Z|UTC|GMT)|(?:UTC|GMT)?(?P<sign>[+-])(?P<h>\d{1,2}):?(?P<min>\d{2})?)$", re.ASCII | re.IGNORECASE
)
_MIDNIGHT: Final = re.compile(r"[t ]0{1,2}:00(?::00(?:\.0{1,9})?)?(?:z|[+-]\d{2}:?\d{2})?$", re.ASCII)

_EXPECTED: Final = "should be a date, for example 1990-01-05"
_NO_DATE: Final = Unusable(_EXPECTED)
_NO_DATETIME: Final = Unusable("should be a date with a time, for example 2026-01-05 09:30")
_AMBIGUOUS: Final = Unusable(
    "can be read with the day first or the month first; declare dates: day_first or month_first, or write 1990-01-05"
)
_DIFFERENT: Final = Unusable("has a month that does not exist in the declared order of day and month")
_WITH_OFFSET: Final = Unusable("is a point in time, whose day depends on the time zone; give the date alone")
_NO_SUCH_DAY: Final = Unusable("should be a date that exists")

# Excel counts days from 1899-12-30 on, because it takes 1900 for a leap year; serials below 61 are off by one and nobody's
# date. Source: Microsoft, "Excel incorrectly assumes that the year 1900 is a leap year".
_EXCEL_EPOCH: Final = datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet's time has no zone
_EXCEL_SERIALS: Final = range(61, 2_958_466)


def iso_date(text: str, *, order: DateOrder = "year_first", excel: bool = False) -> Cleaned:
    """A date as ``YYYY-MM-DD``; ``order`` and ``excel`` (serial numbers) are declared by the file's author.

    A time of day behind it is dropped; one with an offset is refused unless it is midnight, because the day depends on
    where one stands.
    """
    if len(text) > _LONGEST:
        return _NO_DATE
    written = _MIDNIGHT.sub("", half_width(text).lower())
    if excel and (moment := _from_serial(written)):
        return moment.date().isoformat()
    day_text, time_text = _parted(written)
    if time_text:
        if not _TIME.fullmatch(time_text.strip()):
            return _WITH_OFFSET if _OFFSET.search(time_text) else _NO_DATE
        written = day_text
    found = _date(written, order)
    return found.isoformat() if isinstance(found, date) else found


def instant(
    text: str, *, zone: ZoneInfo, order: DateOrder = "year_first", excel: bool = False
) -> Cleaned:  # fmt: skip
    """A point in time as ``YYYY-MM-DDTHH:MM:SS.mmmZ``; without an offset it is a local time of ``zone``.

    A date alone is its beginning. A local time that a clock change skips is read with the offset before it, one that happens twice as the first.
    """
    if len(text) > _LONGEST:
        return _NO_DATETIME
    written = half_width(text)
    if excel and (moment := _from_serial(written)):
        return format_instant(moment.replace(tzinfo=zone))
    try:
        parsed = datetime.fromisoformat(written)
    except ValueError:
        return _written_instant(written, zone, order)
    if not 1000 <= parsed.year <= 9998:
        return _NO_SUCH_DAY
    return format_instant(parsed if parsed.tzinfo else parsed.replace(tzinfo=zone))


def _written_instant(written: str, zone: ZoneInfo, order: DateOrder) -> Cleaned:
    day_text, time_text = _parted(written)
    day = _date(day_text.lower(), order)
    if isinstance(day, Unusable):
        return day if day is not _NO_DATE else _NO_DATETIME
    tz: tzinfo | None = zone
    if offset := _OFFSET.search(time_text):
        time_text, tz = time_text[: offset.start()], _fixed(offset)
        if tz is None:
            return _NO_DATETIME
    found = _TIME.fullmatch(time_text.strip() or "0:00")
    if not found:
        return _NO_DATETIME
    hour = _hour(int(found["h"]), found["noon"] or "", (found["half"] or "").lower()[:1])
    minute, second = int(found["min"] or 0), int(found["s"] or 0)
    if hour is None or minute > 59 or second > 59:
        return _NO_DATETIME
    micro = int((found["f"] or "").ljust(6, "0")[:6])
    return format_instant(datetime(day.year, day.month, day.day, hour, minute, second, micro, tzinfo=tz))


def _fixed(offset: re.Match[str]) -> tzinfo | None:
    """The zone of an offset, None for one that is in use nowhere."""
    if offset["utc"]:
        return UTC
    hours, minutes = int(offset["h"]), int(offset["min"] or 0)
    if hours > 14 or minutes > 59:
        return None
    return timezone(timedelta(hours=hours, minutes=minutes) * (1 if offset["sign"] == "+" else -1))


def _parted(written: str) -> tuple[str, str]:
    """The part with the date and the part with the time."""
    if "日" in written or "号" in written:
        at = max(written.find("日"), written.find("号")) + 1
        return written[:at], written[at:]
    if mark := _TIME_MARK.search(written):
        return written[: mark.start() + 1], written[mark.end() - 1 :]
    match = re.search(r" (?=(上午|下午|晚上|中午|早上|凌晨)?\s?\d{1,2}[:时点])", written)
    return (written[: match.start()], written[match.end() :]) if match else (written, "")


def _hour(hour: int, noon: str, half: str) -> int | None:
    """The hour of 24, from an hour of 12 with the half of the day, or of 24 without."""
    if not noon and not half:
        return hour if hour < 24 else None
    if half:
        return None if not 1 <= hour <= 12 else hour % 12 + (12 if half == "p" else 0)
    if hour > 23:
        return None
    afternoon = noon in {"下午", "晚上"} or (noon == "中午" and hour < 11)
    return hour + 12 if afternoon and hour < 12 else hour % 24 if noon not in {"上午", "凌晨", "早上"} else hour % 12


def _date(written: str, order: DateOrder) -> date | Unusable:
    """The date in half-width, lower-case text."""
    written = written.strip().removesuffix(",")
    if any(sign in written for sign in "年月"):
        written = _chinese_numbers(written)
    for pattern in (_YEAR_FIRST, _COMPACT):
        if found := pattern.fullmatch(written):
            return _day(int(found["y"]), int(found["m"]), int(found["d"]))
    for pattern in (_DAY_NAMED, _NAMED_DAY, _NAMED_YEAR):
        if (found := pattern.fullmatch(written)) and found["n"] in _MONTHS:
            return _day(int(found["y"]), _MONTHS[found["n"]], int(found["d"]))
    if found := _YEAR_LAST.fullmatch(written):
        return _year_last(int(found["a"]), int(found["b"]), int(found["y"]), order)
    return _NO_DATE


def _year_last(first: int, second: int, year: int, order: DateOrder) -> date | Unusable:
    if order == "year_first":
        if first == second:
            return _day(year, first, second)
        if max(first, second) > 12 >= min(first, second):
            return _day(year, min(first, second), max(first, second))
        return _AMBIGUOUS if max(first, second) <= 12 else _NO_SUCH_DAY
    day, month = (first, second) if order == "day_first" else (second, first)
    return _DIFFERENT if month > 12 >= day else _day(year, month, day)


def _day(year: int, month: int, day: int) -> date | Unusable:
    try:
        found = date(year, month, day)
    except ValueError:
        return _NO_SUCH_DAY
    return found if EARLIEST <= found < date(9999, 1, 1) else _NO_SUCH_DAY


_CHINESE_NUMBER: Final = re.compile("[〇零○一二三四五六七八九十]+")


def _chinese_numbers(written: str) -> str:
    """一九九〇年一月十五日 with digits."""

    def number(found: re.Match[str]) -> str:
        text = found[0]
        if "十" not in text:
            return text.translate(_CHINESE_DIGITS)
        tens, _, ones = text.partition("十")
        return (tens.translate(_CHINESE_DIGITS) or "1") + (ones.translate(_CHINESE_DIGITS) or "0")

    return _CHINESE_NUMBER.sub(number, written)


def _from_serial(written: str) -> datetime | None:
    found = _SERIAL.fullmatch(written)
    if not found or int(found["days"]) not in _EXCEL_SERIALS:
        return None
    seconds = round(float(f"0.{found['part'] or 0}") * 86_400)
    return _EXCEL_EPOCH + timedelta(days=int(found["days"]), seconds=seconds)
