"""A name for each cluster, from what sets it apart most. Used by the run."""

from collections.abc import Sequence
from typing import Final

from personas.features import Feature

CLEARLY: Final = 0.5
"""Standard deviations from everybody's mean at which a cluster is different."""

MOST_WORDS: Final = 3
ORDINARY: Final = "like everybody"


def names_of(centres: Sequence[Sequence[float]], features: Sequence[Feature]) -> list[str]:
    """A name for each centre (in standard deviations), no two the same.

    The one or two features that differ most; a third, or a number, where that would name two clusters alike.
    """
    described = [_described(centre, features) for centre in centres]
    for words in range(2, MOST_WORDS + 1):
        names = [", ".join(description[:words]) or ORDINARY for description in described]
        if len(set(names)) == len(names):
            return names
    taken: dict[str, int] = {}
    numbered = []
    for name in names:
        taken[name] = taken.get(name, 0) + 1
        numbered.append(name if taken[name] == 1 else f"{name} ({taken[name]})")
    return numbered


def _described(centre: Sequence[float], features: Sequence[Feature]) -> list[str]:
    """The words for what differs, the clearest first."""
    far = sorted(zip(centre, features, strict=True), key=lambda each: (-abs(each[0]), each[1].name))
    words = [feature.much if distance > 0 else feature.little for distance, feature in far if abs(distance) >= CLEARLY]
    return list(dict.fromkeys(word for word in words if word))
