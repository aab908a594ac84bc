"""How far each slice of a run has come, stored so that any later invocation resumes there. Used by the runner and by what gathers a run.

A checkpoint is a file of its own that is written once: of two invocations that work on the same slice at the same time,
one stores checkpoint n and the other learns that it lost. No cursor ever moves backwards, and nothing is counted twice.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, Self, TypeVar

from waypost.bulk.costs import RunCost
from waypost.codec import dump_fields, load_fields
from waypost.errors import InvalidInput
from waypost.files.ports import Files


class Findings(Protocol):
    """What one kind of run finds out, page by page: a dataclass with a JsonForm."""

    def merge(self, other: Self) -> None:
        """Add what another slice found; the order of the slices must not matter."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """The stored form."""
        ...

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of ``to_dict``."""
        ...


F = TypeVar("F", bound=Findings)


@dataclass(slots=True)
class SliceState(Generic[F]):
    """What a slice, or several together, have found so far, at which cursor they resume, and what that has cost.

    ``items`` were read, in pages that are each counted as a whole or not at all.
    """

    found: F
    after: str | None = None
    done: bool = False
    checkpoints: int = 0
    items: int = 0
    cost: RunCost = field(default_factory=RunCost)

    def merge(self, other: Self) -> None:
        """Add what another slice found."""
        self.found.merge(other.found)
        self.items += other.items
        self.cost.merge(other.cost)

    def to_dict(self) -> dict[str, Any]:
        """The stored form."""
        return dump_fields(self)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any], found: type[F]) -> Self:
        """The inverse of ``to_dict``, for a run that finds this."""
        return load_fields(cls, {**value, "found": found.from_dict(value["found"])})


@dataclass(frozen=True, slots=True)
class SliceStates(Generic[F]):
    """The states of all slices of one run: ``<folder><slice>/<checkpoint>.json`` in ``files``."""

    files: Files
    folder: str
    found: type[F]

    def find(self, slice_: int) -> SliceState[F] | None:
        """The last checkpoint of a slice; None before its first one."""
        last = None
        for last in self.files.listed(self._folder(slice_)):  # noqa: B007 - the last one is wanted
            pass
        stored = self.files.read(last.key) if last else None
        if stored is None:
            return None
        return SliceState.from_dict(json.loads(stored), self.found)

    def store(self, slice_: int, state: SliceState[F]) -> bool:
        """Store the next checkpoint; False when another invocation has stored it before."""
        content = json.dumps(state.to_dict(), ensure_ascii=False, separators=(",", ":")).encode()
        return self.files.write_once(f"{self._folder(slice_)}{state.checkpoints:06d}.json", content)

    def finished(self, slices: int) -> Iterator[SliceState[F]]:
        """The state of each slice, one at a time. Raises InvalidInput when one is not done."""
        for slice_ in range(slices):
            state = self.find(slice_)
            if state is None or not state.done:
                raise InvalidInput("run", f"slice {slice_} of {self.folder} is not finished; redrive the execution")
            yield state

    def gathered(self, slices: int) -> SliceState[F]:
        """All slices as one. Raises InvalidInput when one is not done. Memory holds one slice and the sum."""
        return merged(self.finished(slices))

    def _folder(self, slice_: int) -> str:
        return f"{self.folder}{slice_:05d}/"


def merged(states: Iterator[SliceState[F]]) -> SliceState[F]:
    """Several slices, at least one, as one."""
    whole = next(states)
    for state in states:
        whole.merge(state)
    return whole
