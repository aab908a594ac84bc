"""Moves the virtual time of the embedded cloud from one due schedule to the next. Used by rehearsals and by ``waypost up``."""

import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from local.cloud.emulator_process import EmulatorProcess
from local.problems import StuckError
from waypost.clock import format_instant, parse_instant, real_now, virtual_clock

PATIENCE_SECONDS = 90.0
"""Real seconds after which something that has not changed is stuck."""
LOOK_SECONDS = 1.0
"""Real seconds between two looks at work that takes longer."""
LONGEST_STEP_SECONDS = 1800.0
"""Real seconds that one step may take until everything rests again."""
MOST_FIRINGS_AT_ONE_TIME = 200
SWEEP: Final = "/sweep-journeys"
"""How the name of the hourly schedule ends that looks for what was lost."""


class VirtualClock:
    """The time that this process, the functions and the providers share through a file; see ``waypost.clock``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = virtual_clock(path)

    def stop_at(self, instant: datetime) -> None:
        """Time stands still at ``instant``."""
        self._write(format_instant(instant))

    def run_from(self, instant: datetime) -> None:
        """Time runs, beginning at ``instant``, or at the real time if that is later: virtual time is never behind."""
        ahead = (instant - real_now()).total_seconds()
        self._write(f"+{max(0.0, ahead) + 0.0005:.3f}")  # rounded up, so that time does not go back

    @property
    def running(self) -> bool:
        """Whether time passes by itself."""
        return self.path.read_text(encoding="ascii").startswith("+")

    def _write(self, line: str) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        scratch = self.path.with_suffix(f".{os.getpid()}.{threading.get_ident()}")
        scratch.write_text(line, encoding="ascii")
        scratch.replace(self.path)  # readers see the old time or the new one, never half a line


@dataclass(frozen=True, slots=True)
class DueSchedule:
    """A schedule and the next time it is due."""

    name: str
    expression: str
    at: datetime

    @property
    def once(self) -> bool:
        """Whether it is due one time only."""
        return self.expression.startswith("at(")


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is worked off before time moves on: ``kinds`` of work with how much of each is left, and the seconds so far."""

    kinds: Mapping[str, int]
    seconds: float

    @property
    def left(self) -> int:
        """How much there is of all kinds."""
        return sum(self.kinds.values())


class TimeTravel:
    """``rest`` waits so many seconds for what is under way outside the emulator (a provider's report).

    ``at_work`` is called about once a second while something is worked off.
    """

    def __init__(
        self, clock: VirtualClock, emulator: EmulatorProcess, *, rest: Callable[[float], bool] = lambda _: True
    ) -> None:
        self.clock = clock
        self._emulator = emulator
        self._rest = rest
        self.at_work: Callable[[Work], None] = lambda _: None
        self._swept_at: datetime | None = None
        self._lock = threading.RLock()

    def settle(self, *, within: float = PATIENCE_SECONDS) -> list[DueSchedule]:
        """Wait until nothing is under way; the schedules that are to come.

        Raises StuckError that names what is stuck when nothing was finished and nothing has changed for ``within`` seconds, or
        when it still changes after ``LONGEST_STEP_SECONDS``: a crowd takes longer than one contact, and a circle never ends.
        """
        begun, unchanged = time.monotonic(), 0.0
        before: tuple[Any, int] | None = None
        look = min(within, LOOK_SECONDS)
        while True:
            reported = self._rest(look)
            state = self._emulator.quiet(within=look, after=self.clock.now())
            if state["quiet"] and reported:
                if self._rest(0):
                    return _read(state["schedules"])
                continue
            busy = state["busy"] or {"providers": "a report is due"}
            progress = (busy, state["finished"])
            unchanged = 0.0 if progress != before else unchanged + look
            before, seconds = progress, time.monotonic() - begun
            if not within or unchanged >= within or seconds >= LONGEST_STEP_SECONDS:
                stuck = ", ".join(f"{kind}: {what}" for kind, what in sorted(busy.items()))
                raise StuckError(f"not at rest after {seconds:.0f} s: {stuck}", f"see {self._emulator.log}")
            self.at_work(Work(kinds={kind: _amount(what) for kind, what in busy.items()}, seconds=seconds))

    def travel_to(
        self,
        instant: datetime,
        *,
        arrived: Callable[[datetime], None] = lambda _: None,
        sweeps_apart: timedelta = timedelta(0),
        sooner: Callable[[], datetime | None] = lambda: None,
    ) -> int:
        """Go to ``instant`` by way of everything that is due until then; the number of schedules fired.

        Each fires at its own time, and everything it sets off comes to rest before time moves on. ``arrived`` is called with
        each time on the way. Going back is not possible: an earlier ``instant`` changes nothing. The hourly sweep fires at
        the full hours that are at least ``sweeps_apart`` after its last one: a week in which nothing gets lost has 168.
        ``sooner`` is asked whenever everything rests; the journey ends at the time that it names, if that is earlier.
        """
        with self._lock:
            self.clock.stop_at(self.clock.now())
            target = max(instant, self.clock.now())
            fired = firings_at_this_time = 0
            while True:
                now = self.clock.now()
                coming = [self._spared(schedule, now, sweeps_apart) for schedule in self.settle()]
                if (named := sooner()) is not None:
                    target = min(target, max(named, now))
                stop = min((max(schedule.at, now) for schedule in coming), default=target)
                ready = [schedule for schedule in coming if schedule.at <= stop <= target]
                firings_at_this_time = 0 if stop > now else firings_at_this_time + 1
                if firings_at_this_time > MOST_FIRINGS_AT_ONE_TIME:
                    names = ", ".join(sorted({schedule.name for schedule in ready}))
                    raise StuckError(
                        f"time stands still at {format_instant(now)}", f"it is due again and again: {names}"
                    )
                self.clock.stop_at(min(stop, target))
                arrived(min(stop, target))
                if not ready:
                    return fired
                self._emulator.fire([schedule.name for schedule in ready])
                fired += len(ready)
                if any(schedule.name.endswith(SWEEP) for schedule in ready):
                    self._swept_at = self.clock.now()

    def _spared(self, schedule: DueSchedule, now: datetime, sweeps_apart: timedelta) -> DueSchedule:
        """The schedule as it is fired: the sweep not before ``sweeps_apart`` has passed, counted from the first look at it."""
        if not sweeps_apart or not schedule.name.endswith(SWEEP):
            return schedule
        if self._swept_at is None or self._swept_at > now:  # the clock was set back
            self._swept_at = now
        return replace(schedule, at=max(schedule.at, self._swept_at + sweeps_apart))

    def tick(self, since: datetime) -> int:
        """Fire what became due after ``since`` while time ran by itself; the number of schedules fired.

        During a travel it does nothing: the travel fires what is due.
        """
        if not self._lock.acquire(blocking=False):
            return 0
        try:
            now = self.clock.now()
            state = self._emulator.quiet(within=0, after=since)
            ready = [schedule.name for schedule in _read(state["schedules"]) if schedule.at <= now]
            if ready:
                self._emulator.fire(ready)
            return len(ready)
        finally:
            self._lock.release()


def _amount(work: Any) -> int:
    """How much work of a kind there is, from what the emulator says of it: a number, numbers by name, or names."""
    match work:
        case int():
            return work
        case dict():
            return sum(work.values())
        case list():
            return len(work)
        case _:
            return 1


def _read(schedules: list[dict[str, str]]) -> list[DueSchedule]:
    return [DueSchedule(entry["name"], entry["expression"], parse_instant(entry["due"])) for entry in schedules]


def duration(text: str) -> timedelta:
    """``90m``, ``36h``, ``7d`` or ``2w`` as a time span. Raises ValueError."""
    units = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
    if len(text) < 2 or text[-1] not in units or not text[:-1].isdigit():
        raise ValueError(f"{text!r} is not a duration such as 90m, 36h, 7d or 2w")
    return timedelta(**{units[text[-1]]: int(text[:-1])})
