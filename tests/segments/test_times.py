"""Windows, days and ages where the calendar is not even: changes of the clocks, leap days, ends of years."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.segments.people import BERLIN, NOW, SHANGHAI, ago, at, selects, subject, value_is
from waypost.errors import InvalidInput
from waypost.segments.calendar import age_at, anniversary_in, day_range, period_days, start_of
from waypost.segments.compile import compile_rule

APIA, SAO_PAULO, LORD_HOWE = ZoneInfo("Pacific/Apia"), ZoneInfo("America/Sao_Paulo"), ZoneInfo("Australia/Lord_Howe")


def counted(rule: dict[str, Any], *times: str, now: str, zone: ZoneInfo) -> list[bool]:
    """Of each time, whether the rule counts an event then."""
    facts = {"now": datetime.fromisoformat(now).astimezone(UTC), "zone": zone}
    return [selects({"event": "seen", **rule}, history=[at("seen", each)], **facts) for each in times]


@pytest.mark.parametrize(
    ("day", "zone", "start"),
    [
        (date(2027, 3, 28), BERLIN, "2027-03-27T23:00:00+00:00"),
        (date(2027, 3, 29), BERLIN, "2027-03-28T22:00:00+00:00"),  # the 28th has 23 hours
        (date(2027, 11, 1), BERLIN, "2027-10-31T23:00:00+00:00"),  # the day before had 25
        (date(2018, 11, 4), SAO_PAULO, "2018-11-04T03:00:00+00:00"),  # has no midnight
        (date(2011, 12, 30), APIA, "2011-12-30T10:00:00+00:00"),  # was skipped altogether
        (date(2011, 12, 31), APIA, "2011-12-30T10:00:00+00:00"),
        (date(1, 1, 1), SHANGHAI, "0001-01-01T00:00:00+00:00"),
    ],
)
def test_a_local_day_begins_at_its_first_moment(day: date, zone: ZoneInfo, start: str) -> None:
    assert start_of(day, zone).isoformat() == start


def test_a_rolling_day_has_24_hours_even_when_the_clocks_change() -> None:
    now = "2027-03-28T12:00:00+02:00"  # 23 hours after noon of the day before
    assert counted(
        {"within": "1d"}, "2027-03-27T12:00:00+01:00", "2027-03-27T11:00:00+01:00", now=now, zone=BERLIN
    ) == [True, True]
    assert counted({"within": "1d"}, "2027-03-27T10:59:59+01:00", now=now, zone=BERLIN) == [False]


def test_a_window_includes_its_beginning_and_older_than_is_all_before_it() -> None:
    exactly, earlier = ago("seen", days=30), ago("seen", days=30, seconds=1)
    assert selects({"event": "seen", "within": "30d"}, history=[exactly])
    assert not selects({"event": "seen", "within": "30d"}, history=[earlier])
    assert not selects({"event": "seen", "older_than": "30d"}, history=[exactly])
    assert selects({"event": "seen", "older_than": "30d"}, history=[earlier])


def test_calendar_days_are_those_of_the_contact() -> None:
    now = "2027-03-02T00:30:00+08:00"
    times = ("2027-03-01T23:59:59+08:00", "2027-03-02T00:00:00+08:00", "2027-02-28T23:59:59+08:00")
    assert counted({"last_days": 1}, *times, now=now, zone=SHANGHAI) == [False, True, False]
    assert counted({"last_days": 2}, *times, now=now, zone=SHANGHAI) == [True, True, False]
    assert counted({"period": "yesterday"}, *times, now=now, zone=SHANGHAI) == [True, False, False]
    assert counted({"on": "2027-03-01"}, *times, now=now, zone=SHANGHAI) == [True, False, False]
    assert counted({"before": "2027-03-01"}, *times, now=now, zone=SHANGHAI) == [False, False, True]
    assert counted({"after": "2027-03-01"}, *times, now=now, zone=SHANGHAI) == [False, True, False]
    assert counted({"between": ["2027-02-28", "2027-03-01"]}, *times, now=now, zone=SHANGHAI) == [True, False, True]
    assert counted({"days_since": {"between": [1, 2]}}, *times, now=now, zone=SHANGHAI) == [True, False, True]
    assert counted({"last_days": 1}, *times, now=now, zone=ZoneInfo("UTC")) == [True, True, False]


def test_the_repeated_hour_belongs_to_its_day() -> None:
    both = ("2027-10-31T02:30:00+02:00", "2027-10-31T02:30:00+01:00", "2027-11-01T00:00:00+01:00")
    assert counted({"on": "2027-10-31"}, *both, now="2027-11-02T12:00:00+01:00", zone=BERLIN) == [True, True, False]
    assert counted({"time_of_day": ["02:00", "03:00"]}, *both, now="2027-11-02T12:00:00+01:00", zone=BERLIN) == [
        True,
        True,
        False,
    ]


def test_a_day_that_a_country_skipped_holds_nothing() -> None:
    times = ("2011-12-30T09:59:59+00:00", "2011-12-30T10:00:00+00:00")
    now = "2012-01-05T00:00:00+00:00"
    assert counted({"on": "2011-12-29"}, *times, now=now, zone=APIA) == [True, False]
    assert counted({"on": "2011-12-30"}, *times, now=now, zone=APIA) == [False, False]
    assert counted({"on": "2011-12-31"}, *times, now=now, zone=APIA) == [False, True]


def test_half_an_hour_is_a_change_of_clocks_too() -> None:
    times = (
        "2027-04-03T13:29:59+00:00",
        "2027-04-03T13:30:00+00:00",
    )  # 00:29:59 and 00:30 at +11:00, before the change
    assert counted({"time_of_day": ["00:00", "00:30"]}, *times, now="2027-04-04T12:00:00+00:00", zone=LORD_HOWE) == [
        True,
        False,
    ]


def test_weeks_begin_on_monday_also_over_the_end_of_the_year() -> None:
    now = "2027-01-01T12:00:00+08:00"  # a Friday
    times = ("2026-12-28T00:00:00+08:00", "2026-12-27T23:59:59+08:00", "2026-12-31T23:59:59+08:00")
    assert counted({"period": "this_week"}, *times, now=now, zone=SHANGHAI) == [True, False, True]
    assert counted({"period": "last_week"}, *times, now=now, zone=SHANGHAI) == [False, True, False]
    assert counted({"period": "this_year"}, *times, now=now, zone=SHANGHAI) == [False, False, False]
    assert counted({"period": "last_month"}, *times, now=now, zone=SHANGHAI) == [True, True, True]
    assert counted({"period": "last_quarter"}, *times, now=now, zone=SHANGHAI) == [True, True, True]


@pytest.mark.parametrize(
    ("name", "today", "first", "after"),
    [
        ("this_quarter", date(2027, 3, 31), date(2027, 1, 1), date(2027, 4, 1)),
        ("last_quarter", date(2027, 1, 1), date(2026, 10, 1), date(2027, 1, 1)),
        ("next_month", date(2026, 12, 31), date(2027, 1, 1), date(2027, 2, 1)),
        ("next_year", date(2028, 2, 29), date(2029, 1, 1), date(2030, 1, 1)),
        ("next_week", date(2026, 12, 31), date(2027, 1, 4), date(2027, 1, 11)),
        ("tomorrow", date(2028, 2, 28), date(2028, 2, 29), date(2028, 3, 1)),
        ("next_year", date(9999, 5, 1), date(9999, 12, 31), date(9999, 12, 31)),
        ("last_month", date(1, 1, 1), date(1, 1, 1), date(1, 1, 1)),
    ],
)
def test_a_period_is_whole(name: str, today: date, first: date, after: date) -> None:
    assert period_days(name, today) == (first, after)


def test_an_event_dated_ahead_of_now_counts_as_now() -> None:
    ahead = [ago("seen", hours=-30)]
    assert selects({"event": "seen"}, history=ahead)
    for window in ({"within": "1h"}, {"last_days": 1}, {"period": "today"}, {"period": "this_year"}, {"days_since": 0}):
        assert selects({"event": "seen", **window}, history=ahead), window
    for window in ({"older_than": "1h"}, {"period": "yesterday"}, {"before": "2027-03-01"}, {"on": "2027-03-01"}):
        assert not selects({"event": "seen", **window}, history=ahead), window
    assert not value_is("2027-03-02T08:00:00Z", within="1d")
    assert not value_is("2027-03-02", last_days=30)


def test_an_attribute_that_is_a_date_counts_as_its_first_moment_at_home() -> None:
    home = {"zone": SHANGHAI, "now": datetime(2027, 3, 1, 2, 0, tzinfo=UTC)}  # 10:00 of 1 March
    assert value_is("2027-03-01", home, within="10h")
    assert not value_is("2027-03-01", home, within="9h")
    assert value_is("2027-03-01", home, on="2027-03-01")
    assert value_is("2027-03-01", home, before="2027-03-01T00:00:01+08:00")
    assert value_is("2027-02-28T16:00:00Z", home, on="2027-03-01")
    assert value_is("2027-02-28T16:00:00", home, on="2027-03-01")  # without offset it is UTC
    assert not value_is("2027-03-01", home, time_of_day=["00:00", "12:00"])
    assert value_is("2027-03-01", home, weekday=["mon"])
    assert value_is("2027-03-01T01:00:00+08:00", home, time_of_day=["22:00", "02:00"])
    assert not value_is("soon", home, within="10h")
    assert not value_is(20270301, home, on="2027-03-01")


def test_days_ahead_and_behind_are_whole_days() -> None:
    assert value_is("2027-03-01T23:59:00Z", days_until=0)
    assert value_is("2027-03-15", days_until=14)
    assert not value_is("2027-02-15", days_until={"at_most": 14})  # it is over
    assert value_is("2027-02-28T23:59:00Z", days_since=1)
    assert not value_is("2027-03-15", days_since={"at_most": 14})  # it has not come
    assert value_is("2027-03-03", next_days=3)
    assert not value_is("2027-03-04", next_days=3)
    assert value_is("2027-03-03T02:00:00Z", within_next="48h")
    assert not value_is("2027-03-03T02:00:01Z", within_next="48h")


@pytest.mark.parametrize(
    ("wanted", "least", "most"),
    [
        (3, 3, 3),
        ({"at_least": 2.5}, 3, None),
        ({"more_than": 2.5}, 3, None),
        ({"more_than": 2}, 3, None),
        ({"less_than": 2.5}, 0, 2),
        ({"less_than": 2}, 0, 1),
        ({"at_most": 2.5, "at_least": 1}, 1, 2),
        ({"between": [0.5, 3.5]}, 1, 3),
        ({"equals": 2.5}, 3, 2),
    ],
)
def test_a_comparison_of_days_is_a_range_of_whole_days(wanted: Any, least: int, most: int | None) -> None:
    assert day_range(wanted) == (least, most)


@pytest.mark.parametrize(
    ("born", "today", "age"),
    [
        (date(1996, 2, 29), date(2027, 2, 27), 30),
        (date(1996, 2, 29), date(2027, 2, 28), 31),
        (date(1996, 2, 29), date(2028, 2, 28), 31),
        (date(1996, 2, 29), date(2028, 2, 29), 32),
        (date(1996, 12, 31), date(2027, 1, 1), 30),
        (date(2027, 3, 2), date(2027, 3, 1), -1),
    ],
)
def test_an_age_grows_on_the_birthday(born: date, today: date, age: int) -> None:
    assert age_at(born, today) == age


def test_a_leap_day_has_its_anniversary_on_the_28th() -> None:
    assert anniversary_in(date(1996, 2, 29), 2027) == date(2027, 2, 28)
    on_the_28th = {"now": datetime(2027, 2, 28, 4, 0, tzinfo=UTC), "zone": SHANGHAI}
    assert value_is("1996-02-29", on_the_28th, anniversary="today")
    assert value_is("1996-02-29", on_the_28th, age=31)
    leap_year = {"now": datetime(2028, 2, 28, 4, 0, tzinfo=UTC), "zone": SHANGHAI}
    assert not value_is("1996-02-29", leap_year, anniversary="today")
    assert value_is("1996-02-29", leap_year, anniversary="tomorrow")


def test_birthdays_go_over_the_end_of_the_year() -> None:
    christmas = {"now": datetime(2026, 12, 28, 12, 0, tzinfo=UTC)}
    assert value_is("1990-01-03", christmas, anniversary={"next_days": 7})
    assert not value_is("1990-01-04", christmas, anniversary={"next_days": 7})
    assert value_is("1990-01-04", christmas, anniversary={"in_days": 7})
    assert value_is("1990-01-01", christmas, anniversary="next_month")
    new_year = {"now": datetime(2027, 1, 2, 12, 0, tzinfo=UTC)}
    assert value_is("1990-12-30", new_year, anniversary={"last_days": 7})
    assert not value_is("2031-01-02", new_year, age={"at_least": -10})  # not born yet


def test_a_birthday_begins_at_local_midnight() -> None:
    just_before = {"now": datetime(2027, 2, 28, 15, 59, 59, tzinfo=UTC), "zone": SHANGHAI}
    midnight = {"now": datetime(2027, 2, 28, 16, 0, tzinfo=UTC), "zone": SHANGHAI}
    assert not value_is("1996-03-01", just_before, anniversary="today")
    assert value_is("1996-03-01", midnight, anniversary="today")


def test_now_is_asked_where_the_contact_lives() -> None:
    rule = {"now": {"time_of_day": ["09:00", "12:00"], "weekday": ["mon"]}}
    assert selects(rule, zone=SHANGHAI)  # 10:00
    assert not selects(rule, zone=BERLIN)  # 03:00
    assert selects({"now": {"between": ["2027-02-28", "2027-03-01"]}})


def test_ends_of_the_calendar_raise_nothing() -> None:
    for value in ("0001-01-01", "9999-12-31", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"):
        for comparison in (
            {"on": "2027-03-01"},
            {"within": "999999999d"},
            {"older_than": "999999999d"},
            {"age": 3},
            {"weekday": ["mon"]},
            {"days_until": {"at_least": 10**9}},
            {"anniversary": {"next_days": 366}},
        ):
            assert value_is(value, {"zone": SHANGHAI}, **comparison) in {True, False}
    first, last = "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-12:00"
    for window in (
        {"after": "9999-12-31"}, {"before": "0001-01-01"}, {"last_days": 36_600}, {"within": "999999999d"}, {"before": first},
        {"after": last}, {"after": "9999-12-31T23:59:59.999999Z"}, {"between": [first, last]},
    ):  # fmt: skip
        assert selects({"event": "seen", **window}, history=[ago("seen", days=1)], zone=SHANGHAI) in {True, False}


@pytest.mark.parametrize(
    "words",
    [
        {"within": "30 days"}, {"within": 30}, {"last_days": 0}, {"last_days": True}, {"last_days": 99_999}, {"period": "soon"}, {"on": "tomorrow"},
        {"between": ["2027-03-01"]}, {"between": ["a", "b"]}, {"days_since": "many"}, {"days_since": {"between": [1]}}, {"weekday": ["monday"]},
        {"month": [13]}, {"time_of_day": ["9", "25:00"]}, {"time_of_day": ["09:00"]}, {"within": "1d", "last_days": 1},
    ],
)  # fmt: skip
def test_time_words_that_mean_nothing_are_refused(words: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        compile_rule({"event": "seen", **words})


def test_two_evaluations_at_different_moments_do_not_share_a_window() -> None:
    rule = compile_rule({"event": "seen", "within": "1h"})
    happened = [ago("seen", minutes=30)]
    assert rule(subject(history=happened))
    assert not rule(subject(history=happened, now=NOW + timedelta(hours=1)))
    assert rule(subject(history=happened))


@pytest.mark.parametrize(
    ("value", "holds"), [("--03-31", True), ("--02-29", False), ("--13-01", False), ("03-31", False)]
)
def test_a_birthday_without_its_year_falls_into_its_month(value: str, holds: bool) -> None:
    assert value_is(value, month=[3]) is holds
    assert value_is(value, weekday=["mon", "tue", "wed", "thu", "fri", "sat", "sun"]) is False


@pytest.mark.parametrize("value", ["--13-45", "--02-30", "--00-00", "--99-99"])
def test_a_day_that_no_year_has_is_no_anniversary_and_breaks_no_rule(value: str) -> None:
    for asked in ("today", "this_month", {"next_days": 366}, {"in_days": 0}):
        assert value_is(value, anniversary=asked) is False
