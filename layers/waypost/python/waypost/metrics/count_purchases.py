"""The first pass of the refresh: how much everybody bought, as histograms, and which products in one order. Called by count_purchases.

The quintiles are exact, and no memory grows with the base: what is ranked has three significant digits, so a histogram
has at most 900 values for each power of ten, and adding up two of them loses nothing. 100 million customers with sums
from 1 to 10 million are 6,300 counters; sorting them would be 800 MB.
What was ordered together is a summary with a bound of its own (``waypost.products.together``). Both come from one read of a
contact's orders.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Self

from waypost.bulk.pages import Page
from waypost.bulk.run_slice import Remaining, SliceRunner, SliceWork
from waypost.bulk.state import SliceStates
from waypost.codec import JsonForm
from waypost.files.folders import REFRESH_WORK
from waypost.files.ports import Files
from waypost.metrics.measuring import Measurer
from waypost.metrics.refresh import CONTACTS_PER_INVOCATION, RefreshSlice
from waypost.products.catalogue import Catalogue
from waypost.products.purchases import BOUGHT_WITH, products_in
from waypost.products.together import Together
from waypost.segments.ports import ProfileScan, Stored
from waypost.segments.reads import Reads
from waypost.segments.scores import MEASURES, Measure
from waypost.segments.subject import History

RUNNER: Final = SliceRunner(items_per_invocation=CONTACTS_PER_INVOCATION, items_per_checkpoint=1_000)
"""Reading the histories of a thousand customers takes seconds; storing a checkpoint takes milliseconds."""

Histograms = dict[Measure, Counter[float]]


@dataclass(slots=True)
class Purchased(JsonForm):
    """How many of the customers of a slice have each value of each measure, and what they ordered together."""

    histograms: Histograms = field(default_factory=lambda: {measure: Counter() for measure in MEASURES})
    together: Together = field(default_factory=Together)

    @property
    def customers(self) -> int:
        """Contacts who bought something."""
        return self.histograms["frequency"].total()

    def merge(self, other: Self) -> None:
        """Add what another slice counted."""
        for measure, histogram in self.histograms.items():
            histogram.update(other.histograms[measure])
        self.together.merge(other.together)

    def to_dict(self) -> dict[str, Any]:
        """The stored form: JSON has no numbers as keys."""
        stored: dict[str, Any] = {name: sorted(histogram.items()) for name, histogram in self.histograms.items()}
        return {**stored, "together": self.together.to_dict()}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of ``to_dict``."""
        histograms = {measure: Counter(dict(value[measure])) for measure in MEASURES}
        return cls(histograms, Together.from_dict(value["together"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class CountPurchases:
    """Counts the purchases of one slice."""

    scan: ProfileScan
    measurer: Measurer
    catalogue: Callable[[], Catalogue]
    files: Files
    runner: SliceRunner = RUNNER

    def count(self, payload: Mapping[str, Any], *, remaining: Remaining) -> dict[str, Any]:
        """``{run, at, refresh, slice, of}`` → the same with ``done`` and ``counts``. Raises RetryableError."""
        slice_ = RefreshSlice.from_dict(payload)
        states = counted(self.files, slice_.run)
        state = self.runner.resume(states, slice_.slice, _CountWork(self, slice_), new=Purchased, remaining=remaining)
        counts = {"contacts": state.items, "customers": state.found.customers}
        return {**slice_.to_dict(), "done": state.done, "counts": counts}


def counted(files: Files, run: str) -> SliceStates[Purchased]:
    """The states of the slices of the first pass."""
    return SliceStates(files, f"{REFRESH_WORK}{run}/counted/", Purchased)


class _CountWork(SliceWork[Purchased, Stored]):
    """The first pass; all it writes is the state."""

    def __init__(self, counter: CountPurchases, slice_: RefreshSlice) -> None:
        self._scan, self._measurer, self._slice = counter.scan, counter.measurer, slice_
        self._catalogue = counter.catalogue()
        self._windows = _windows(self._measurer, self._catalogue)
        self._asked = Reads(history=True, events=frozenset(self._windows))
        self._view = self._scan.viewer(self._asked, now=slice_.at, default_zone=self._measurer.default_zone)

    def pages(self, after: str | None) -> Iterator[Page[Stored]]:
        """See SliceWork."""
        return self._scan.stored(self._slice.slice, self._slice.of, reads=self._asked, after=after)

    def take(self, found: Purchased, page: Page[Stored]) -> None:
        """See SliceWork."""
        histories = [
            self._measurer.history(
                self._view(each).seen, self._scan.partitions_of(each), self._windows, now=self._slice.at
            )
            for each in page
        ]
        for history in histories:
            bought = self._measurer.purchases(history, now=self._slice.at)
            if bought is not None:
                for measure in MEASURES:
                    found.histograms[measure][bought.ranked(measure)] += 1
            self._count_together(found.together, history)

    def _count_together(self, together: Together, history: History) -> None:
        if self._catalogue.counting is None:
            return
        for kind, at, properties in history:
            if kind in BOUGHT_WITH and timedelta() <= self._slice.at - at <= self._catalogue.counting.window:
                together.add(products_in(properties), self._catalogue.products)


def _windows(measurer: Measurer, catalogue: Catalogue) -> dict[str, timedelta | None]:
    """The events that are counted and how far back; None: to the first."""
    rfm, found = measurer.declaration.rfm, dict[str, timedelta | None]()
    if catalogue.counting is not None:
        found |= dict.fromkeys(BOUGHT_WITH, catalogue.counting.window)
    if rfm is not None:
        known = found.get(rfm.event, timedelta())
        found[rfm.event] = None if rfm.window is None or known is None else max(known, rfm.window)
    return found
