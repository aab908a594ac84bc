"""The first pass of the refresh: how much everybody bought, as histograms. Called by count_purchases.

The quintiles are exact, and no memory grows with the base: what is ranked has three significant digits, so a histogram
has at most 900 values for each power of ten, and adding up two of them loses nothing. 100 million customers with sums
from 1 to 10 million are 6,300 counters; sorting them would be 800 MB.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from waypost.bulk.pages import Page
from waypost.bulk.run_slice import Remaining, SliceRunner, SliceWork
from waypost.bulk.state import SliceStates
from waypost.codec import JsonForm
from waypost.files.folders import REFRESH_WORK
from waypost.files.ports import Files
from waypost.metrics.measuring import Measurer
from waypost.metrics.refresh import CONTACTS_PER_INVOCATION, RefreshSlice
from waypost.segments.ports import ProfileScan, Stored
from waypost.segments.reads import Reads
from waypost.segments.scores import MEASURES, Measure

RUNNER: Final = SliceRunner(items_per_invocation=CONTACTS_PER_INVOCATION, items_per_checkpoint=1_000)
"""Reading the histories of a thousand customers takes seconds; storing a checkpoint takes milliseconds."""

Histograms = dict[Measure, Counter[float]]


@dataclass(slots=True)
class Purchased(JsonForm):
    """How many of the customers of a slice have each value of each measure."""

    histograms: Histograms = field(default_factory=lambda: {measure: Counter() for measure in MEASURES})

    @property
    def customers(self) -> int:
        """Contacts who bought something."""
        return self.histograms["frequency"].total()

    def merge(self, other: Self) -> None:
        """Add what another slice counted."""
        for measure, histogram in self.histograms.items():
            histogram.update(other.histograms[measure])

    def to_dict(self) -> dict[str, Any]:
        """The stored form: JSON has no numbers as keys."""
        return {measure: sorted(histogram.items()) for measure, histogram in self.histograms.items()}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of ``to_dict``."""
        return cls({measure: Counter(dict(value[measure])) for measure in MEASURES})


@dataclass(frozen=True, slots=True, kw_only=True)
class CountPurchases:
    """Counts the purchases of one slice."""

    scan: ProfileScan
    measurer: Measurer
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
        rfm = self._measurer.declaration.rfm
        self._asked = Reads(history=True, events=frozenset([] if rfm is None else [rfm.event]))
        self._view = self._scan.viewer(self._asked, now=slice_.at, default_zone=self._measurer.default_zone)

    def pages(self, after: str | None) -> Iterator[Page[Stored]]:
        """See SliceWork."""
        return self._scan.stored(self._slice.slice, self._slice.of, reads=self._asked, after=after)

    def take(self, found: Purchased, page: Page[Stored]) -> None:
        """See SliceWork."""
        purchases = [self._measurer.purchases(self._view(each), self._scan.partitions_of(each)) for each in page]
        for bought in purchases:
            if bought is not None:
                for measure in MEASURES:
                    found.histograms[measure][bought.ranked(measure)] += 1
