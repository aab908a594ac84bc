"""What every RateMarks must do."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.adapters.stores import Stores
from waypost.contacts.channels import Channel
from waypost.sending.pace import Moved, Pace

EMAIL, SMS = Channel("email"), Channel("sms")
NOW = datetime(2031, 3, 3, 10, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_a_mark_that_is_behind_starts_now(stores: Stores) -> None:
    marks = stores.rate_marks
    assert marks.move(EMAIL, "spent", by=SECOND, now=NOW, within=SECOND) == Moved(NOW, None)
    later = NOW + 5 * SECOND
    assert marks.move(EMAIL, "spent", by=SECOND, now=later, within=SECOND) == Moved(later, NOW + SECOND)


def test_a_mark_that_is_ahead_goes_on_from_where_it_stands(stores: Stores) -> None:
    marks = stores.rate_marks
    starts = [marks.move(EMAIL, "promised", by=3 * SECOND, now=NOW, within=None) for _ in range(4)]
    assert [each and each.start for each in starts] == [NOW + 3 * number * SECOND for number in range(4)]


def test_a_mark_moves_no_further_than_it_may(stores: Stores) -> None:
    marks = stores.rate_marks
    half = SECOND / 2
    moved = [marks.move(EMAIL, "spent", by=half, now=NOW, within=half) for _ in range(5)]
    assert [each and each.start for each in moved] == [NOW, NOW + half, None, None, None]
    assert marks.move(EMAIL, "spent", by=half, now=NOW + half, within=half) == Moved(NOW + SECOND, NOW + SECOND)


def test_channels_and_marks_do_not_touch_each_other(stores: Stores) -> None:
    marks = stores.rate_marks
    marks.move(EMAIL, "spent", by=9 * SECOND, now=NOW, within=None)
    assert marks.move(EMAIL, "promised", by=SECOND, now=NOW, within=SECOND) == Moved(NOW, None)
    assert marks.move(SMS, "spent", by=SECOND, now=NOW, within=SECOND) == Moved(NOW, None)


@pytest.mark.parametrize("rate", [14, 0.5])
def test_processes_that_share_the_marks_share_the_rate(stores: Stores, rate: float) -> None:
    processes = [Pace(marks=stores.rate_marks, rates={EMAIL: rate}) for _ in range(20)]
    went = [
        each.waits_until(EMAIL, message_key="m", now=NOW + SECOND * instant / 4, urgent=False, waited=True) is None
        for instant in range(20)
        for each in processes
    ]
    assert rate * 4 <= sum(went) <= rate * (5 + 4)
