"""Travelling in virtual time: what is due fires at its time, and a rehearsal spares itself sweeps that find nothing."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local.cloud.activity import Activity
from local.cloud.time_travel import TimeTravel, VirtualClock, Work
from local.problems import StuckError

START = datetime(2031, 3, 3, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Emulator:
    """An emulator with an hourly sweep and one schedule that fires once."""

    log = Path("cloud.log")

    def __init__(self, clock: VirtualClock, once: datetime) -> None:
        self.clock = clock
        self.once: datetime | None = once
        self.fired: list[tuple[str, datetime]] = []

    def quiet(self, *, within: float, after: datetime) -> dict[str, Any]:
        hour = after.replace(minute=0) + HOUR
        schedules = [{"name": "schedule/g/sweep-journeys", "expression": "cron(0 * * * ? *)", "due": hour.isoformat()}]
        if self.once:
            schedules.append({"name": "schedule/g/once", "expression": "at()", "due": self.once.isoformat()})
        return {"quiet": True, "busy": {}, "finished": 0, "schedules": schedules}

    def fire(self, schedules: list[str]) -> None:
        self.fired += [(name.rsplit("/", 1)[-1], self.clock.now()) for name in schedules]
        if "schedule/g/once" in schedules:
            self.once = None


def travelled(folder: Path, **options: timedelta) -> list[tuple[str, datetime]]:
    """What fires in three days and a half, with one schedule after thirty hours and a half."""
    clock = VirtualClock(folder / "clock")
    clock.stop_at(START)
    emulator = Emulator(clock, START + 30.5 * HOUR)
    TimeTravel(clock, emulator).travel_to(START + 84 * HOUR, **options)  # type: ignore[arg-type]
    assert clock.now() == START + 84 * HOUR
    return emulator.fired


def test_the_sweep_fires_every_hour(tmp_path: Path) -> None:
    fired = travelled(tmp_path)
    assert [at for name, at in fired if name == "sweep-journeys"] == [START + hour * HOUR for hour in range(1, 85)]
    assert ("once", START + 30.5 * HOUR) in fired


def test_a_sweep_that_is_to_fire_once_a_day_does_so_at_full_hours(tmp_path: Path) -> None:
    assert travelled(tmp_path, sweeps_apart=timedelta(days=1)) == [
        ("sweep-journeys", START + 24 * HOUR),
        ("once", START + 30.5 * HOUR),
        ("sweep-journeys", START + 48 * HOUR),
        ("sweep-journeys", START + 72 * HOUR),
    ]


def test_a_journey_ends_at_an_earlier_time_that_comes_up_on_the_way(tmp_path: Path) -> None:
    clock = VirtualClock(tmp_path / "clock")
    clock.stop_at(START)
    emulator = Emulator(clock, START + 30.5 * HOUR)

    def sooner() -> datetime | None:
        return START + 31 * HOUR if ("once", START + 30.5 * HOUR) in emulator.fired else None

    TimeTravel(clock, emulator).travel_to(START + 84 * HOUR, sooner=sooner)  # type: ignore[arg-type]
    assert clock.now() == START + 31 * HOUR


class Busy(Emulator):
    """An emulator whose queue gets shorter at every look, down to ``rest``, and that finishes ``work``, one piece a look."""

    def __init__(self, clock: VirtualClock, rest: int, work: int = 0) -> None:
        super().__init__(clock, START)
        self.queued, self._rest = 5, rest
        self.finished, self._most = 0, work

    def quiet(self, *, within: float, after: datetime) -> dict[str, Any]:
        self.queued = max(self._rest, self.queued - 1)
        self.finished = min(self.finished + 1, self._most)
        return {"quiet": not self.queued, "busy": {"queues": self.queued}, "finished": self.finished, "schedules": []}


def test_work_that_gets_less_is_waited_for(tmp_path: Path) -> None:
    clock = VirtualClock(tmp_path / "clock")
    clock.stop_at(START)
    assert TimeTravel(clock, Busy(clock, 0)).settle() == []  # type: ignore[arg-type]


def test_what_is_left_is_said_while_it_is_worked_off(tmp_path: Path) -> None:
    clock = VirtualClock(tmp_path / "clock")
    clock.stop_at(START)
    time = TimeTravel(clock, Busy(clock, 0))  # type: ignore[arg-type]
    seen: list[Work] = []
    time.at_work = seen.append
    time.settle()
    assert [(dict(work.kinds), work.left) for work in seen] == [({"queues": left}, left) for left in (4, 3, 2, 1)]


def test_work_that_stays_the_same_is_stuck(tmp_path: Path) -> None:
    clock = VirtualClock(tmp_path / "clock")
    clock.stop_at(START)
    with pytest.raises(StuckError, match="queues: 2"):
        TimeTravel(clock, Busy(clock, 2)).settle()  # type: ignore[arg-type]


class OneLongRun(Busy):
    """One execution that looks the same all the time it works, and is done when its work is."""

    def quiet(self, *, within: float, after: datetime) -> dict[str, Any]:
        state = super().quiet(within=within, after=after)
        return state | {"busy": {"executions": ["refresh-contacts"]}, "quiet": self.finished == self._most}


def test_one_long_run_is_waited_for_while_it_finishes_work(tmp_path: Path) -> None:
    clock = VirtualClock(tmp_path / "clock")
    clock.stop_at(START)
    assert TimeTravel(clock, OneLongRun(clock, 0, work=40)).settle() == []  # type: ignore[arg-type]


def test_activity_counts_what_is_finished() -> None:
    activity = Activity()
    with activity.under_way("requests"):
        assert (activity.counts(), activity.finished()) == ({"requests": 1}, 0)
    assert (activity.counts(), activity.finished()) == ({}, 1)
