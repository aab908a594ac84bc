"""The runner of slices: everything is read, counted and written once, wherever an invocation stops, dies or is doubled."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bulk.crashing_files import CrashingFiles
from tests.fakes.effects import Crash, Effects
from waypost.bulk.pages import BaseSize, Page
from waypost.bulk.plans import load_plan, store_plan
from waypost.bulk.run_slice import RESERVE, SliceRunner, SliceWork
from waypost.bulk.slices import SliceSize, slice_payloads
from waypost.bulk.state import SliceState, SliceStates
from waypost.codec import JsonForm
from waypost.errors import InvalidInput, TemporarilyUnavailable
from waypost.files.ports import Files

PLENTY = 900_000
SLICES = 2
SMALL = SliceRunner(items_per_invocation=8, items_per_checkpoint=4)


@dataclass(slots=True)
class Copied(JsonForm):
    """The sum of the numbers that were read, and the files they were copied to."""

    total: int = 0
    files: list[str] = field(default_factory=list)

    def merge(self, other: Self) -> None:
        self.total += other.total
        self.files += other.files


@dataclass
class Copying(SliceWork[Copied, int]):
    """A bulk run in its smallest form: numbers are read, added up and copied into files."""

    files: Files
    slice: int
    numbers: range
    page: int = 3
    fails_before: set[int] = field(default_factory=set)
    read: list[int] = field(default_factory=list)
    copied: list[int] = field(default_factory=list)

    def pages(self, after: str | None) -> Iterator[Page[int]]:
        left = [number for number in self.numbers[self.slice :: SLICES] if after is None or number > int(after)]
        for first in range(0, max(len(left), 1), self.page):
            page = left[first : first + self.page]
            for number in page:
                if number in self.fails_before:
                    self.fails_before.remove(number)
                    raise TemporarilyUnavailable("Scan: throttled")
            self.read += page
            yield Page(page, str(page[-1]) if first + self.page < len(left) else None, read_units=1.0)

    @contextmanager
    def checkpoint(self, found: Copied, name: str) -> Iterator[None]:
        key = f"copies/{name}.json"
        self.copied = []
        yield
        with self.files.writer(key) as writer:
            writer.write(json.dumps(self.copied).encode())
        found.files.append(key)

    def take(self, found: Copied, page: Page[int]) -> None:
        self.copied += page
        found.total += sum(page)


@dataclass
class Run:
    """A run over numbers in two slices, and its invocations as a state machine makes them."""

    runner: SliceRunner = SMALL
    numbers: range = range(1, 41)
    effects: Effects = field(default_factory=Effects)
    remaining: int = PLENTY

    def __post_init__(self) -> None:
        self.files = CrashingFiles(self.effects)
        self.states: SliceStates[Copied] = SliceStates(self.files, "work/copies/", Copied)
        self.work = [Copying(self.files, slice_, self.numbers) for slice_ in range(SLICES)]

    def invoke(self, slice_: int) -> SliceState[Copied]:
        """One invocation."""
        return self.runner.resume(self.states, slice_, self.work[slice_], new=Copied, remaining=lambda: self.remaining)

    def finish(self) -> int:
        """Every slice until it is done, retried as often as it fails for now; the number of invocations."""
        invocations = 0
        for slice_ in range(SLICES):
            done = False
            while not done:
                invocations += 1
                try:
                    done = self.invoke(slice_).done
                except TemporarilyUnavailable:
                    continue
        return invocations

    def copied(self) -> list[int]:
        """The numbers in the files that the run lists."""
        found = self.states.gathered(SLICES).found
        return sorted(number for key in found.files for number in json.loads(self.files[key]))

    def assert_whole(self) -> None:
        """Everything was read, counted and copied, and once as far as the run's states say."""
        state = self.states.gathered(SLICES)
        assert (state.items, state.found.total) == (len(self.numbers), sum(self.numbers))
        assert self.copied() == list(self.numbers)


@given(
    count=st.integers(0, 40),
    page=st.integers(1, 9),
    invocation=st.none() | st.integers(1, 30),
    checkpoint=st.none() | st.integers(1, 30),
)
def test_a_run_is_the_same_however_it_is_cut(
    count: int, page: int, invocation: int | None, checkpoint: int | None
) -> None:
    run = Run(SliceRunner(items_per_invocation=invocation, items_per_checkpoint=checkpoint), range(1, count + 1))
    for work in run.work:
        work.page = page
    run.finish()
    run.assert_whole()


def test_an_invocation_ends_when_its_items_are_spent() -> None:
    run = Run()
    first = run.invoke(0)
    assert (first.items, first.checkpoints, first.done) == (9, 2, False)
    assert run.finish() == 5
    run.assert_whole()


def test_an_invocation_ends_when_time_is_short() -> None:
    run = Run(SliceRunner(), remaining=RESERVE - 1)
    assert run.invoke(0).items == 3
    run.remaining = RESERVE
    assert run.invoke(0).done


def test_a_slice_that_is_done_is_not_read_again() -> None:
    run = Run()
    run.finish()
    read, written = list(run.work[0].read), len(run.effects.log)
    state = run.invoke(0)
    assert (state.done, state.cost.calls) == (True, 3)
    assert (run.work[0].read, len(run.effects.log)) == (read, written)


@pytest.mark.parametrize("mode", ["before", "after", "ambiguous", "refused"])
def test_a_run_that_dies_at_any_write_resumes(mode: Any) -> None:
    whole = Run()
    whole.finish()
    for index in range(len(whole.effects.log)):
        run = Run(effects=Effects(crash_at=index, mode=mode))
        try:
            run.finish()
        except Crash:
            run.finish()
        assert run.effects.crashed
        run.assert_whole()


@pytest.mark.parametrize("page", [3, 2, 5])
def test_two_invocations_of_one_slice_count_nothing_twice(page: int) -> None:
    """The second one runs while the first is at any of its writes, and reads pages of another size."""
    whole = Run()
    whole.finish()
    for index in range(len(whole.effects.log)):
        run = Run()
        overtaking = Copying(run.files, 0, run.numbers, page=page)

        def overtake(run: Run = run, work: Copying = overtaking) -> None:
            run.runner.resume(run.states, 0, work, new=Copied, remaining=lambda: PLENTY)

        run.files.interrupts[index] = overtake
        run.finish()
        run.assert_whole()


def test_an_invocation_that_lost_its_checkpoint_is_not_done() -> None:
    run = Run(SliceRunner())
    run.effects.meanwhile["write_once"] = lambda: run.invoke(0)
    assert not run.invoke(0).done
    assert run.states.find(0) == run.invoke(0)
    run.finish()
    run.assert_whole()


def test_a_throttled_page_loses_none_before_it() -> None:
    run = Run(SliceRunner())
    run.work[0].fails_before = {13}
    with pytest.raises(TemporarilyUnavailable):
        run.invoke(0)
    assert run.work[0].read == [1, 3, 5, 7, 9, 11]
    run.finish()
    assert run.work[0].read == list(run.numbers[::2])
    run.assert_whole()


def test_a_run_that_never_gets_a_page_keeps_its_state() -> None:
    run = Run()
    run.work[0].fails_before = {1}
    with pytest.raises(TemporarilyUnavailable):
        run.invoke(0)
    assert run.states.find(0) is None


def test_the_cost_is_what_all_invocations_used() -> None:
    run = Run(read_units_counter())
    invocations = run.finish()
    cost = run.states.gathered(SLICES).cost
    assert (cost.calls, cost.slices, cost.files) == (invocations, SLICES, len(run.effects.log) // 2)
    assert cost.read_units == 14 + 0.5 * cost.files
    assert cost.dollars > 0


def read_units_counter() -> SliceRunner:
    """A runner whose work costs half a read unit a checkpoint beside its pages."""
    units = iter(range(1000))
    return SliceRunner(items_per_invocation=8, read_units=lambda: next(units) / 2)


def test_a_run_is_not_gathered_before_all_slices_are_done() -> None:
    run = Run()
    run.invoke(0)
    with pytest.raises(InvalidInput, match="slice 0 of work/copies/ is not finished; redrive the execution"):
        run.states.gathered(SLICES)
    while not run.invoke(0).done:
        pass
    with pytest.raises(InvalidInput, match="slice 1 of"):
        run.states.gathered(SLICES)


def test_the_base_decides_the_number_of_slices() -> None:
    size = SliceSize(items=100, most=8, bytes=1000)
    bases = [(0, 0), (100, 1000), (101, 0), (0, 1001), (10_000, 0)]
    assert [size.slices(BaseSize(*base)) for base in bases] == [1, 1, 2, 2, 8]
    assert SliceSize(items=100, most=8).slices(BaseSize(100, 10**12)) == 1
    assert slice_payloads(2, run="r") == [{"run": "r", "slice": 0}, {"run": "r", "slice": 1}]


def test_the_first_plan_of_a_run_stays() -> None:
    files = CrashingFiles(Effects())
    assert store_plan(files, "work/plan.json", Copied(1)) == Copied(1)
    assert store_plan(files, "work/plan.json", Copied(2)) == Copied(1)
    assert load_plan(files, "work/plan.json", Copied) == Copied(1)
    with pytest.raises(InvalidInput, match="there is no run under way"):
        load_plan(files, "work/other.json", Copied)
