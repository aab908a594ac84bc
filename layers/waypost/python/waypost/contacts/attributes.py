"""The attributes a company has declared, and what a value of each must look like. Called by receivers and imports.

Declared in ``statemachines/contacts/attributes.yaml``, published in the section ``attributes``. An undeclared attribute
is stored as given. What reads numbers, dates and regions is loaded with the first such attribute: most webhooks
carry none, and the patterns cost a tenth of a cold start.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, Literal, Self, assert_never, get_args
from zoneinfo import ZoneInfo

from waypost.codec import JsonForm
from waypost.contacts.cleaning import Cleaned, Unusable
from waypost.contacts.cleaning.lists import split_values
from waypost.contacts.cleaning.orders import DateOrder, Division, Level
from waypost.contacts.cleaning.text import half_width, plain
from waypost.published_sections import published_section

AttributeType = Literal["string", "number", "boolean", "date", "datetime", "list", "region"]
ATTRIBUTE_TYPES: Final[tuple[AttributeType, ...]] = get_args(AttributeType)
WhenWrong = Literal["refuse", "leave_out"]
RegionForm = Literal["name", "short", "code"]

LONGEST_TEXT: Final = 2000
"""Characters of a text attribute that declares no other limit."""

MOST_ELEMENTS: Final = 100
DEFAULT_ZONE: Final = "Asia/Shanghai"


@dataclass(frozen=True, slots=True)
class AttributeDeclaration(JsonForm):
    """The declaration of an attribute.

    ``values`` maps every spelling (folded) to the value it means; empty when any value will do. ``minimum`` and
    ``maximum`` bound numbers, dates and instants, ends included. ``level`` and ``form`` are those of a region (a country has its code only);
    ``elsewhere`` lets a region be a name outside the table, unchanged. ``yearless`` lets a date lack its year (``--05-21``). ``wrong`` says what a value of another type does
    to the event or row that carries it. ``aliases`` are names of columns that mean this attribute.
    """

    name: str
    type: AttributeType
    description: str = ""
    aliases: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    minimum: float | str | None = None
    maximum: float | str | None = None
    longest: int = LONGEST_TEXT
    whole: bool = False
    level: Level = "province"
    form: RegionForm = "name"
    elsewhere: bool = False
    yearless: bool = False
    wrong: WhenWrong = "refuse"

    def clean(  # noqa: PLR0911 - one return per type
        self,
        value: Any,
        *,
        zone: str = DEFAULT_ZONE,
        dates: DateOrder = "year_first",
        excel_dates: bool = False,
        separator: str = "",
    ) -> Any:
        """The value as it is stored, or Unusable with what was expected. ``value`` is any JSON value but null.

        ``zone`` is that of times without one, ``dates`` the declared order of day and month; ``excel_dates`` reads serial
        numbers; ``separator`` separates the elements of a list written as text.
        """
        match self.type:
            case "string":
                return self._string(value)
            case "number":
                return self._number(value)
            case "boolean":
                return _boolean(value)
            case "date":
                return self._date(value, dates, excel=excel_dates)
            case "datetime":
                return self._bounded(_instant(value, zone, dates, excel=excel_dates))
            case "list":
                return self._list(value, separator)
            case "region":
                return self._region(value)
            case _:
                assert_never(self.type)

    def doubt(self, stored: Any) -> str:
        """Why a value that ``clean`` returned is in no spelling of ours, though it is kept; "" when it is.

        Of countries alone: a province or city elsewhere is a good answer, no country is none.
        """
        if self.type != "region" or self.level != "country":
            return ""
        from waypost.contacts.cleaning.countries import country  # noqa: PLC0415 - see the top of the module

        return "is no country that we know: it is kept as it was given" if country(stored) != stored else ""

    def _string(self, value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            return Unusable("should be text")
        text = plain(str(value))
        if self.values:
            return self._one_of(text)
        if len(text) > self.longest:
            return Unusable(f"should be at most {self.longest:,} characters long")
        return text

    def _one_of(self, text: str) -> Any:
        folded = half_width(text).casefold()
        if folded in self.values:
            return self.values[folded]
        return Unusable(f"should be one of {', '.join(map(str, dict.fromkeys(self.values.values())))}")

    def _number(self, value: Any) -> Any:
        from waypost.contacts.cleaning.numbers import number  # noqa: PLC0415 - see the top of the module

        if isinstance(value, str):
            value = number(value)
        elif isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            return Unusable("should be a number")
        if isinstance(value, Unusable):
            return value
        if self.whole and value != int(value):
            return Unusable("should be a whole number")
        return self._bounded(int(value) if self.whole else value)

    def _list(self, value: Any, separator: str) -> Any:
        if isinstance(value, str):
            value = split_values(value, separator)
        if not isinstance(value, list) or any(isinstance(each, (dict, list)) or each is None for each in value):
            return Unusable("should be a list of texts")
        elements: list[Any] = []
        for each in value:
            element = plain(each) if isinstance(each, str) else each
            if element == "":
                continue
            if self.values:
                element = self._one_of(str(element))
                if isinstance(element, Unusable):
                    return element
            elements.append(element)
        elements = list(dict.fromkeys(elements))
        if len(elements) > MOST_ELEMENTS or any(
            isinstance(each, str) and len(each) > self.longest for each in elements
        ):
            return Unusable(f"should be at most {MOST_ELEMENTS} texts of at most {self.longest:,} characters")
        return elements

    def _date(self, value: Any, order: DateOrder, *, excel: bool) -> Any:
        from waypost.contacts.cleaning.yearless import yearless  # noqa: PLC0415 - see the top of the module

        if self.yearless and isinstance(value, str) and (day := yearless(value, order=order)) is not None:
            return day
        return self._bounded(_date(value, order, excel=excel))

    def _region(self, value: Any) -> Any:
        if not isinstance(value, str):
            return Unusable(f"should be the name of a {self.level}")
        found = self._found(value)
        if isinstance(found, Unusable):
            text = plain(value)
            return text if self.elsewhere and 0 < len(text) <= self.longest else found
        return found

    def _found(self, value: str) -> Cleaned:
        """The region of the declared level that is meant, in the declared form."""
        match self.level:
            case "country":
                from waypost.contacts.cleaning.countries import country  # noqa: PLC0415 - see the top of the module

                return country(value)
            case "province" | "city":
                return self._division(value, self.level)
            case _:
                assert_never(self.level)

    def _division(self, value: str, level: Division) -> Cleaned:
        from waypost.contacts.cleaning.regions import region  # noqa: PLC0415 - see the top of the module

        found = region(value, level)
        if isinstance(found, Unusable):
            return found
        match self.form:
            case "name":
                return found.name
            case "short":
                return found.short
            case "code":
                return found.code
            case _:
                assert_never(self.form)

    def _bounded(self, value: Any) -> Any:
        """The value, if it lies between the declared bounds; ISO dates and instants compare as text."""
        if isinstance(value, Unusable):
            return value
        if self.minimum is not None and value < self.minimum:
            return Unusable(f"should be at least {self.minimum}")
        if self.maximum is not None and value > self.maximum:
            return Unusable(f"should be at most {self.maximum}")
        return value


@dataclass(frozen=True, slots=True)
class AttributeSystem:
    """Every declared attribute by name, and the zone of times that name none."""

    attributes: Mapping[str, AttributeDeclaration] = field(default_factory=dict)
    time_zone: str = DEFAULT_ZONE

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """From the published section."""
        return cls(
            attributes={
                name: AttributeDeclaration.from_dict({**each, "name": name})
                for name, each in value.get("attributes", {}).items()
            },
            time_zone=value.get("time_zone", DEFAULT_ZONE),
        )


def load_attributes() -> AttributeSystem:
    """The published declarations; none when the project declares none."""
    return _loaded()


@cache
def _loaded() -> AttributeSystem:
    return AttributeSystem.from_dict(published_section("attributes"))


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _boolean(value: Any) -> Any:
    from waypost.contacts.cleaning.numbers import boolean  # noqa: PLC0415 - see the top of the module

    if isinstance(value, bool):
        return value
    text = _written(value)
    return Unusable("should be yes or no (是 or 否)") if text is None else boolean(text)


def _date(value: Any, order: DateOrder, *, excel: bool) -> Any:
    from waypost.contacts.cleaning.dates import iso_date  # noqa: PLC0415 - see the top of the module

    text = _written(value)
    return (
        Unusable("should be a date, for example 1990-01-05")
        if text is None
        else iso_date(text, order=order, excel=excel)
    )


def _instant(value: Any, zone: str, order: DateOrder, *, excel: bool) -> Any:
    from waypost.contacts.cleaning.dates import instant  # noqa: PLC0415 - see the top of the module

    text = _written(value)
    if text is None:
        return Unusable("should be a date with a time, for example 2026-01-05 09:30")
    return instant(text, zone=_zone(zone), order=order, excel=excel)


def _written(value: Any) -> str | None:
    """A JSON text or number as it would stand in a file; None for anything else."""
    if isinstance(value, str):
        return value
    return None if isinstance(value, bool) or not isinstance(value, (int, float)) else str(value)
