"""K-means by scikit-learn: scaled features, the number of clusters by silhouette. The only module that needs the extra."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score
from threadpoolctl import threadpool_limits

from personas.ports import Bounds
from waypost.errors import InvalidInput

STARTS: Final = 10
"""Times k-means starts from other centres; the best end counts."""

JUDGED: Final = 5_000
"""Rows a silhouette is computed from: its cost grows with their square."""

FURTHEST: Final = 4.0
"""Standard deviations at which a value is as far away as can be: one big spender is no persona."""


@dataclass(frozen=True)
class KMeansGrouping:
    """Centres and the scale in which they are."""

    centres: Sequence[Sequence[float]]
    silhouettes: dict[int, float]
    mean: Any
    spread: Any

    def assign(self, rows: Sequence[Sequence[float]]) -> list[int]:
        """See Grouping: the nearest centre."""
        scaled = _scaled(np.asarray(rows, dtype=float), self.mean, self.spread)
        distances = ((scaled[:, None, :] - np.asarray(self.centres)[None, :, :]) ** 2).sum(axis=2)
        return [int(nearest) for nearest in distances.argmin(axis=1)]


class KMeansGrouper:
    """See Grouper. Seeded and on one thread, so that the same rows give the same clusters."""

    def group(self, rows: Sequence[Sequence[float]], bounds: Bounds) -> KMeansGrouping:
        """See Grouper."""
        matrix = np.asarray(rows, dtype=float)
        mean, spread = matrix.mean(axis=0), matrix.std(axis=0)
        if not spread.any():
            raise InvalidInput("contacts", "are all alike in every feature; there are no personas in them")
        scaled = _scaled(matrix, mean, spread)
        different = len(np.unique(scaled, axis=0))
        tried: dict[int, tuple[float, Any]] = {}
        with threadpool_limits(limits=1):
            for clusters in range(bounds.fewest, min(bounds.most, different - 1) + 1):
                model = KMeans(n_clusters=clusters, n_init=STARTS, random_state=bounds.seed).fit(scaled)
                sample = min(JUDGED, len(scaled))
                score = silhouette_score(scaled, model.labels_, sample_size=sample, random_state=bounds.seed)
                tried[clusters] = (float(score), model)
        if not tried:
            raise InvalidInput("contacts", f"are of {different} kinds only; {bounds.fewest} personas need more")
        _, model = max(tried.items(), key=lambda item: (item[1][0], -item[0]))[1]
        sizes = np.bincount(model.labels_, minlength=model.n_clusters)
        order = sorted(
            range(model.n_clusters), key=lambda cluster: (-sizes[cluster], tuple(model.cluster_centers_[cluster]))
        )
        centres = [[float(value) for value in model.cluster_centers_[cluster]] for cluster in order]
        return KMeansGrouping(centres, {clusters: score for clusters, (score, _) in tried.items()}, mean, spread)


def _scaled(matrix: Any, mean: Any, spread: Any) -> Any:
    """In standard deviations; a feature in which all are alike is zero."""
    return np.clip((matrix - mean) / np.where(spread == 0, 1, spread), -FURTHEST, FURTHEST)
