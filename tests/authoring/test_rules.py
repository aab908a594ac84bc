"""Rules as authors write them: the forms, and what an author reads about a wrong one."""

from typing import Any

import pytest

from waypost.authoring.rules import dump_rule, parse_rule, parse_where, uses_trigger
from waypost.errors import InvalidInput


@pytest.mark.parametrize(
    "rule",
    [
        {"all": [{"tag": "a"}, {"any": [{"tag": "b"}, {"not": {"tag": "c"}}]}]},
        {"attribute": "age", "at_least": 18},
        {"property": "order.total", "more_than": 99.5},
        {"attribute": "birthday", "at_most": "2027-03-01"},
        {"attribute": "seen", "exists": False},
        {"attribute": "tier", "in": ["gold", "silver"]},
        {"event": "order_placed", "at_least": 2, "within": "30d"},
        {"consent": "sms", "topic": "offers"},
    ],
)
def test_a_rule_in_its_normal_form_stays_as_it_is(rule: dict[str, Any]) -> None:
    assert dump_rule(parse_rule(rule)) == rule


def test_the_shorthand_of_where_is_written_out() -> None:
    where = {"coupon": ["A", "B"], "total": {"at_least": 5}, "paid": True}
    assert dump_rule(parse_where(where)) == {
        "all": [
            {"property": "coupon", "in": ["A", "B"]},
            {"property": "total", "at_least": 5},
            {"property": "paid", "equals": True},
        ]
    }
    assert dump_rule(parse_rule({"event": "order_placed", "where": {"coupon": "A"}})) == {
        "event": "order_placed",
        "where": {"property": "coupon", "equals": "A"},
    }


@pytest.mark.parametrize(
    ("rule", "field", "reason"),
    [
        ("vip", "entry", "expected a rule"),
        ({}, "entry", "expected one of the key words"),
        ({"atribute": "a", "equals": 1}, "entry", "did you mean 'attribute' instead of 'atribute'?"),
        ({"tag": "a", "event": "b"}, "entry", "expected one key word, got tag and event"),
        ({"attribute": "a"}, "entry", "expected exactly one operator"),
        ({"attribute": "a", "equals": 1, "in": [1]}, "entry", "got equals, in"),
        ({"attribute": "a", "equal": 1}, "entry.equal", "did you mean 'equals'?"),
        ({"attribute": "a", "in": "x"}, "entry.in", "expected a list, got 'x'"),
        ({"attribute": "a", "equals": [1]}, "entry.equals", "expected text, a number, true or false"),
        ({"attribute": "a", "exists": "yes"}, "entry.exists", "expected true or false, got 'yes'"),
        ({"attribute": 3, "equals": 1}, "entry.attribute", "expected text, got 3"),
        ({"all": {"tag": "x"}}, "entry.all", "expected a list"),
        ({"all": []}, "entry.all", "at least 1 item"),
        ({"any": [{"tag": "a"}, {"not": {"attribute": "age", "at_least": "18"}}]}, "entry.any[1].not.at_least", "'18'"),
        ({"event": "Order Placed"}, "entry.event", "did you mean 'order_placed'?"),
        ({"event": "orderPlaced"}, "entry.event", "did you mean 'order_placed'?"),
        ({"event": "order_placed", "within": "30 days"}, "entry.within", "45s, 30m, 3h or 2d"),
        ({"event": "order_placed", "at_least": 1, "exactly": 1}, "entry", "only one of at_least, at_most, exactly"),
        ({"event": "order_placed", "where": {}}, "entry.where", "is empty"),
        ({"event": "order_placed", "where": {"properti": "x", "equals": 1}}, "entry.where", "needs a 'property'"),
        ({"event": "order_placed", "where": {"total": {"atleast": 1}}}, "entry.where", "did you mean 'at_least'?"),
        ({"event": "order_placed", "where": {"total": None}}, "entry.where", "total: expected a value"),
        ({"consent": "emial"}, "entry.consent", "did you mean 'email'?"),
    ],
)
def test_a_wrong_rule_names_its_place_and_the_way_out(rule: Any, field: str, reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_rule(rule, where="entry")
    assert caught.value.field == field
    assert reason in caught.value.reason


def test_several_mistakes_are_counted() -> None:
    with pytest.raises(InvalidInput, match=r"rule.all\[0\].equal: .* \(and 1 more\)"):
        parse_rule({"all": [{"attribute": "a", "equal": 1}, {"event": "A b"}]})


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"tag": "a"}, False),
        ({"property": "a", "equals": 1}, False),
        ({"not": {"any": [{"tag": "a"}, {"property": "cart", "equals_trigger": "cart"}]}}, True),
        ({"event": "order_placed", "where": {"property": "cart", "equals_trigger": "cart"}}, True),
    ],
)
def test_a_rule_that_asks_for_the_trigger_is_known(rule: dict[str, Any], expected: bool) -> None:
    assert uses_trigger(parse_rule(rule)) is expected
