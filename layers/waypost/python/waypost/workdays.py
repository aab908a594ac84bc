"""Which days people work, by country. Declared in ``statemachines/workdays/``; used by pauses and sending windows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from typing import Any, Final, Self

from waypost.published_sections import published_section

SECTION: Final = "workdays"
WEEKEND: Final = frozenset({5, 6})
"""Saturday and Sunday, as ``date.weekday`` counts."""
_LONGEST_REST: Final = 60
"""Days without a workday that a calendar may have in a row."""


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """The workdays of a country: all days but the ``weekend`` and those ``off``, and the ``work`` days in any case."""

    weekend: frozenset[int] = WEEKEND
    off: frozenset[str] = frozenset()
    work: frozenset[str] = frozenset()

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """From the published form."""
        return cls(frozenset(value["weekend"]), frozenset(value["off"]), frozenset(value["work"]))

    def has(self, day: date) -> bool:
        """Whether people work on this day."""
        text = day.isoformat()
        return text in self.work or (day.weekday() not in self.weekend and text not in self.off)

    def next_after(self, day: date) -> date:
        """The first workday after this day. Raises OverflowError at the end of the calendar."""
        ahead = (day + timedelta(days=each) for each in range(1, _LONGEST_REST + 1))
        return next((each for each in ahead if self.has(each)), day + timedelta(days=1))


MONDAY_TO_FRIDAY: Final = WorkCalendar()


@dataclass(frozen=True, slots=True)
class Workdays:
    """The calendars by country (ISO 3166, ``CN``), and the one for contacts of no country that has one."""

    default: WorkCalendar = MONDAY_TO_FRIDAY
    calendars: Mapping[str, WorkCalendar] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """From the published form; an empty one is Monday to Friday for everybody."""
        if not value:
            return cls()
        calendars = {country: WorkCalendar.from_dict(each) for country, each in value["calendars"].items()}
        return cls(calendars.get(value["default"], MONDAY_TO_FRIDAY), calendars)

    def of(self, country: Any) -> WorkCalendar:
        """The calendar of a contact's ``country``, which may be anything.

        Where a country is named that has no calendar, people work from Monday to Friday.
        """
        if not isinstance(country, str) or not country.strip():
            return self.default
        return self.calendars.get(country.strip().upper(), MONDAY_TO_FRIDAY)


@cache
def load_workdays() -> Workdays:
    """What this deployment declares, from the journeys layer."""
    return Workdays.from_dict(published_section(SECTION))
