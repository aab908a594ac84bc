"""Counting in bounded memory, in parts that can be put together in any order. Used by the slices of an audience."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, Self

from waypost.codec import JsonForm

ROOM: Final = 1_000
"""Distinct values that are counted exactly; cities, tags and levels rarely have more."""

LONGEST_VALUE: Final = 60
"""Characters of a value: what is longer is no category, and would cost memory for nothing."""

_MODULUS: Final = 1 << 256


@dataclass(slots=True)
class TopCounter(JsonForm):
    """How often each value occurred: exact up to ``room`` different values, and the frequent ones beyond.

    ``lost`` bounds what a count may lack: ``counted <= true <= counted + lost``, and ``lost`` is at most the number of
    occurrences divided by ``room``. This is the summary of Misra and Gries, which may be merged in any order (Agarwal et
    al., "Mergeable Summaries", PODS 2012).
    """

    room: int = ROOM
    counts: dict[str, int] = field(default_factory=dict)
    lost: int = 0

    def add(self, value: str, times: int = 1) -> None:
        """Count a value."""
        value = value[:LONGEST_VALUE]
        self.counts[value] = self.counts.get(value, 0) + times
        if len(self.counts) > 2 * self.room:  # not at every new value: a cut is linear
            self._cut()

    def merge(self, other: Self) -> None:
        """Add the counts of another one."""
        for value, times in other.counts.items():
            self.counts[value] = self.counts.get(value, 0) + times
        self.lost += other.lost
        if len(self.counts) > self.room:
            self._cut()

    def _cut(self) -> None:
        """Subtract the count of the first value beyond ``room`` from all; drop those that reach zero."""
        excess = sorted(self.counts.values(), reverse=True)[self.room]
        self.counts = {value: times - excess for value, times in self.counts.items() if times > excess}
        self.lost += excess

    def to_dict(self) -> dict[str, Any]:
        """The stored form, with at most ``room`` values."""
        if len(self.counts) > self.room:
            self._cut()
        return {"counts": self.counts, "lost": self.lost}


@dataclass(slots=True)
class SetDigest(JsonForm):
    """A digest of a set of contact ids that does not depend on their order and adds up.

    The sum, modulo 2^256, of the SHA-256 of each id. A broadcast adds up the contacts it sent to, skipped and
    failed for; the three sums equal the audience's exactly when none is missing, added or counted twice.
    """

    contacts: int = 0
    total: int = 0

    def add(self, contact_id: str) -> None:
        """Add an id, which must be new."""
        self.contacts += 1
        self.total = (self.total + int.from_bytes(sha256(contact_id.encode()).digest(), "big")) % _MODULUS

    def merge(self, other: Self) -> None:
        """Add the ids of another one; the two must be disjoint."""
        self.contacts += other.contacts
        self.total = (self.total + other.total) % _MODULUS

    @property
    def text(self) -> str:
        """The digest in hexadecimal."""
        return f"{self.total:064x}"

    @classmethod
    def of(cls, contact_ids: Iterable[str]) -> Self:
        """The digest of these ids."""
        digest = cls()
        for contact_id in contact_ids:
            digest.add(contact_id)
        return digest

    def to_dict(self) -> dict[str, Any]:
        """The stored form."""
        return {"contacts": self.contacts, "digest": self.text}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of ``to_dict``."""
        return cls(value["contacts"], int(value["digest"], 16))
