"""The hours of a contact's day in which a channel may be used."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.sending.window import Window, opening

DAYTIME = (time(8), time(22))
NIGHT = (time(20), time(6))


def opens(window: Window, local: str, zone: str = "Asia/Shanghai", fold: int = 0) -> str:
    here = ZoneInfo(zone)
    instant = datetime.fromisoformat(local).replace(tzinfo=here, fold=fold)
    return opening(window, instant, here).astimezone(here).isoformat(timespec="minutes")


@pytest.mark.parametrize(
    ("window", "local", "expected"),
    [
        (DAYTIME, "2027-03-01T07:59", "2027-03-01T08:00+08:00"),
        (DAYTIME, "2027-03-01T08:00", "2027-03-01T08:00+08:00"),
        (DAYTIME, "2027-03-01T12:34", "2027-03-01T12:34+08:00"),
        (DAYTIME, "2027-03-01T21:59", "2027-03-01T21:59+08:00"),
        (DAYTIME, "2027-03-01T22:00", "2027-03-02T08:00+08:00"),
        (DAYTIME, "2027-03-01T23:30", "2027-03-02T08:00+08:00"),
        (DAYTIME, "2027-03-02T00:00", "2027-03-02T08:00+08:00"),
        (NIGHT, "2027-03-01T19:59", "2027-03-01T20:00+08:00"),
        (NIGHT, "2027-03-01T20:00", "2027-03-01T20:00+08:00"),
        (NIGHT, "2027-03-02T00:00", "2027-03-02T00:00+08:00"),
        (NIGHT, "2027-03-02T05:59", "2027-03-02T05:59+08:00"),
        (NIGHT, "2027-03-02T06:00", "2027-03-02T20:00+08:00"),
    ],
)
def test_a_window_opens_at_its_first_minute_and_closes_before_its_last(
    window: Window, local: str, expected: str
) -> None:
    assert opens(window, local) == expected


@pytest.mark.parametrize(
    ("window", "local", "zone", "expected"),
    [
        (DAYTIME, "2027-03-13T23:00", "America/New_York", "2027-03-14T08:00-04:00"),
        (DAYTIME, "2027-11-06T23:00", "America/New_York", "2027-11-07T08:00-05:00"),
        (DAYTIME, "2027-03-27T23:00", "Europe/Berlin", "2027-03-28T08:00+02:00"),
        ((time(2, 30), time(5)), "2027-03-13T23:00", "America/New_York", "2027-03-14T03:30-04:00"),
        ((time(1, 30), time(5)), "2027-11-06T23:00", "America/New_York", "2027-11-07T01:30-04:00"),
    ],
)
def test_a_window_opens_by_the_local_clock_across_a_clock_change(
    window: Window, local: str, zone: str, expected: str
) -> None:
    assert opens(window, local, zone) == expected


def test_in_the_hour_that_comes_twice_a_window_opens_twice() -> None:
    window = (time(1, 30), time(5))
    assert opens(window, "2027-11-07T01:10", "America/New_York", fold=0) == "2027-11-07T01:30-04:00"
    assert opens(window, "2027-11-07T01:10", "America/New_York", fold=1) == "2027-11-07T01:30-05:00"


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2029, 1, 1)),  # noqa: DTZ001 - made aware below
    st.sampled_from(["Asia/Shanghai", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Africa/Cairo"]),
    st.sampled_from([DAYTIME, NIGHT, (time(0), time(1)), (time(1, 30), time(2)), (time(23, 30), time(0, 30))]),
)
def test_a_message_never_waits_into_the_past_and_always_lands_in_the_window(
    moment: datetime, zone: str, window: Window
) -> None:
    instant = moment.replace(microsecond=0, tzinfo=ZoneInfo("UTC"))
    opened = opening(window, instant, ZoneInfo(zone))
    assert instant <= opened <= instant + timedelta(hours=49)
    local, (first, last) = opened.astimezone(ZoneInfo(zone)).time(), window
    skipped = (
        opened.astimezone(ZoneInfo(zone)).utcoffset()
        != (opened - timedelta(hours=3)).astimezone(ZoneInfo(zone)).utcoffset()
    )
    inside = first <= local < last if first <= last else local >= first or local < last
    assert inside or skipped, "only where a clock change skips the whole window it is missed"
