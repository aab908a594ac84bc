"""Declared attributes as authors write them, ``statemachines/contacts/attributes.yaml``, checked. Called by declaring."""

import math
from collections.abc import Iterator
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from waypost.authoring.authored_files import FileReader
from waypost.authoring.problems import Authored
from waypost.authoring.sending_policy import TimeZone
from waypost.contacts.attributes import LONGEST_TEXT, AttributeDeclaration, AttributeType, RegionForm, WhenWrong
from waypost.contacts.cleaning import Unusable
from waypost.contacts.cleaning.orders import Level
from waypost.contacts.cleaning.text import half_width, plain
from waypost.contacts.file_columns import BUILT_IN
from waypost.contacts.file_columns import RESERVED as NO_ATTRIBUTES
from waypost.contacts.profile import IMPUTED
from waypost.events.names import attribute_name
from waypost.importing.mapping import folded, taken_names

PLACE: Final = "contacts/attributes.yaml"
RESERVED: Final = BUILT_IN | NO_ATTRIBUTES | {IMPUTED}
"""Names that already mean something in a profile."""


def _attribute(name: str) -> str:
    try:
        spelled = attribute_name(name)
    except ValueError as error:
        raise ValueError(f"the name {error}") from None
    if spelled != name:
        raise ValueError(f"expected a name in snake_case such as {spelled}, got {name!r}")
    return name


AttributeName = Annotated[str, AfterValidator(_attribute)]
Words = Annotated[str, Field(min_length=1, max_length=500)]
Spelling = Annotated[str, Field(min_length=1, max_length=200)]


def _spelled(value: Any) -> Any:
    """A list of values as values with no other spelling."""
    return (
        {each: [] for each in value}
        if isinstance(value, list) and all(isinstance(each, str) for each in value)
        else value
    )


class Attribute(Authored):
    """One attribute: its type, what it may hold, and the names of columns that mean it.

    ``one_of`` lists the values of a string or list, or maps each to its other spellings. ``at_least`` and ``at_most`` bound
    a number, a date or a datetime (``YYYY-MM-DD``). ``wrong`` says what a value that does not fit does to the event or the
    row: refuse it, or leave the value out.
    """

    type: AttributeType
    description: Words
    aliases: list[Spelling] = Field(default_factory=list)
    one_of: Annotated[dict[Spelling, list[Spelling]], BeforeValidator(_spelled)] | None = None
    at_least: float | str | None = None
    at_most: float | str | None = None
    longest: Annotated[int, Field(ge=1, le=LONGEST_TEXT)] | None = None
    whole: bool = False
    level: Level | None = None
    form: RegionForm = "name"
    elsewhere: bool = False
    yearless: bool = False
    wrong: WhenWrong = "refuse"

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        for given, name, types in (
            (self.one_of is not None, "one_of", {"string", "list"}),
            (self.longest is not None, "longest", {"string", "list"}),
            (self.at_least is not None, "at_least", {"number", "date", "datetime"}),
            (self.at_most is not None, "at_most", {"number", "date", "datetime"}),
            (self.whole, "whole", {"number"}),
            (self.level is not None, "level", {"region"}),
            (self.elsewhere, "elsewhere", {"region"}),
            (self.form != "name", "form", {"region"}),
            (self.yearless, "yearless", {"date"}),
        ):
            if given and self.type not in types:
                raise ValueError(f"'{name}' is for {' and '.join(sorted(types))}, not for {self.type}")
        if self.type == "region" and self.level is None:
            raise ValueError("a region needs its 'level': province, city or country")
        if self.level == "country" and self.form != "name":
            raise ValueError("'form' is for a province or city; a country is stored by its code")
        self._check_spellings()
        self._check_bounds()
        return self

    def _check_spellings(self) -> None:
        meant: dict[str, str] = {}
        for value, spellings in (self.one_of or {}).items():
            if value != plain(value):
                raise ValueError(
                    f"one_of: {value!r} has blanks or characters that cleaning removes; write {plain(value)!r}"
                )
            for spelling in (value, *spellings):
                other = meant.setdefault(half_width(spelling).casefold(), value)
                if other != value:
                    raise ValueError(f"one_of: {spelling!r} means both {other!r} and {value!r}")

    def _check_bounds(self) -> None:
        bounds = [each for each in (self.at_least, self.at_most) if each is not None]
        for bound in bounds:
            if self.type == "number" and not (isinstance(bound, (int, float)) and math.isfinite(bound)):
                raise ValueError(f"a bound of a number should be a number, got {bound!r}")
            if self.type != "number" and self._instant_or_date(bound) is None:
                raise ValueError(f"a bound of a {self.type} should be a date such as '1900-01-01', got {bound!r}")
        if len(bounds) == 2 and self._bound(bounds[0]) > self._bound(bounds[1]):
            raise ValueError("at_least is larger than at_most")

    def _instant_or_date(self, bound: Any) -> str | None:
        found = AttributeDeclaration(name="", type="date").clean(bound)
        return None if isinstance(found, Unusable) or found != bound else found

    def _bound(self, bound: float | str | None) -> Any:
        """As values compare with it: an instant is bounded by the beginning of the day, in UTC."""
        return f"{bound}T00:00:00.000Z" if self.type == "datetime" and bound is not None else bound

    def published(self) -> dict[str, Any]:
        """The form the run time reads."""
        spellings = {
            half_width(spelling).casefold(): value
            for value, others in (self.one_of or {}).items()
            for spelling in (value, *others)
        }
        form: dict[str, Any] = {
            "type": self.type,
            "description": self.description.strip(),
            "aliases": list(self.aliases),
            "values": spellings,
            "minimum": self._bound(self.at_least),
            "maximum": self._bound(self.at_most),
            "longest": self.longest or LONGEST_TEXT,
            "whole": self.whole,
            "form": self.form,
            "elsewhere": self.elsewhere,
            "yearless": self.yearless,
            "wrong": self.wrong,
        }
        return form | ({"level": self.level} if self.level else {})


class AttributeFile(Authored):
    """``attributes.yaml``; ``time_zone`` is that of times that name none."""

    time_zone: TimeZone = "Asia/Shanghai"
    attributes: dict[AttributeName, Attribute]


def attributes(reader: FileReader) -> dict[str, Any]:
    """The section ``attributes``; empty when there is no file."""
    path = reader.root / PLACE
    file = reader.declared(path, AttributeFile)
    if file is None:
        return {}
    reader.extend(path, _name_problems(file))
    return {
        "time_zone": file.time_zone,
        "attributes": {name: each.published() for name, each in file.attributes.items()},
    }


def _name_problems(file: AttributeFile) -> Iterator[tuple[str, str]]:
    """Names that already mean something, and columns that would mean two things."""
    meant: dict[str, str] = {}
    built_in = taken_names()
    for name, attribute in file.attributes.items():
        if name in RESERVED:
            yield f"attributes.{name}", "is built in, with cleaning of its own; leave it out"
            continue
        for alias in (name, *attribute.aliases):
            key = folded(alias)
            if key in built_in:
                yield f"attributes.{name}.aliases", f"{alias!r} already names an identity or something else built in"
            other = meant.setdefault(key, name)
            if other != name:
                yield f"attributes.{name}.aliases", f"{alias!r} already means {other}"
