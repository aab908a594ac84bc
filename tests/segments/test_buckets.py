"""Random parts of everybody: even, repeatable, independent, and stable when the base grows."""

from collections import Counter

import pytest

from tests.segments.people import selects, subject
from waypost.segments.buckets import bucket, sample
from waypost.segments.compile import compile_rule

PEOPLE = [f"c-{number}" for number in range(20_000)]


def chi_square(counts: Counter[int], buckets: int, total: int) -> float:
    expected = total / buckets
    return sum((counts[each] - expected) ** 2 / expected for each in range(buckets))


@pytest.mark.parametrize("salt", ["", "spring", "对照组", "x" * 500])
@pytest.mark.parametrize(("buckets", "critical"), [(2, 10.83), (10, 27.88), (100, 148.2)])
def test_buckets_are_equally_full(salt: str, buckets: int, critical: float) -> None:
    """Chi-square against the 99.9 % quantile for buckets - 1 degrees of freedom."""
    counts = Counter(bucket(each, salt, buckets) for each in PEOPLE)
    assert chi_square(counts, buckets, len(PEOPLE)) < critical


def test_ids_that_differ_little_are_spread_too() -> None:
    counts = Counter(bucket(f"{number:032x}", "spring", 10) for number in range(20_000))
    assert chi_square(counts, 10, 20_000) < 27.88


def test_two_salts_are_independent() -> None:
    pairs = Counter((bucket(each, "a", 4), bucket(each, "b", 4)) for each in PEOPLE)
    expected = len(PEOPLE) / 16
    assert sum((pairs[i, j] - expected) ** 2 / expected for i in range(4) for j in range(4)) < 37.7


def test_a_bucket_never_changes() -> None:
    """What was drawn once must stay: these figures may never be edited."""
    assert [bucket("c-1", "spring"), bucket("c-2", "spring"), bucket("c-1", "autumn")] == [9033, 9118, 490]
    assert sample(["c-1", "c-2", "c-3", "c-4", "c-5"], 3, "spring") == ["c-3", "c-4", "c-1"]


def test_parts_of_the_rule_language_share_out_everybody() -> None:
    for contact in PEOPLE[:500]:
        halves = [
            selects({"bucket": {"salt": "t", "from": start, "to": start + 50}}, contact_id=contact) for start in (0, 50)
        ]
        assert sorted(halves) == [False, True]
        held = selects({"holdout": {"salt": "t", "percent": 10}}, contact_id=contact)
        assert held is selects({"bucket": {"salt": "t", "from": 0, "to": 10}}, contact_id=contact)
    assert not selects({"holdout": {"salt": "t", "percent": 0}}, contact_id="c-1")
    assert selects({"holdout": {"salt": "t", "percent": 100}}, contact_id="c-1")


def test_a_percentage_has_two_decimals() -> None:
    held = compile_rule({"holdout": {"salt": "t", "percent": 0.25}})
    share = sum(held(subject(contact_id=each)) for each in PEOPLE)
    assert 20 <= share <= 80


def test_a_sample_grows_with_its_size_and_hardly_changes_with_the_base() -> None:
    small, large = sample(PEOPLE, 100, "trial"), sample(PEOPLE, 200, "trial")
    assert large[:100] == small
    assert len(set(small)) == 100
    grown = sample([*PEOPLE, *(f"new-{number}" for number in range(200))], 100, "trial")
    assert len(set(grown) & set(small)) >= 95
    assert [each for each in grown if each in set(small)] == [each for each in small if each in set(grown)]
    assert sample(reversed(PEOPLE), 100, "trial") == small
    assert sample(["b", "a"], 5, "trial") == sample(["a", "b"], 5, "trial")
    assert sample([], 5, "trial") == []
