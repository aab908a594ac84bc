"""Lets many callers take turns at a store, one call at a time, in an order that a test chooses: every interleaving can be had."""

import random
import threading
from collections.abc import Callable, Sequence
from typing import Any

from waypost.errors import ConcurrentUpdate


class Turns:
    """Hands out turns. A caller waits before each call to the store until it is its turn."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - a test that must be repeatable
        self._ready: dict[threading.Thread, threading.Event] = {}
        self._moved = threading.Condition()
        self._unfinished = 0
        self.failures: list[BaseException] = []

    def wait(self) -> None:
        """Called by a caller before each call to the store."""
        mine = threading.Event()
        with self._moved:
            self._ready[threading.current_thread()] = mine
            self._moved.notify_all()
        mine.wait()

    def run(self, callers: Sequence[Callable[[], object]]) -> None:
        """Run the callers to their ends, each step of whichever comes next by chance."""
        self._unfinished = len(callers)
        threads = [threading.Thread(target=self._run, args=(caller,)) for caller in callers]
        for thread in threads:
            thread.start()
        while True:
            with self._moved:
                self._moved.wait_for(lambda: len(self._ready) == self._unfinished)
                if not self._ready:
                    break
                chosen = self._random.choice(sorted(self._ready, key=lambda each: each.name))
                turn = self._ready.pop(chosen)
                self._moved.notify_all()
            turn.set()
        for thread in threads:
            thread.join()
        if self.failures:
            raise self.failures[0]

    def _run(self, caller: Callable[[], object]) -> None:
        try:
            self.wait()
            caller()
        except BaseException as failure:  # noqa: BLE001 - the test raises it
            self.failures.append(failure)
        with self._moved:
            self._unfinished -= 1
            self._moved.notify_all()


class TakingTurns:
    """A store whose every call waits for its turn."""

    def __init__(self, store: Any, turns: Turns) -> None:
        self._store = store
        self._turns = turns

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._store, name)

        def in_turn(*args: Any, **kwargs: Any) -> Any:
            self._turns.wait()
            return call(*args, **kwargs)

        return in_turn


def until_done(call: Callable[[], object], tries: int) -> Callable[[], object]:
    """The call, delivered again as a queue does while others are faster."""

    def deliver() -> object:
        for _ in range(tries - 1):
            try:
                return call()
            except ConcurrentUpdate:
                continue
        return call()

    return deliver
