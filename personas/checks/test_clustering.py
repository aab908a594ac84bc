"""The grouping by scikit-learn. Run by ``make personas``, in an environment that has the extra; ``make test`` does without."""

# ruff: noqa: S101, INP001

import random

import pytest

from personas.clustering import KMeansGrouper
from personas.ports import Bounds
from waypost.errors import InvalidInput

CENTRES = [(0, 0, 0), (10, 0, 5), (0, 10, 5), (10, 10, 0)]


def rows(count: int = 400, *, width: float = 1.0) -> list[list[float]]:
    """Rows around four centres, in turn."""
    chance = random.Random(7)  # noqa: S311 - a test repeats itself
    return [[place + chance.gauss(0, width) for place in CENTRES[number % 4]] for number in range(count)]


def test_as_many_groups_are_found_as_there_are() -> None:
    grouping = KMeansGrouper().group(rows(), Bounds(2, 8))
    assert len(grouping.centres) == 4
    assert max(grouping.silhouettes, key=lambda clusters: grouping.silhouettes[clusters]) == 4
    found = grouping.assign(rows())
    assert {tuple(found[start::4]) for start in range(4)} == {(group,) * 100 for group in range(4)}


def test_the_same_rows_and_seed_give_the_same_groups() -> None:
    first, second = (KMeansGrouper().group(rows(width=4), Bounds()) for _ in range(2))
    assert first.centres == second.centres
    assert first.silhouettes == second.silhouettes


def test_the_largest_group_comes_first() -> None:
    uneven = rows()[:40] + [row for number, row in enumerate(rows()) if number % 4 == 3]
    grouping = KMeansGrouper().group(uneven, Bounds())
    assert grouping.assign([[10.0, 10.0, 0.0]]) == [0]


def test_groups_stay_within_the_bounds() -> None:
    assert set(KMeansGrouper().group(rows(), Bounds(5, 6)).silhouettes) == {5, 6}


def test_one_that_is_far_from_all_is_no_group_of_its_own() -> None:
    grouping = KMeansGrouper().group([*rows(), [1e9, 0.0, 0.0]], Bounds(2, 8))
    assert min(grouping.assign(rows()).count(group) for group in set(grouping.assign(rows()))) > 50


def test_a_feature_in_which_all_are_alike_does_no_harm() -> None:
    assert len(KMeansGrouper().group([[*row, 5.0] for row in rows()], Bounds(2, 8)).centres) == 4


def test_what_nothing_tells_apart_is_refused() -> None:
    with pytest.raises(InvalidInput, match="alike in every feature"):
        KMeansGrouper().group([[1.0, 2.0]] * 100, Bounds())
    with pytest.raises(InvalidInput, match="are of 2 kinds only"):
        KMeansGrouper().group([[1.0], [2.0]] * 50, Bounds())
