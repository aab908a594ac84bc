"""The clock that a rehearsal shares with its functions."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from local.cloud.time_travel import VirtualClock
from waypost.clock import real_now

INSTANT = datetime(2031, 3, 3, 1, 0, tzinfo=UTC)


def test_a_stopped_clock_stands_still(tmp_path: Path) -> None:
    clock = VirtualClock(tmp_path / "time" / "clock")
    clock.stop_at(INSTANT)
    assert (clock.now(), clock.running) == (INSTANT, False)


def test_a_running_clock_goes_on_from_where_it_was_set(tmp_path: Path) -> None:
    clock = VirtualClock(tmp_path / "clock")
    clock.run_from(INSTANT)
    assert clock.running
    assert INSTANT <= clock.now() <= INSTANT + timedelta(minutes=1)


def test_a_running_clock_is_never_behind_the_real_one(tmp_path: Path) -> None:
    clock = VirtualClock(tmp_path / "clock")
    clock.run_from(real_now() - timedelta(days=1))
    assert clock.now() >= real_now() - timedelta(minutes=1)
