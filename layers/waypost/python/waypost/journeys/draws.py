"""Draw the random branches of a contact and whether it belongs to a journey's hold-out. Called at entry, and by changes and checks.

A draw is a hash, so that a repeated entry, a retry and every machine come to the same. Nothing is random at run time.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from waypost.codec import JsonForm
from waypost.segments.buckets import bucket, position

Shares = Mapping[str, float]
"""Branch → its weight among the branches of the split; a weight of 0 closes the branch."""

_RANGE: Final = 2.0**64


@dataclass(frozen=True, slots=True)
class HoldOut(JsonForm):
    """The part of everybody that a journey sends nothing to: the rule ``holdout`` of the same ``salt`` selects the same people."""

    salt: str
    percent: float

    def has(self, contact_id: str) -> bool:
        """Whether the contact belongs to it. A larger percentage keeps everybody who belonged to it before."""
        return bucket(contact_id, self.salt) < round(self.percent * 100)


def branch_of(contact_id: str, journey: str, split: str, shares: Shares) -> str:
    """The branch that the contact takes at the split.

    Each branch has a clock that rings once, after an exponential time whose rate is its weight; the first one is taken. Changed
    weights then move as few contacts as any scheme without memory can: a branch that is added takes from the others and moves nobody
    between them, and one that grows gives nobody away. Source: Moulton and Jiang, "Maximally Consistent Sampling and the Jaccard
    Index of Probability Distributions", 2018.
    """

    def rings_at(branch: str) -> float:
        uniform = (position(contact_id, f"{journey}/{split}/{branch}") + 0.5) / _RANGE
        return -math.log(uniform) / shares[branch]

    return min((branch for branch, weight in shares.items() if weight > 0), key=rings_at)


def drawn(contact_id: str, journey: str, splits: Mapping[str, Shares]) -> dict[str, str]:
    """Split → the branch that the contact takes there; the draws of two splits are independent."""
    return {split: branch_of(contact_id, journey, split, shares) for split, shares in splits.items()}


def redrawn(contact_id: str, journey: str, splits: Mapping[str, Shares], before: Mapping[str, str]) -> dict[str, str]:
    """The branches of a contact that is in the journey when its splits change: it keeps those that there are still."""
    new = drawn(contact_id, journey, splits)
    kept = {split: branch for split, branch in before.items() if branch in splits.get(split, {})}
    return {**before, **new, **kept}
