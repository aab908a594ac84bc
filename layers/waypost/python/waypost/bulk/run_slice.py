"""Runs one slice of a bulk run until it is done or the invocation's budget is spent. Called by exports, audiences and the refresh.

An invocation that dies is repeated from the last checkpoint: what came after it happens again, so a run's effects must be
idempotent (at least once), and its outputs are the ones that its states name.
"""

import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from waypost.bulk.pages import Page
from waypost.bulk.state import F, SliceState, SliceStates
from waypost.errors import RetryableError

RESERVE: Final = 60_000
"""Milliseconds that must remain to begin another page: reading its histories takes seconds, and outputs must be written."""

Remaining = Callable[[], int]
"""The milliseconds that this invocation has left."""

T = TypeVar("T")


class SliceWork(ABC, Generic[F, T]):
    """What one kind of run does with the items of one slice. Most runs say how pages are read and taken, and no more."""

    @abstractmethod
    def pages(self, after: str | None) -> Iterator[Page[T]]:
        """The pages of the slice behind the cursor ``after``, in an order that stays."""

    @abstractmethod
    def take(self, found: F, page: Page[T]) -> None:
        """Do the work for one page and add to ``found`` what came out, or raise and leave ``found`` as it was."""

    def checkpoint(self, found: F, name: str) -> AbstractContextManager[object]:  # noqa: ARG002 - for runs that write files
        """The block around the pages up to the next checkpoint, for a run that writes files: it opens and finishes them.

        ``name`` sorts by slice and checkpoint and is never given twice, so a file under it belongs to one attempt; the
        block's end adds its key to ``found``.
        """
        return nullcontext()


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceRunner:
    """The budget of one invocation, and how much of it is lost when it dies.

    ``items_per_invocation`` and ``items_per_checkpoint``: after at least so many items, at the end of a page; None: as many
    as there is time for. ``read_units`` counts what other reads than the pages have cost in this process so far.
    """

    items_per_invocation: int | None = None
    items_per_checkpoint: int | None = None
    read_units: Callable[[], float] = lambda: 0.0

    def resume(
        self,
        states: SliceStates[F],
        slice_: int,
        work: SliceWork[F, Any],
        *,
        new: Callable[[], F],
        remaining: Remaining,
    ) -> SliceState[F]:
        """Continue a slice at its last checkpoint; one that is done is not read again.

        Raises RetryableError and FinalError of the work. Before a retryable one is raised, the pages that were finished
        are stored: the retry resumes behind them.
        """
        state = states.find(slice_) or SliceState(new())
        if not state.checkpoints:
            state.cost.slices += 1
        if not state.done:
            state.cost.calls += 1
            self.run(state, slice_, work, remaining=remaining, store=lambda: states.store(slice_, state))
        return state

    def run(
        self,
        state: SliceState[F],
        slice_: int,
        work: SliceWork[F, Any],
        *,
        remaining: Remaining,
        store: Callable[[], bool],
    ) -> None:
        """Continue a slice in memory; ``store`` is called at each checkpoint and ends the run when it answers False."""
        attempt = secrets.token_hex(4)  # tells the outputs of two invocations of one slice apart
        pages, invocation = work.pages(state.after), _Spent(self.items_per_invocation)
        error: RetryableError | None = None
        while not (state.done or invocation.is_over or error):
            begun, units, checkpoint = remaining(), self.read_units(), _Spent(self.items_per_checkpoint)
            name = f"{slice_:05d}-{state.checkpoints:06d}-{attempt}"
            with work.checkpoint(state.found, name):
                try:
                    for page in pages:
                        work.take(state.found, page)
                        state.items += len(page)
                        state.cost.read_units += page.read_units
                        state.after, state.done = page.after, page.after is None
                        checkpoint.add(page)
                        invocation.add(page)
                        if remaining() < RESERVE:
                            invocation.is_over = True
                        if state.done or checkpoint.is_over or invocation.is_over:
                            break
                    else:
                        state.after, state.done = None, True
                except RetryableError as retryable:
                    if not checkpoint.pages:
                        raise
                    error = retryable
            state.checkpoints += 1
            state.cost.files += 1
            state.cost.read_units += self.read_units() - units
            state.cost.milliseconds += max(0, begun - remaining())
            if not store():
                state.done = False
                return
        if error:
            raise error


IN_TIME: Final = SliceRunner()
"""As much as there is time for, with one checkpoint at the end."""


@dataclass(slots=True)
class _Spent:
    """How much of a budget of items is used up."""

    budget: int | None
    items: int = 0
    pages: int = 0
    is_over: bool = False

    def add(self, page: Page[Any]) -> None:
        self.items += len(page)
        self.pages += 1
        self.is_over = self.is_over or (self.budget is not None and self.items >= self.budget)
