"""Remembers what MiniStack's stores hold, and brings it back. Used by the emulator process, for tests that share one cloud."""

# ruff: noqa: SLF001 -- this file works inside MiniStack on purpose; the version is pinned

import copy
import sys
from collections.abc import Iterator
from typing import Any

from ministack.core.responses import AccountRegionScopedDict, AccountScopedDict
from ministack.services import stepfunctions

_SERVICES = "ministack.services."


class RememberedState:
    """A copy of every store of every service; empty until ``remember`` is called."""

    def __init__(self) -> None:
        self._copy: dict[int, dict[Any, Any]] = {}

    def remember(self) -> int:
        """Copy the stores as they are now; the number of their entries.

        Nothing may be under way, not even an execution that waits for a task token: its thread cannot be kept.
        """
        stores = {id(store): store._data for store in _stores()}
        self._copy = copy.deepcopy(stores)
        return sum(map(len, stores.values()))

    def bring_back(self) -> None:
        """Put the copy back into every store; a store that was empty is emptied. Raises LookupError without a copy."""
        if not self._copy:
            raise LookupError("there is no state to bring back")
        again = copy.deepcopy(self._copy)
        for store in _stores():
            store._data.clear()
            store._data.update(again.get(id(store), {}))


def abandon_waiting_tasks() -> int:
    """Fail every task that waits for a token, so that its thread ends; the number of them."""
    waiting = [each for each in stepfunctions._task_tokens._data.values() if not each["event"].is_set()]
    for each in waiting:
        each["error"] = {"Error": "Abandoned", "Cause": "the embedded cloud is reset"}
        each["event"].set()
    return len(waiting)


def _stores() -> Iterator[Any]:
    """The stores of all services that are loaded, each once: some services share one."""
    seen: set[int] = set()
    for name, module in list(sys.modules.items()):
        if name.startswith(_SERVICES):
            for value in vars(module).values():
                if isinstance(value, (AccountScopedDict, AccountRegionScopedDict)) and id(value) not in seen:
                    seen.add(id(value))
                    yield value
