"""Dates and times as people and spreadsheets write them."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.contacts.cleaning import Unusable
from waypost.contacts.cleaning.dates import EARLIEST, instant, iso_date

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    "text",
    [
        "1990/1/5", "1990-1-5", "1990-01-05", "1990.1.5", "19900105", "1990年1月5日", "1990 年 1 月 5 日", "1990年1月5号", "5 Jan 1990",
        "5-Jan-1990", "05 january 1990", "Jan 5, 1990", "January 5th, 1990", "１９９０／１／５", "一九九〇年一月五日", " 1990-01-05 ",
        "1990-01-05 00:00:00", "1990-01-05T00:00:00Z", "1990/1/5 13:45", "1990-Jan-05",
    ],
)  # fmt: skip
def test_a_date_has_one_spelling(text: str) -> None:
    assert iso_date(text) == "1990-01-05"


@pytest.mark.parametrize(
    "text",
    [
        "", "tomorrow", "1990", "1990年1月", "90-1-5", "1990-13-01", "1990-02-30", "0000-00-00", "1990-00-10", "32878", "12345678901",
        "1990-01-05T16:00:00Z", "1990-01-05 16:00 +08:00", "5 Foo 1990", "2100-02-29", "1990-01-05x", "9" * 500, "0001-01-01",
    ],
)  # fmt: skip
def test_what_is_no_date_is_refused(text: str) -> None:
    assert isinstance(iso_date(text), Unusable)


def test_a_date_that_can_be_read_in_two_ways_needs_a_declared_order() -> None:
    assert isinstance(iso_date("03/04/1990"), Unusable)
    assert iso_date("03/04/1990", order="day_first") == "1990-04-03"
    assert iso_date("03/04/1990", order="month_first") == "1990-03-04"


def test_a_date_that_can_be_read_in_one_way_needs_no_order() -> None:
    assert iso_date("25/12/1990") == iso_date("12/25/1990") == "1990-12-25"
    assert iso_date("5.5.1990") == "1990-05-05"


def test_the_declared_order_is_not_bent_for_a_single_row() -> None:
    assert isinstance(iso_date("12/25/1990", order="day_first"), Unusable)
    assert iso_date("1990/04/03", order="day_first") == "1990-04-03"


def test_serial_numbers_are_dates_only_where_that_is_declared() -> None:
    assert iso_date("32878", excel=True) == "1990-01-05"
    assert iso_date("32878.75", excel=True) == "1990-01-05"
    assert isinstance(iso_date("32878"), Unusable)
    assert isinstance(iso_date("60", excel=True), Unusable)  # the day that Excel made up


@given(st.dates(min_value=EARLIEST, max_value=date(9998, 12, 31)))
def test_every_date_is_read_back_from_every_spelling(day: date) -> None:
    year, month, number = day.year, day.month, day.day
    spellings = (
        f"{year}/{month}/{number}",
        f"{year}年{month:02}月{number}日",
        f"{number} {day:%b} {year}",
        day.isoformat(),
    )
    assert {iso_date(text) for text in spellings} == {day.isoformat()}
    assert iso_date(f"{number}/{month}/{year}", order="day_first") == day.isoformat()


@given(st.text(max_size=80))
def test_no_text_makes_a_date_fail(text: str) -> None:
    found = iso_date(text)
    assert isinstance(found, Unusable) or date.fromisoformat(found)
    assert isinstance(instant(text, zone=SHANGHAI), (str, Unusable))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-05 09:30", "2026-01-05T01:30:00.000Z"),
        ("2026/1/5 9:30:15", "2026-01-05T01:30:15.000Z"),
        ("2026年1月5日 下午3点20分", "2026-01-05T07:20:00.000Z"),
        ("2026年1月5日12时", "2026-01-05T04:00:00.000Z"),
        ("5 Jan 2026 3:04 pm", "2026-01-05T07:04:00.000Z"),
        ("5 Jan 2026 12:04 am", "2026-01-04T16:04:00.000Z"),
        ("2026-01-05T09:30:00Z", "2026-01-05T09:30:00.000Z"),
        ("2026-01-05 09:30 +0900", "2026-01-05T00:30:00.000Z"),
        ("2026-01-05 09:30 GMT+8", "2026-01-05T01:30:00.000Z"),
        ("２０２６－０１－０５　０９：３０", "2026-01-05T01:30:00.000Z"),
        ("2026-01-05", "2026-01-04T16:00:00.000Z"),
    ],
)
def test_a_time_without_zone_is_local(text: str, expected: str) -> None:
    assert instant(text, zone=SHANGHAI) == expected


@pytest.mark.parametrize(
    "text", ["", "2026-01-05 25:00", "2026-01-05 09:61", "09:30", "2026-01-05 09:30 +99:00", "13:04 pm 5 Jan 2026"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    assert isinstance(instant(text, zone=SHANGHAI), Unusable)


def test_a_local_time_that_clocks_skip_or_repeat_has_one_meaning() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert instant("2026-03-29 02:30", zone=berlin) == "2026-03-29T01:30:00.000Z"
    assert instant("2026-10-25 02:30", zone=berlin) == "2026-10-25T00:30:00.000Z"


def test_a_serial_number_with_a_fraction_is_a_local_time() -> None:
    assert instant("46027.5", zone=SHANGHAI, excel=True) == "2026-01-05T04:00:00.000Z"
