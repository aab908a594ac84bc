"""When an event happened, by clocks that may be wrong."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.intake.fakes import NOW
from waypost.intake.event_times import occurred_at, read_instant


def test_a_clock_that_is_wrong_by_years_is_corrected() -> None:
    stated, sent = datetime(1970, 1, 1, 0, 0, tzinfo=UTC), datetime(1970, 1, 1, 0, 10, tzinfo=UTC)
    assert occurred_at(stated, sent, NOW) == NOW - timedelta(minutes=10)


def test_without_sent_at_the_stated_time_is_believed() -> None:
    assert occurred_at(NOW - timedelta(days=400), None, NOW) == NOW - timedelta(days=400)


def test_without_a_time_it_happened_when_it_was_received() -> None:
    assert occurred_at(None, NOW - timedelta(days=1), NOW) == NOW


def test_nothing_happens_after_it_was_received() -> None:
    assert occurred_at(NOW + timedelta(hours=20), None, NOW) == NOW


@pytest.mark.parametrize(
    ("stated", "sent"),
    [
        (datetime(1999, 12, 31, tzinfo=UTC), None),
        (NOW + timedelta(days=2), None),
        (NOW + timedelta(days=2), NOW),
        (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)),
        (datetime(9999, 1, 1, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)),
    ],
)
def test_absurd_times_are_refused(stated: datetime, sent: datetime | None) -> None:
    with pytest.raises(ValueError, match="should"):
        occurred_at(stated, sent, NOW)


@pytest.mark.parametrize(
    "text",
    [
        "2015-2-02T00:30:08.276Z",
        "2015-02-02T08:30:08.276+08:00",
        "2015-02-02T00:30:08.276000000Z",
        "20150202T003008.276Z",
    ],
)
def test_the_spellings_that_sdks_use_are_read(text: str) -> None:
    assert read_instant(text) == datetime(2015, 2, 2, 0, 30, 8, 276_000, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-03-01T08:00:00",
        "2026-03-01",
        "2026-13-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9" * 9999,
    ],
)
def test_a_time_without_an_offset_or_sense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="UTC offset"):
        read_instant(text)
