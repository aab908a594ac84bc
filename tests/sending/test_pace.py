"""Messages go at the provider's rate, across all senders; those that wait get slots, one after another."""

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from tests.fakes.rate_marks import FakeRateMarks
from waypost.contacts.channels import Channel
from waypost.sending.pace import NEAREST_SLOT, URGENT_WITHIN, Pace

EMAIL = Channel("email")
TEN = datetime(2031, 3, 3, 10, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@dataclass
class Fleet:
    """So many processes that share the marks; each instant at which one let a message go."""

    processes: int
    rate: float
    marks: FakeRateMarks = field(default_factory=FakeRateMarks)
    went: list[datetime] = field(default_factory=list)
    deferred: int = 0

    def __post_init__(self) -> None:
        self.paces = [Pace(marks=self.marks, rates={EMAIL: self.rate}) for _ in range(self.processes)]

    def ask(self, process: int, now: datetime, *, waited: bool = False, urgent: bool = False) -> datetime | None:
        until = self.paces[process].waits_until(
            EMAIL, message_key=f"m-{len(self.went)}", now=now, urgent=urgent, waited=waited
        )
        if until is None:
            self.went.append(now)
        else:
            self.deferred += 1
        return until

    def play(
        self, arrivals: Iterator[datetime], *, chance: random.Random, late: float = 60, takes: float | None = None
    ) -> None:
        """Hand messages over, and again when their schedules fire: up to ``late`` seconds after the slot.

        Each goes to any process; or, as Lambda does, to one that is idle, where a message ``takes`` so many seconds.
        """
        waiting = [(at, number, False) for number, at in enumerate(arrivals)]
        heapq.heapify(waiting)
        busy_until = [TEN] * self.processes
        while waiting:
            now, number, waited = heapq.heappop(waiting)
            process = chance.randrange(self.processes)
            if takes is not None:
                process = next((each for each, until in enumerate(busy_until) if until <= now), process)
                busy_until[process] = now + SECOND * takes
            if until := self.ask(process, now, waited=waited):
                heapq.heappush(waiting, (until + SECOND * chance.uniform(0, late), number, True))

    def most_within(self, span: timedelta) -> int:
        """How many messages went in the fullest window of this length."""
        went, first, most = sorted(self.went), 0, 0
        for last, at in enumerate(went):
            while went[first] <= at - span:
                first += 1
            most = max(most, last - first + 1)
        return most


def test_a_hundred_processes_at_one_instant_let_go_what_a_second_takes() -> None:
    fleet = Fleet(processes=100, rate=14)
    slots = [until for process in range(100) for _ in range(10) if (until := fleet.ask(process, TEN))]

    assert len(fleet.went) <= 14
    assert len(fleet.went) + len(slots) == 1000
    assert len(set(slots)) == len(slots), "no two messages have one slot"
    assert min(slots) >= TEN + NEAREST_SLOT


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("rate", [1, 14, 200])
def test_the_rate_is_never_overshot(rate: float, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a simulation
    fleet = Fleet(processes=100, rate=rate)
    spans = [0.0]
    while len(spans) < 3000:  # floods, trickles and silence
        pace = rate * chance.choice([0.01, 0.3, 1, 3, 50])
        spans += [chance.expovariate(pace) for _ in range(chance.randrange(1, 400))]
    instants, at = [], TEN
    for span in spans:
        at += SECOND * span
        instants.append(at)

    fleet.play(iter(instants), chance=chance)

    assert len(fleet.went) == len(instants)
    for seconds in (1, 5, 60, 600):
        assert fleet.most_within(SECOND * seconds) <= rate * (seconds + 4)


def test_ten_thousand_messages_of_one_instant_are_out_in_a_quarter_of_an_hour() -> None:
    fleet = Fleet(processes=100, rate=14)
    chance = random.Random(1)  # noqa: S311 - a simulation
    fleet.play((TEN + SECOND * (number / 1000) for number in range(10_000)), chance=chance, takes=0.15)

    went = sorted(fleet.went)
    assert went[5_000] - TEN <= timedelta(minutes=8)
    assert went[-1] - TEN <= timedelta(minutes=18), "12 minutes at the full rate"
    assert fleet.deferred <= 1.1 * 10_000
    assert fleet.marks.writes <= 0.6 * 10_000


def test_what_a_channel_takes_easily_is_not_put_off() -> None:
    fleet = Fleet(processes=100, rate=200)
    chance = random.Random(2)  # noqa: S311 - a simulation
    fleet.play((TEN + SECOND * (number / 50) for number in range(5_000)), chance=chance, takes=0.15)
    assert fleet.deferred == 0


@pytest.mark.parametrize("apart", [4, 2, 0.5, 0.05])
def test_a_process_that_sends_alone_writes_once_for_several_messages(apart: float) -> None:
    fleet = Fleet(processes=1, rate=14)
    for number in range(600):
        fleet.ask(0, TEN + SECOND * apart * number)

    assert (fleet.deferred == 0) == (apart > 1 / 14)
    assert fleet.marks.writes <= 0.2 * 600


def test_what_waited_goes_before_what_comes() -> None:
    fleet = Fleet(processes=1, rate=10)
    slots = [until for _ in range(60) if (until := fleet.ask(0, TEN))]
    later = slots[0]

    assert fleet.ask(0, later, waited=True) is None
    assert fleet.ask(0, later) is not None, "it stands behind those that have a slot"


def test_what_is_urgent_stands_behind_nobody_and_takes_nobodys_slot() -> None:
    fleet = Fleet(processes=1, rate=10)
    for _ in range(500):
        fleet.ask(0, TEN)
    promised = fleet.marks.marks[EMAIL, "promised"]

    until = fleet.ask(0, TEN, urgent=True)

    assert until is not None
    assert NEAREST_SLOT <= until - TEN <= NEAREST_SLOT + URGENT_WITHIN
    assert fleet.marks.marks[EMAIL, "promised"] == promised
    assert fleet.ask(0, TEN + 2 * SECOND, urgent=True) is None


def test_a_channel_without_a_rate_asks_nobody() -> None:
    marks = FakeRateMarks()
    pace = Pace(marks=marks, rates={})
    assert pace.waits_until(EMAIL, message_key="m", now=TEN, urgent=False, waited=False) is None
    assert marks.writes == 0
