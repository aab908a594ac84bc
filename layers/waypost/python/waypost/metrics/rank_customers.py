"""The first pass of the refresh: how much everybody bought, counted, and where the fifths of the base begin.

Called by measure_contacts (one slice) and rank_contacts (all slices together).

The quintiles are exact, and no memory grows with the base: what is ranked has three significant digits, so a histogram
has at most 900 values for each power of ten, and adding up two of them loses nothing. 100 million customers with sums
from 1 to 10 million are 6,300 counters; sorting them would be 800 MB.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from waypost.metrics.measuring import Measurer
from waypost.metrics.ports import WorkFiles
from waypost.metrics.slices import CONTACTS_PER_CALL, SlicePart
from waypost.segments.ports import ProfileScan
from waypost.segments.reads import Reads
from waypost.segments.scores import MEASURES, boundaries, merged

FOLDER: Final = "work/refresh-contacts"


@dataclass(frozen=True, slots=True, kw_only=True)
class CountPurchases:
    """Counts the purchases of one slice, a part at a time."""

    scan: ProfileScan
    measurer: Measurer
    files: WorkFiles
    most: int = CONTACTS_PER_CALL

    def count(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Count the next part of the slice; the same part again replaces the same file."""
        part = SlicePart.from_dict(payload)
        rfm = self.measurer.declaration.rfm
        asked = Reads(history=True, events=frozenset([] if rfm is None else [rfm.event]))
        view = self.scan.viewer(asked, now=part.at, default_zone=self.measurer.default_zone)
        histograms: dict[str, Counter[float]] = {measure: Counter() for measure in MEASURES}
        contacts, after = 0, part.after
        for page in self.scan.stored(part.segment, part.total, reads=asked, after=part.after):
            for stored in page:
                bought = self.measurer.purchases(view(stored), self.scan.partitions_of(stored))
                if bought is not None:
                    for measure in MEASURES:
                        histograms[measure][bought.ranked(measure)] += 1
            contacts, after = contacts + len(page), page.after
            if contacts >= self.most:
                break
        if buyers := histograms["frequency"].total():
            content = {measure: sorted(histogram.items()) for measure, histogram in histograms.items()}
            key = f"{FOLDER}/{part.run}/{part.segment:04d}-{part.part:06d}.json"
            self.files.write(key, json.dumps(content, separators=(",", ":")).encode())
        return part.further(after=after, counts=Counter(contacts=contacts, customers=buyers)).to_dict()


@dataclass(frozen=True, slots=True, kw_only=True)
class RankCustomers:
    """Adds up what all slices have counted."""

    files: WorkFiles

    def rank(self, payload: dict[str, Any]) -> dict[str, list[float]]:
        """Where the classes 2 to 5 of each measure begin, for the whole base of a ``run``; empty without any customer."""
        run = str(payload["run"])
        totals: dict[str, dict[float, int]] = {measure: {} for measure in MEASURES}
        for content in self._counted(run):
            for measure in MEASURES:
                totals[measure] = merged([totals[measure], dict(content[measure])])
        return {measure: list(boundaries(total)) for measure, total in totals.items()}

    def _counted(self, run: str) -> Iterator[dict[str, list[tuple[float, int]]]]:
        for file in self.files.listed(f"{FOLDER}/{run}/"):
            if content := self.files.read(file.key):
                yield json.loads(content)
