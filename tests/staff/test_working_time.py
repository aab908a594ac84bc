"""How long working time takes: over nights, weekends, days off and changes of the clocks."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from waypost.clock import format_instant, parse_instant
from waypost.staff.working_time import after_working_time
from waypost.workdays import MONDAY_TO_FRIDAY, WorkCalendar

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2027-03-08T02:00:00Z", 1, "2027-03-08T03:00:00.000Z"),
        ("2027-03-08T02:00:00Z", 8, "2027-03-08T10:00:00.000Z"),  # 18:00 of the same day
        ("2027-03-08T02:00:00Z", 8.5, "2027-03-09T01:30:00.000Z"),
        ("2027-03-07T20:00:00Z", 1, "2027-03-08T02:00:00.000Z"),  # Monday at 04:00: the day begins at 09:00
        ("2027-03-12T10:00:00Z", 1, "2027-03-15T02:00:00.000Z"),  # Friday at 18:00
        ("2027-03-13T02:00:00Z", 9, "2027-03-15T10:00:00.000Z"),  # Saturday
        ("2027-03-08T01:00:00Z", 45, "2027-03-12T10:00:00.000Z"),  # a week of 45 hours
    ],
)
def test_working_time_passes_on_workdays_from_nine_to_six(start: str, hours: float, end: str) -> None:
    span = timedelta(hours=hours)
    assert (
        format_instant(after_working_time(parse_instant(start), span, zone=SHANGHAI, calendar=MONDAY_TO_FRIDAY)) == end
    )


def test_a_day_off_is_passed_over_and_a_weekend_that_is_worked_counts() -> None:
    calendar = WorkCalendar(off=frozenset({"2027-03-08"}), work=frozenset({"2027-03-13"}))
    monday, friday = parse_instant("2027-03-08T02:00:00Z"), parse_instant("2027-03-12T09:00:00Z")
    hour = timedelta(hours=1)
    assert (
        format_instant(after_working_time(monday, hour, zone=SHANGHAI, calendar=calendar)) == "2027-03-09T02:00:00.000Z"
    )
    assert (
        format_instant(after_working_time(friday, 2 * hour, zone=SHANGHAI, calendar=calendar))
        == "2027-03-13T02:00:00.000Z"
    )


def test_the_hours_of_a_day_are_local_whatever_the_clocks_do() -> None:
    friday = parse_instant("2027-03-26T16:00:00Z")  # 17:00 in Berlin, whose clocks change on Sunday
    end = after_working_time(friday, timedelta(hours=2), zone=ZoneInfo("Europe/Berlin"), calendar=MONDAY_TO_FRIDAY)
    assert format_instant(end) == "2027-03-29T08:00:00.000Z"


def test_a_calendar_without_workdays_blocks_nothing() -> None:
    start = parse_instant("2027-03-08T02:00:00Z")
    nobody = WorkCalendar(weekend=frozenset(range(7)))
    assert after_working_time(start, timedelta(hours=1), zone=SHANGHAI, calendar=nobody) == start + timedelta(hours=1)
