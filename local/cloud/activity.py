"""What the embedded cloud is doing at this moment. Kept by the emulator process, read by the clock of a rehearsal."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Activity:
    """Work under way that MiniStack itself does not count.

    An execution is *parked* when every function it called has answered and it waits for a task token.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._finished = 0
        self._executions: set[str] = set()
        self._parked: dict[str, tuple[str, dict[str, Any]]] = {}

    def begin(self, kind: str) -> None:
        """One more piece of work of this kind."""
        with self._lock:
            self._counts[kind] += 1

    def finish(self, kind: str) -> None:
        """One less."""
        with self._lock:
            self._counts[kind] -= 1
            self._finished += 1

    @contextmanager
    def under_way(self, kind: str) -> Iterator[None]:
        """Counts the work inside the block."""
        self.begin(kind)
        try:
            yield
        finally:
            self.finish(kind)

    def started(self, execution: str) -> None:
        """The execution is there; a thread walks it, or is about to."""
        with self._lock:
            self._executions.add(execution)

    def ended(self, execution: str) -> None:
        """The thread is done, its status event is out."""
        with self._lock:
            self._executions.discard(execution)

    def park(self, token: str, execution: str, waiting: dict[str, Any] | None) -> None:
        """The execution waits for this token; ``waiting`` is MiniStack's record of it (gone if already answered)."""
        if waiting is not None:
            with self._lock:
                self._parked[token] = (execution, waiting)

    def unpark(self, token: str) -> None:
        """The token was answered and the execution goes on."""
        with self._lock:
            self._parked.pop(token, None)

    @property
    def any_counted(self) -> bool:
        """Whether work of any kind is under way."""
        with self._lock:
            return any(self._counts.values())

    def counts(self) -> dict[str, int]:
        """Kind of work → how much of it is under way, without the zeros."""
        with self._lock:
            return {kind: count for kind, count in self._counts.items() if count}

    def finished(self) -> int:
        """How many pieces of work were finished so far: while it grows, work advances."""
        with self._lock:
            return self._finished

    @property
    def any_walking(self) -> bool:
        """Whether there are executions that have been started, have not ended and are not parked."""
        with self._lock:
            if not self._parked:  # as nearly always, and then there is nothing to count
                return bool(self._executions)
        return bool(self.walking())

    def walking(self) -> set[str]:
        """The executions that have been started, have not ended and are not parked."""
        with self._lock:
            answered = {execution for execution, waiting in self._parked.values() if waiting["event"].is_set()}
            parked = {execution for execution, _ in self._parked.values()} - answered
            return self._executions - parked
