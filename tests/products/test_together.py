"""The count of what is ordered together: exact while it fits, honest about what it leaves out when it does not."""

import json
from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.products.together import MOST_IN_ORDER, MOST_PAIRS, Together

KNOWN = frozenset("abcdefgh")
ORDERS = st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=5), max_size=60)


def counted(orders: list[list[str]], *, most: int = MOST_PAIRS) -> Together:
    """The summary of these orders."""
    together = Together()
    for order in orders:
        together.add(order, KNOWN, most=most)
    return together


def truth(orders: list[list[str]]) -> Counter[tuple[str, str]]:
    """Every pair, counted without a bound."""
    return Counter(pair for order in orders for pair in combinations(sorted(set(order)), 2))


def pairs(together: Together) -> dict[tuple[str, str], int]:
    return {(one, other): times for one, others in together.pairs.items() for other, times in others.items()}


def test_an_order_counts_each_pair_once_and_only_products_that_are_known() -> None:
    together = Together()
    together.add(["b", "a", "b", "stranger"], KNOWN)
    together.add(["a"], KNOWN)
    assert pairs(together) == {("a", "b"): 1}
    assert together.sold == {"a": 2, "b": 1}
    assert together.partners() == {"a": [("b", 1)], "b": [("a", 1)]}


def test_an_order_of_a_thousand_lines_counts_its_first_ones() -> None:
    known = {f"p-{number:04d}" for number in range(1_000)}
    together = Together()
    together.add(sorted(known), known)
    assert len(pairs(together)) == MOST_IN_ORDER * (MOST_IN_ORDER - 1) // 2


@given(ORDERS, ORDERS)
def test_what_fits_is_exact_however_it_is_divided(first: list[list[str]], second: list[list[str]]) -> None:
    together = counted(first)
    together.merge(counted(second))
    assert pairs(together) == truth(first + second)
    assert together.short == 0
    assert Together.from_dict(json.loads(json.dumps(together.to_dict()))) == together


@given(ORDERS, ORDERS, st.integers(1, 6))
def test_what_does_not_fit_is_never_too_large_and_short_by_no_more_than_it_says(
    first: list[list[str]], second: list[list[str]], most: int
) -> None:
    together = counted(first, most=most)
    together.merge(counted(second, most=most), most=most)
    together.cut(most)
    found, true = pairs(together), truth(first + second)
    assert len(found) <= most
    assert all(found[pair] <= true[pair] for pair in found)
    assert all(true[pair] - found.get(pair, 0) <= together.short for pair in true)
    assert together.short <= sum(true.values()) / (most + 1)


@pytest.mark.parametrize("most", [1, 3])
def test_what_is_ordered_together_all_the_time_survives_what_happens_once(most: int) -> None:
    rare = [[one, other] for one, other in combinations("cdefgh", 2)]
    together = counted([order for each in rare for order in (["a", "b"], each, ["a", "b"])], most=most)
    together.cut(most)
    assert max(pairs(together), key=pairs(together).__getitem__) == ("a", "b")
