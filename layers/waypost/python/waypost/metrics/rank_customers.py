"""Where the fifths of the base begin, for all slices together. Called by rank_customers, between the passes of the refresh."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from waypost.files.ports import Files
from waypost.metrics.count_purchases import counted
from waypost.segments.scores import boundaries


@dataclass(frozen=True, slots=True, kw_only=True)
class RankCustomers:
    """Adds up what all slices have counted."""

    files: Files

    def rank(self, payload: Mapping[str, Any]) -> dict[str, list[float]]:
        """``{run, of}`` → where the classes 2 to 5 of each measure begin; empty without any customer.

        Raises InvalidInput when one of the ``of`` slices is not counted to its end.
        """
        total = counted(self.files, payload["run"]).gathered(payload["of"]).found
        return {measure: list(boundaries(histogram)) for measure, histogram in total.histograms.items()}
