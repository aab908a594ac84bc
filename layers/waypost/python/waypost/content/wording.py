"""How a value reads in a message: dates, numbers, money and lists, in the reader's language and time zone. Used by the templates."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cache
from itertools import pairwise
from typing import Any, Final

from waypost.contacts.cleaning.yearless import LEAP_YEAR, is_yearless
from waypost.content.locale import digits_of, wording_of

STYLES: Final = ("full", "long", "medium", "short")
"""How much of a date is written out: from ``Monday, 1 March 2027`` to ``01/03/2027``, as the language does."""

_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?", re.ASCII)
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)", re.ASCII)
_CURRENCY: Final = re.compile(r"[A-Z]{3}", re.ASCII)
_FIELD: Final = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|.", re.DOTALL)
_BEHIND_A_FIELD: Final = re.compile(r"[^\s,/'A-Za-z-]*")
_AMOUNT: Final = re.compile(r"[#0.,]+")
_LONGEST_NUMBER: Final = 30
_SURE_DIGITS: Final = 15
"""The decimal digits that a float of 64 bits keeps for certain: what 0.1 + 0.2 has beyond them is not meant."""

_TRUTH: Final[Mapping[str, tuple[str, str]]] = {
    "zh": ("是", "否"), "en": ("yes", "no"), "ja": ("はい", "いいえ"), "ko": ("예", "아니요"), "de": ("ja", "nein"),
    "fr": ("oui", "non"), "es": ("sí", "no"), "pt": ("sim", "não"), "it": ("sì", "no"), "nl": ("ja", "nee"),
    "ru": ("да", "нет"), "id": ("ya", "tidak"), "vi": ("có", "không"), "th": ("ใช่", "ไม่ใช่"), "tr": ("evet", "hayır"),
}  # fmt: skip
"""Yes and no by language."""


class UnreadableValueError(ValueError):
    """A value cannot be written as asked; the text never shows the value."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom a message is written for: the language of its text, and the zone of its dates."""

    locale: str = "en"
    zone: tzinfo = UTC

    def written_date(self, value: Any, style: str = "long") -> str:
        """The day of a date, or the reader's day at an instant; of a day without its year, no year. Raises UnreadableValueError."""
        pattern = self._words["dates"][_style(style)]
        if is_yearless(value):
            return self._filled(_without_year(pattern), self._read(f"{LEAP_YEAR}{value[1:]}"))
        return self._filled(pattern, self._read(value))

    def written_datetime(self, value: Any, style: str = "long") -> str:
        """The day and the time of an instant where the reader lives; the day alone of a date. Raises UnreadableValueError."""
        day = self.written_date(value, style)
        read = None if is_yearless(value) else self._read(value)
        if not isinstance(read, datetime):
            return day
        return _quoted(self._words["both"][style]).format(self._filled(self._words["time"], read), day)

    def written_time(self, value: Any) -> str:
        """The time of an instant where the reader lives. Raises UnreadableValueError."""
        read = self._read(value)
        if not isinstance(read, datetime):
            raise UnreadableValueError("is a date without a time")
        return self._filled(self._words["time"], read)

    def number(self, value: Any, digits: int | None = None) -> str:
        """A number with the language's point and groups, rounded to ``digits`` behind the point. Raises UnreadableValueError."""
        amount = _amount(value)
        if digits is not None:
            amount = amount.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
        return self._grouped(amount)

    def money(self, value: Any, currency: str) -> str:
        """An amount of a currency (ISO 4217), with its sign and digits. Raises UnreadableValueError."""
        if not (isinstance(currency, str) and _CURRENCY.fullmatch(currency)):
            raise UnreadableValueError("has no currency such as CNY")
        amount = _amount(value).quantize(Decimal(1).scaleb(-digits_of(currency)), ROUND_HALF_UP)
        sign = self._words["signs"].get(currency, currency)
        pattern = self._words["money"].split(";")[0]
        figures = _AMOUNT.sub(lambda _: self._grouped(abs(amount)), pattern, count=1)
        if sign == currency:  # a code is no sign: it stands apart
            figures = re.sub(r"¤(?=\d)", "¤\u00a0", re.sub(r"(?<=\d)¤", "\u00a0¤", figures))
        return (self._words["minus"] if amount < 0 else "") + figures.replace("¤", sign)

    def several(self, values: Iterable[Any]) -> str:
        """The values of a list, as the language puts one after another. Raises UnreadableValueError."""
        words: str = self._words["between"]
        return words.join(self.shown(value) for value in values if value is not None)

    def shown(self, value: Any) -> str:
        """A value as it is printed without a filter. Raises UnreadableValueError for what nobody can read."""
        match value:
            case str():
                return self._shown_text(value)
            case bool():
                return self._truth(value=value)
            case int():
                return str(value)
            case float() | Decimal():
                return _plain(_amount(value))
            case None:
                return ""
            case list() | tuple():
                return self.several(value)
            case _:
                raise UnreadableValueError("is several values with names; print one of them")

    def _shown_text(self, text: str) -> str:
        """Text as it is; what is spelled as an instant or as a day without its year, and is one, as a date."""
        is_spelled_so = (_INSTANT.fullmatch(text) is not None and text[10] == "T") or is_yearless(text)
        try:
            return self.written_datetime(text) if is_spelled_so else text
        except UnreadableValueError:
            return text

    def _truth(self, *, value: bool) -> str:
        words = _TRUTH.get(self.locale.split("-")[0])
        if words is None:
            raise UnreadableValueError("is true or false; ask for it with {% if … %}")
        return words[0 if value else 1]

    @property
    def _words(self) -> Mapping[str, Any]:
        return wording_of(self.locale)

    def _read(self, value: Any) -> date | datetime:
        """The instant in the reader's zone, or the date."""
        text = value if isinstance(value, str) else ""
        try:
            if _DAY.fullmatch(text):
                return date.fromisoformat(text)
            if _INSTANT.fullmatch(text):
                instant = datetime.fromisoformat(text)
                return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(self.zone)
        except (ValueError, OverflowError):
            pass
        asked = "; what may be missing is asked for first: {% if … is defined %}"
        raise UnreadableValueError(f"is no date{asked if _is_missing(value) else ''}")

    def _filled(self, pattern: str, day: date | datetime) -> str:
        """The pattern with its fields filled in."""
        return "".join([part if isinstance(part, str) else part(day) for part in _parts(self.locale, pattern)])

    def _grouped(self, amount: Decimal) -> str:
        words = self._words
        whole, _, fraction = _plain(abs(amount)).partition(".")
        last, other = words["grouping"]
        if len(whole) > last:
            whole = words["group"].join(_groups(whole, last, other))
        sign = words["minus"] if amount < 0 else ""
        return sign + whole + (words["decimal"] + fraction if fraction else "")


Part = str | Callable[[Any], str]
"""Of a pattern: a text to be written, or what writes a field of a date or an instant."""


@cache
def _parts(locale: str, pattern: str) -> tuple[Part, ...]:
    """The parts of a pattern of a language; taken apart once per process."""
    return tuple(
        (found[1].replace("''", "'") or "'") if found[0].startswith("'") else _field(found[0], wording_of(locale))
        for found in _FIELD.finditer(pattern)
    )


def _field(text: str, words: Mapping[str, Any]) -> Part:  # noqa: C901, PLR0911 - one case per field
    """What writes a field. Source: UTS 35, "Date Field Symbol Table"."""
    width = len(text)
    match text[0]:
        case "y":
            return (lambda day: f"{day.year % 100:02d}") if width == 2 else (lambda day: str(day.year))
        case "M" | "L" if width > 2:
            months = words["months"][width - 3]
            return lambda day: str(months[day.month - 1])
        case "M" | "L":
            return lambda day: _padded(day.month, width)
        case "d":
            return lambda day: _padded(day.day, width)
        case "E" | "c":
            days = words["days"][width > 3]
            return lambda day: str(days[day.weekday()])
        case "G":
            return str(words["era"])
        case "a":
            periods = words["periods"]
            return lambda day: str(periods[_hour(day) >= 12])
        case "H" | "k":
            return lambda day: _padded(_hour(day), width)
        case "h" | "K":
            return lambda day: _padded(_hour(day) % 12 or 12, width)
        case "m":
            return lambda day: _padded(day.minute if isinstance(day, datetime) else 0, width)
        case _:
            return text


def _hour(day: date | datetime) -> int:
    """The hour of an instant; a day begins at midnight."""
    return day.hour if isinstance(day, datetime) else 0


def _without_year(pattern: str) -> str:
    """The pattern from its day or month to the other of them, with what belongs behind it: ``d. MMMM``, ``M月d日``."""
    named = [each for each in _FIELD.finditer(pattern) if each[0][0] in "dML"]
    behind = _BEHIND_A_FIELD.match(pattern, named[-1].end())
    return pattern[named[0].start() : behind.end() if behind else named[-1].end()]


def _style(style: str) -> str:
    if style not in STYLES:
        raise UnreadableValueError(f"is to be written in a style that is none of {', '.join(STYLES)}")
    return style


def _padded(number: int, width: int) -> str:
    return str(number) if width == 1 else f"{number:0{width}d}"


def _groups(digits: str, last: int, other: int) -> Iterator[str]:
    """The digits in groups, the last of another size than those before."""
    head = len(digits) - last
    starts = [*range(head % other or other, head, other)] if head > 0 else []
    for start, end in pairwise([0, *starts, max(head, 0), len(digits)]):
        if end > start:
            yield digits[start:end]


def _is_missing(value: Any) -> bool:
    return value is None or value == ""


def _amount(value: Any) -> Decimal:
    """A number, or text that is one."""
    if _is_missing(value):
        raise UnreadableValueError(
            "is no number; what may be missing has a default(0), or is asked for first: {% if … is defined %}"
        )
    if isinstance(value, float):
        value = float(f"{value:.{_SURE_DIGITS}g}")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value).strip() if isinstance(value, str | int | float | Decimal) and not isinstance(value, bool) else ""
    try:
        if isinstance(value, str) and not _NUMBER.fullmatch(text):
            raise UnreadableValueError("is no number")
        amount = Decimal(text)
    except InvalidOperation:
        raise UnreadableValueError("is no number") from None
    if not amount.is_finite() or abs(amount.adjusted()) > _LONGEST_NUMBER:
        raise UnreadableValueError("is no number that can be read")
    return amount


def _plain(amount: Decimal) -> str:
    """The digits, without an exponent."""
    return f"{amount:f}"


def _quoted(glue: str) -> str:
    """The glue between date and time, whose quoted words stand for themselves."""
    return re.sub(r"'([^']*)'", r"\1", glue)
