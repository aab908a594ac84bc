"""When members of staff work: the hours of a workday, and how long so much working time takes. Used by notices and tasks."""

from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from waypost.workdays import WorkCalendar

BEGINS: Final = time(9)
ENDS: Final = time(18)
"""The hours of a workday where the member lives; the end is outside."""
_LONGEST_SEARCH: Final = 1_000
"""Days that are looked at before the working time is taken to have passed: a calendar without workdays blocks nothing."""


def after_working_time(start: datetime, span: timedelta, *, zone: ZoneInfo, calendar: WorkCalendar) -> datetime:
    """When ``span`` of working time has passed since ``start``, in UTC.

    A change of the clocks counts as it is: the hours of a day are those between its two local times.
    """
    left, day = span, start.astimezone(zone).date()
    for each in range(_LONGEST_SEARCH):
        date = day + timedelta(days=each)
        if not calendar.has(date):
            continue
        opens, closes = (datetime.combine(date, at, tzinfo=zone).astimezone(UTC) for at in (BEGINS, ENDS))
        begin = max(start.astimezone(UTC), opens)
        if begin + left <= closes:
            return begin + left
        left -= max(closes - begin, timedelta())
    return start.astimezone(UTC) + span
