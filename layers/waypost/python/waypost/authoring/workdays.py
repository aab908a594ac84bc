"""Which days people work, ``statemachines/workdays/<country>.yaml``, checked. Used by declaring, which publishes it."""

import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, Field, model_validator

from waypost.authoring.authored_files import FileReader
from waypost.authoring.problems import Authored, unknown
from waypost.segments.calendar import WEEKDAYS

FOLDER: Final = "workdays"
LONGEST_SPAN: Final = 31
LOOKS_AHEAD: Final = timedelta(days=45)
"""How long before a year begins a synth warns that it is missing."""
_DAY: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_SPAN: Final = re.compile(rf"({_DAY})(?:\.\.({_DAY}))?")
_COUNTRY: Final = re.compile(r"[A-Z]{2}")


def _days(text: Any) -> list[date]:
    """``2026-10-01`` or ``2026-10-01..2026-10-07`` as its days. Raises ValueError."""
    match = _SPAN.fullmatch(str(text))
    if match is None:
        raise ValueError(f"expected a day such as 2026-10-01 or days such as 2026-10-01..2026-10-07, got {text!r}")
    first, last = (date.fromisoformat(each) for each in (match[1], match[2] or match[1]))
    if not 0 <= (last - first).days < LONGEST_SPAN:
        raise ValueError(f"expected the earlier day first and at most {LONGEST_SPAN} days, got {text!r}")
    return [first + timedelta(days=each) for each in range((last - first).days + 1)]


def _span(text: str) -> str:
    _days(text)
    return text


Span = Annotated[str, AfterValidator(_span)]


def _weekday(name: str) -> str:
    if name not in WEEKDAYS:
        raise ValueError(unknown(name, WEEKDAYS, "unknown weekday"))
    return name


class WorkYear(Authored):
    """One year: days ``off`` beside the weekend, and days of the weekend on which people ``work``."""

    year: Annotated[int, Field(ge=2000, le=2200)]
    off: list[Span] = Field(default_factory=list)
    work: list[Span] = Field(default_factory=list)

    def days_off(self) -> set[date]:
        """Each day off."""
        return {day for span in self.off for day in _days(span)}

    def days_of_work(self) -> set[date]:
        """Each day of work."""
        return {day for span in self.work for day in _days(span)}

    @model_validator(mode="after")
    def _days_are_of_the_year(self) -> Self:
        for field, days in (("off", self.days_off()), ("work", self.days_of_work())):
            if strangers := sorted(day for day in days if day.year != self.year):
                raise ValueError(f"{field}: {strangers[0]} is not in {self.year}; write it under its own year")
        if both := sorted(self.days_off() & self.days_of_work()):
            raise ValueError(f"{both[0]} is a day off and a day of work; leave one of them out")
        return self


class WorkdayRules(Authored):
    """The whole file; its name is the country."""

    source: Annotated[str, Field(min_length=1)]
    default: bool = False
    weekend: list[Annotated[str, AfterValidator(_weekday)]] = Field(default_factory=lambda: ["sat", "sun"])
    years: Annotated[list[WorkYear], Field(min_length=1)]

    @model_validator(mode="after")
    def _is_clear(self) -> Self:
        years = [each.year for each in self.years]
        if again := sorted({year for year in years if years.count(year) > 1}):
            raise ValueError(f"years: {again[0]} is there twice; put its days together")
        weekend = {WEEKDAYS.index(name) for name in self.weekend}
        for each in self.years:
            if plain := sorted(day for day in each.days_of_work() if day.weekday() not in weekend):
                name = WEEKDAYS[plain[0].weekday()]
                raise ValueError(f"years.{each.year}.work: {plain[0]} is a {name}, a workday anyway; check the date")
        return self

    def published(self) -> dict[str, Any]:
        """The form the run time reads."""
        return {
            "weekend": sorted(WEEKDAYS.index(name) for name in self.weekend),
            "off": sorted(day.isoformat() for each in self.years for day in each.days_off()),
            "work": sorted(day.isoformat() for each in self.years for day in each.days_of_work()),
            "years": sorted(each.year for each in self.years),
        }


def workdays(reader: FileReader) -> dict[str, Any]:
    """The section ``workdays``."""
    calendars: dict[str, dict[str, Any]] = {}
    defaults: list[str] = []
    for path in reader.files(reader.root / FOLDER):
        if not _COUNTRY.fullmatch(path.stem):
            reader.add(path, "", "expected the country as the name of the file, in two capital letters: CN.yaml")
            continue
        rules = reader.model(path, WorkdayRules)
        if rules is None:
            continue
        calendars[path.stem] = rules.published()
        if rules.default:
            defaults.append(path.stem)
            if len(defaults) > 1:
                reader.add(path, "default", f"{defaults[0]} is the default already; there is one")
    return {"default": defaults[0] if defaults else "", "calendars": calendars} if calendars else {}


def missing_years(section: Mapping[str, Any], today: date) -> Iterator[str]:
    """A warning for each calendar without this year, or without the next one that begins soon."""
    for country, calendar in section.get("calendars", {}).items():
        for year in sorted({today.year, (today + LOOKS_AHEAD).year} - set(calendar["years"])):
            yield (
                f"statemachines/{FOLDER}/{country}.yaml has no {year}: until it does, only weekends are"
                " free then; add the year when its holidays are published"
            )
