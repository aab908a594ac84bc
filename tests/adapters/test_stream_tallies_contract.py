"""What every StreamTallies must do."""

from datetime import timedelta

from tests.adapters.stores import Stores
from tests.fakes.world import START
from waypost.clock import parse_instant
from waypost.sending.streams import Tally

NOW = parse_instant(START)
MAIL = "email.marketing"


def test_counts_add_up_over_hours_and_shards(stores: Stores) -> None:
    tallies = stores.stream_tallies
    for number in range(24):
        tallies.add(MAIL, 0, Tally(10, 1, number % 2), at=NOW + timedelta(minutes=30 * number))
    assert tallies.since(MAIL, 0, NOW) == Tally(240, 24, 12)


def test_what_lies_before_the_window_is_not_counted(stores: Stores) -> None:
    tallies = stores.stream_tallies
    tallies.add(MAIL, 0, Tally(5), at=NOW)
    tallies.add(MAIL, 0, Tally(7), at=NOW + timedelta(hours=25))
    assert tallies.since(MAIL, 0, NOW + timedelta(hours=1)) == Tally(7)


def test_streams_and_epochs_do_not_touch_each_other(stores: Stores) -> None:
    tallies = stores.stream_tallies
    tallies.add(MAIL, 0, Tally(1, 1), at=NOW)
    tallies.add(MAIL, 1, Tally(2), at=NOW)
    tallies.add("email.transactional", 0, Tally(4), at=NOW)
    assert tallies.since(MAIL, 0, NOW) == Tally(1, 1)
    assert tallies.since(MAIL, 1, NOW) == Tally(2)
    assert tallies.since("sms.marketing", 0, NOW) == Tally()
