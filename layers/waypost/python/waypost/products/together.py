"""How often products were bought in one order, as a summary that never outgrows its bound. Used by the nightly count.

Exact while there are at most ``MOST_PAIRS`` different pairs. Beyond that the rare ones go: the count of the first pair that does not
fit is taken from all, and what is then nothing is dropped. No count is ever too large, and none too small by more than ``short``,
which is at most all counted pairs divided by ``MOST_PAIRS``. Two summaries add up to one with the same promise.
Source: Misra and Gries, "Finding repeated elements" (1982); Agarwal et al., "Mergeable summaries" (PODS 2012), section 3.1.
"""

import heapq
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, Final, Self

from waypost.codec import JsonForm

MOST_PAIRS: Final = 250_000
"""Pairs of a summary: 6 MB as JSON, 40 MB in memory."""
MOST_IN_ORDER: Final = 40
"""Products of an order that are counted: 780 pairs. A reseller's order of a thousand lines says little of what goes together."""
_SLACK: Final = 2
"""So many times the bound may be reached before it is cut, so that a cut is paid for by as many pairs."""


@dataclass(slots=True)
class Together(JsonForm):
    """Counts by pair, under the smaller id, and in how many orders each product was."""

    pairs: dict[str, dict[str, int]] = field(default_factory=dict)
    sold: Counter[str] = field(default_factory=Counter)
    short: int = 0
    _size: int = 0

    def add(self, order: Sequence[str], known: Collection[str], *, times: int = 1, most: int = MOST_PAIRS) -> None:
        """Count the products of an order that was placed so many ``times``, as far as they are ``known``; each once."""
        bought = sorted([id_ for id_ in dict.fromkeys(order) if id_ in known][:MOST_IN_ORDER])
        self.sold.update(dict.fromkeys(bought, times))
        for one, other in combinations(bought, 2):
            self._count(one, other, times)
        if self._size > _SLACK * most:
            self.cut(most)

    def merge(self, other: Self, *, most: int = MOST_PAIRS) -> None:
        """Add what another slice counted."""
        self.sold.update(other.sold)
        self.short += other.short
        for one, others in other.pairs.items():
            for another, times in others.items():
                self._count(one, another, times)
        if self._size > _SLACK * most:
            self.cut(most)

    def cut(self, most: int = MOST_PAIRS) -> None:
        """Keep at most so many pairs."""
        if self._size <= most:
            return
        counts = [times for others in self.pairs.values() for times in others.values()]
        less = heapq.nlargest(most + 1, counts)[-1]
        left = {
            one: kept
            for one, others in self.pairs.items()
            if (kept := {another: times - less for another, times in others.items() if times > less})
        }
        self.pairs, self._size, self.short = left, sum(map(len, left.values())), self.short + less

    def _count(self, one: str, other: str, times: int) -> None:
        others = self.pairs.setdefault(one, {})
        self._size += other not in others
        others[other] = others.get(other, 0) + times

    def partners(self) -> dict[str, list[tuple[str, int]]]:
        """Of each product those that were in orders with it, and in how many."""
        found: dict[str, list[tuple[str, int]]] = {}
        for one, others in self.pairs.items():
            for other, times in others.items():
                found.setdefault(one, []).append((other, times))
                found.setdefault(other, []).append((one, times))
        return found

    def to_dict(self) -> dict[str, Any]:
        """The stored form, cut to the bound."""
        self.cut()
        return {"pairs": self.pairs, "sold": dict(self.sold), "short": self.short}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of ``to_dict``."""
        pairs = {one: dict(others) for one, others in value["pairs"].items()}
        return cls(pairs, Counter(value["sold"]), value["short"], sum(map(len, pairs.values())))
