"""Files whose writes can be made to fail, one by one. Used by the tests of bulk runs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

from tests.fakes.effects import Effects
from tests.fakes.files import FakeFiles

R = TypeVar("R")


class CrashingFiles(FakeFiles):
    """Each write is an effect of ``effects``: the invocation dies before or after it, or never learns that it was done.

    ``interrupts`` holds what happens elsewhere right before the write of that index.
    """

    def __init__(self, effects: Effects) -> None:
        super().__init__()
        self.effects = effects
        self.interrupts: dict[int, Callable[[], object]] = {}

    def write(self, key: str, content: bytes) -> None:
        """See Files."""
        self._write("write", partial(super().write, key, content))

    def write_once(self, key: str, content: bytes) -> bool:
        """See Files."""
        return self._write("write_once", partial(super().write_once, key, content))

    @contextmanager
    def writer(self, key: str, *, content_type: str = "") -> Iterator[Any]:
        """See Files."""
        self.folders.check_write(key)
        with FakeFiles().writer(key) as content:
            yield content
        self._write("writer", partial(super().write, key, bytes(content)))

    def _write(self, name: str, write: Callable[[], R]) -> R:
        if interrupt := self.interrupts.pop(len(self.effects.log), None):
            interrupt()
        return self.effects.run(name, write, None, None)
