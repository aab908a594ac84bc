"""Saved segments inside rules."""

from typing import Any

import pytest

from tests.segments.people import NOW, selects, subject
from waypost.errors import InvalidInput
from waypost.segments.compile import compile_rule
from waypost.segments.inlining import EVERYBODY, MOST_INLINED, inline

RULES: dict[str, Any] = {
    "vip": {"tag": "vip"},
    "buyers": {"event": "order_placed"},
    "best": {"all": [{"segment": "vip"}, {"segment": "buyers"}]},
    "all": None,
}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (None, None),
        ({"segment": "vip"}, {"tag": "vip"}),
        ({"not": {"segment": "best"}}, {"not": {"all": [{"tag": "vip"}, {"event": "order_placed"}]}}),
        ({"segment": ["vip", "buyers"]}, {"any": [{"tag": "vip"}, {"event": "order_placed"}]}),
        ({"segment": {"any_of": ["vip"]}}, {"tag": "vip"}),
        ({"segment": {"all_of": ["vip", "buyers"]}}, {"all": [{"tag": "vip"}, {"event": "order_placed"}]}),
        ({"segment": {"none_of": ["vip"]}}, {"not": {"any": [{"tag": "vip"}]}}),
        ({"segment": "vip", "within": "7d"}, {"segment": "vip", "within": "7d"}),
        ({"segment": "all"}, EVERYBODY),
        ({"any": [{"points": 3}]}, {"any": [{"points": 3}]}),
        (
            {"event": "a", "where": {"all": [{"segment": "vip"}]}, "followed_by": {"event": "b", "where": {"not": {"segment": "vip"}}}},
            {"event": "a", "where": {"all": [{"tag": "vip"}]}, "followed_by": {"event": "b", "where": {"not": {"tag": "vip"}}}},
        ),
        ({"event": "a", "where": {"segment": "vip"}}, {"event": "a", "where": {"property": "segment", "equals": "vip"}}),
    ],
)  # fmt: skip
def test_a_name_is_replaced_by_its_rule(rule: Any, expected: Any) -> None:
    assert inline(rule, RULES) == expected


def test_everybody_is_everybody() -> None:
    assert all(selects(EVERYBODY, contact_id=f"c-{number}") for number in range(1_000))


def test_a_kept_membership_answers_where_nothing_was_inlined() -> None:
    assert selects({"segment": "vip"}, segments={"vip": NOW})
    assert not selects({"segment": "vip"})


def test_an_unknown_segment_is_named_with_those_there_are() -> None:
    with pytest.raises(InvalidInput, match="unknown segment 'vips'; the saved segments are all, best, buyers, vip"):
        inline({"segment": "vips"}, RULES)


def test_a_circle_is_refused_with_its_way() -> None:
    circle: dict[str, Any] = {"a": {"not": {"segment": "b"}}, "b": {"any": [{"segment": "c"}]}, "c": {"segment": "a"}}
    with pytest.raises(InvalidInput, match="leads back to itself: a → b → c → a"):
        inline({"segment": "a"}, circle)


def test_segments_that_double_each_other_are_refused_in_time() -> None:
    bomb: dict[str, Any] = {"s0": {"tag": "a"}}
    for number in range(40):
        bomb[f"s{number + 1}"] = {"any": [{"segment": f"s{number}"}, {"segment": f"s{number}"}]}
    with pytest.raises(InvalidInput, match="segments written out"):
        inline({"segment": "s40"}, bomb)
    assert MOST_INLINED == 10_000


def test_a_long_chain_of_segments_is_refused_and_not_an_overflow() -> None:
    chain: dict[str, Any] = {"s0": {"tag": "a"}}
    for number in range(5_000):
        chain[f"s{number + 1}"] = {"not": {"segment": f"s{number}"}}
    with pytest.raises(InvalidInput, match="nested deeper"):
        inline({"segment": "s5000"}, chain)
    assert compile_rule(inline({"segment": "s15"}, chain))(subject()) is True  # fifteen times not, and no tag
