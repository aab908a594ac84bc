"""The hours at which a contact reads: what counts, how it fades, and the form among the metrics."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.contacts.reading_hours import FRESH, HALVINGS, ReadingHours, window

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2027, 3, 1, 2, tzinfo=UTC)
DAY = timedelta(days=1)
MONTH = 30 * DAY


def counted(*times: datetime, zone: ZoneInfo = SHANGHAI, now: datetime = NOW) -> ReadingHours:
    return ReadingHours.counted(times, half_life=MONTH, zone=zone, now=now)


def test_an_hour_of_a_day_counts_once_where_the_contact_lives() -> None:
    evening = datetime(2027, 2, 27, 12, 5, tzinfo=UTC)
    found = counted(evening, evening + timedelta(minutes=50), evening - DAY, evening - timedelta(hours=3))
    assert found == ReadingHours({17: FRESH, 20: 2 * FRESH}, 3)
    assert counted(evening, zone=ZoneInfo("Europe/Paris")) == ReadingHours({13: FRESH}, 1)


@pytest.mark.parametrize(("days", "weight"), [(0, 8), (29, 8), (30, 4), (60, 2), (90, 1), (119, 1)])
def test_a_reading_weighs_half_after_each_half_life(days: int, weight: int) -> None:
    assert counted(NOW - days * DAY).weights == {10: weight}


def test_what_is_over_or_lies_ahead_does_not_count() -> None:
    assert counted(NOW - window(MONTH), NOW + timedelta(seconds=1)) == ReadingHours()


def test_a_contact_that_reads_nothing_has_no_such_metric() -> None:
    assert ReadingHours().metrics() == {}
    assert ReadingHours.of({}) == ReadingHours()
    assert ReadingHours({8: 3, 20: 24}, 5).metrics() == {"readings": 5, "reading_hours": "8:3 20:24"}


@given(st.lists(st.integers(0, 200 * 24 * 60), max_size=40))
def test_every_reading_counts_the_same_in_whatever_order_and_the_form_is_short(minutes: list[int]) -> None:
    times = [NOW - timedelta(minutes=each) for each in minutes]
    found = counted(*times)
    assert found == counted(*reversed(times))
    assert ReadingHours.of(found.metrics()) == found
    assert found.readings <= found.total <= FRESH * found.readings
    assert len(str(found.metrics().get("reading_hours", ""))) <= 24 * 6


def test_half_of_its_neighbours_speaks_for_an_hour() -> None:
    found = ReadingHours({19: 8, 21: 8, 23: 8, 0: 4}, 4)
    assert [found.likelihood(hour) for hour in (20, 19, 23, 0, 22)] == [16, 16, 20, 16, 16]
    assert 2**HALVINGS == FRESH
