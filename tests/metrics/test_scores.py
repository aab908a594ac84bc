"""The arithmetic of metrics, by hand-checked examples and by what must hold for every history."""

import json
import math
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.metrics.count_purchases import Purchased
from waypost.segments.scores import (
    CLASSES,
    MEASURES,
    Purchases,
    ScoreRule,
    boundaries,
    class_of,
    purchases,
    score,
    significant,
)

NOW = datetime(2027, 3, 1, 2, tzinfo=UTC)
RULE = ScoreRule({"order_placed": 10, "logged_in": 1}, half_life=timedelta(days=14), window=timedelta(days=90))


def happened(kind: str, *, days: float = 0, **properties: Any) -> tuple[str, datetime, Mapping[str, Any]]:
    """An event so many days ago."""
    return kind, NOW - timedelta(days=days), properties


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], 0.0),
        ([happened("order_placed")], 10.0),
        ([happened("order_placed", days=14)], 5.0),
        ([happened("order_placed", days=28)], 2.5),
        ([happened("order_placed", days=14), happened("logged_in", days=14)], 5.5),
        ([happened("page_viewed")], 0.0),
        ([happened("order_placed", days=7)], 7.1),  # 10 / √2 = 7.07…
        ([happened("order_placed", days=90)], 0.1),  # the window's first instant: 10 / 2^(90/14) = 0.116…
        ([happened("order_placed", days=90.001)], 0.0),
        ([happened("order_placed", days=-1)], 0.0),
    ],
)
def test_a_score_is_what_the_events_are_worth_today(events: list[Any], expected: float) -> None:
    assert score(events, RULE, now=NOW) == expected


histories = st.lists(
    st.tuples(st.sampled_from(["order_placed", "logged_in", "page_viewed"]), st.floats(0, 120)), max_size=30
).map(lambda events: [happened(kind, days=days) for kind, days in events])


@given(histories, st.randoms(use_true_random=False))
def test_the_order_in_which_events_arrive_does_not_matter(events: list[Any], chance: Any) -> None:
    shuffled = list(events)
    chance.shuffle(shuffled)
    assert score(shuffled, RULE, now=NOW) == score(events, RULE, now=NOW)
    assert purchases(shuffled, event="order_placed", value="total", window=None, now=NOW) == purchases(
        events, event="order_placed", value="total", window=None, now=NOW
    )


@given(histories, st.floats(0, 60))
def test_a_score_only_fades_while_nothing_happens(events: list[Any], days: float) -> None:
    assert score(events, RULE, now=NOW + timedelta(days=days)) <= score(events, RULE, now=NOW)


@given(histories, st.floats(0, 80))
def test_a_late_event_counts_as_if_it_had_come_in_time(events: list[Any], days: float) -> None:
    late = happened("order_placed", days=days)
    worth = 10 * 2 ** -(days / 14)
    assert score([*events, late], RULE, now=NOW) == pytest.approx(score(events, RULE, now=NOW) + worth, abs=0.101)


@given(histories)
def test_after_one_half_life_half_of_it_is_left(events: list[Any]) -> None:
    for_ever = ScoreRule(RULE.weights, RULE.half_life, timedelta(days=3650))
    then = score(events, for_ever, now=NOW + RULE.half_life)
    assert then == pytest.approx(score(events, for_ever, now=NOW) / 2, abs=0.101)


def test_purchases_are_days_times_and_money() -> None:
    orders = [
        happened("order_placed", days=3.5, total=100),
        happened("order_placed", days=40, total=59.9),
        happened("order_placed", days=400, total=1000),
        happened("order_placed", days=-1, total=7),
        happened("refund_asked", days=1, total=100),
    ]
    year = timedelta(days=365)
    assert purchases(orders, event="order_placed", value="total", window=year, now=NOW) == Purchases(3, 2, 159.9)
    assert purchases(orders, event="order_placed", value="total", window=None, now=NOW) == Purchases(3, 3, 1159.9)


def test_a_contact_who_bought_nothing_has_no_purchases() -> None:
    assert purchases([happened("logged_in")], event="order_placed", value="total", window=None, now=NOW) is None
    old = [happened("order_placed", days=366, total=10)]
    assert purchases(old, event="order_placed", value="total", window=timedelta(days=365), now=NOW) is None


@pytest.mark.parametrize("total", [None, "100", True, math.nan, math.inf, {"amount": 5}])
def test_an_order_without_an_amount_counts_as_one_of_nothing(total: Any) -> None:
    bought = purchases(
        [happened("order_placed", total=total)], event="order_placed", value="total", window=None, now=NOW
    )
    assert bought == Purchases(0, 1, 0.0)


def test_ten_different_values_are_two_in_each_fifth() -> None:
    begins = boundaries(dict.fromkeys([float(value) for value in range(1, 11)], 1))
    assert list(begins) == [3, 5, 7, 9]
    assert [class_of(value, begins) for value in range(1, 11)] == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


def test_equal_values_share_the_lowest_class_they_could_be_in() -> None:
    begins = boundaries({1.0: 70, 2.0: 20, 3.0: 10})  # 70 below 2, 90 below 3
    assert list(begins) == [2, 2, 2, 3]
    assert [class_of(value, begins) for value in (1, 2, 3)] == [1, 4, 5]


def test_a_base_in_which_all_are_equal_has_one_class() -> None:
    assert list(boundaries({5.0: 1000})) == []
    assert class_of(5.0, ()) == 1
    assert list(boundaries({})) == []


counted = st.dictionaries(st.integers(-500, 500).map(float), st.integers(1, 40), min_size=1, max_size=60)


@given(counted)
def test_a_class_begins_where_enough_contacts_are_below(histogram: dict[float, int]) -> None:
    everybody = sorted(value for value, count in histogram.items() for _ in range(count))
    begins = boundaries(histogram)
    for value in histogram:
        below = sum(other < value for other in everybody)
        assert class_of(value, begins) == 1 + below * CLASSES // len(everybody)


@given(counted)
def test_more_is_never_ranked_lower(histogram: dict[float, int]) -> None:
    begins = boundaries(histogram)
    classes = [class_of(value, begins) for value in sorted(histogram)]
    assert classes == sorted(classes)
    assert set(classes) <= set(range(1, CLASSES + 1))


@given(st.lists(counted, max_size=5), st.randoms(use_true_random=False))
def test_slices_add_up_to_the_base_in_any_order(slices: list[dict[float, int]], chance: Any) -> None:
    shuffled = list(slices)
    chance.shuffle(shuffled)
    total = added_up(shuffled)
    assert total == added_up(slices)
    assert total.customers == sum(count for each in slices for count in each.values())


def added_up(slices: list[dict[float, int]]) -> Purchased:
    """Slices put together, each as it is read again."""
    total = Purchased()
    for histogram in slices:
        purchased = Purchased({measure: Counter(histogram) for measure in MEASURES})
        total.merge(Purchased.from_dict(json.loads(json.dumps(purchased.to_dict()))))
    return total


def test_three_digits_count() -> None:
    assert [significant(value) for value in (0, 7, 999, 1234.5, 0.12345, -1234.5)] == [0, 7, 999, 1230, 0.123, -1230]


@given(st.floats(0.01, 1e9), st.floats(0.01, 1e9))
def test_rounding_keeps_the_order(left: float, right: float) -> None:
    assert significant(min(left, right)) <= significant(max(left, right))


def test_recency_is_ranked_backwards() -> None:
    assert Purchases(3, 1, 1).ranked("recency") > Purchases(4, 1, 1).ranked("recency")
