"""What the operators of a rule mean."""

import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from waypost.errors import InvalidInput
from waypost.segments.compile import Subject, compile_rule
from waypost.segments.dependencies import reads

NOW = datetime(2027, 3, 1, 2, 0, tzinfo=UTC)


def subject(**given_: Any) -> Subject:
    return Subject(**{"attributes": {}, "tags": frozenset(), "now": NOW, **given_})


def selects(rule: Mapping[str, Any] | None, **given_: Any) -> bool:
    return compile_rule(rule)(subject(**given_))


def attribute_is(value: Any, **comparison: Any) -> bool:
    return selects({"attribute": "value", **comparison}, attributes={"value": value})


def test_no_rule_selects_everybody() -> None:
    assert selects(None)


def test_all_any_and_not_nest() -> None:
    rule = {"all": [{"tag": "vip"}, {"not": {"any": [{"tag": "blocked"}, {"attribute": "age", "less_than": 18}]}}]}
    assert selects(rule, tags={"vip"}, attributes={"age": 30})
    assert not selects(rule, tags={"vip", "blocked"}, attributes={"age": 30})
    assert not selects(rule, tags={"vip"}, attributes={"age": 17})
    assert not selects(rule, tags=set(), attributes={"age": 30})


@pytest.mark.parametrize(
    ("comparison", "expected"),
    [
        ({"equals": "x"}, False),
        ({"in": ["x"]}, False),
        ({"at_least": 0}, False),
        ({"at_most": 0}, False),
        ({"more_than": 0}, False),
        ({"less_than": 0}, False),
        ({"contains": "x"}, False),
        ({"starts_with": "x"}, False),
        ({"exists": True}, False),
        ({"equals_trigger": "x"}, False),
        ({"equals_property": "x"}, False),
        ({"contains_property": "x"}, False),
        ({"not_equals": "x"}, True),
        ({"not_in": ["x"]}, True),
        ({"exists": False}, True),
    ],
)
@pytest.mark.parametrize("attributes", [{}, {"value": None}])
def test_a_missing_attribute_makes_a_comparison_false_and_its_opposite_true(
    comparison: dict[str, Any], attributes: dict[str, Any], expected: bool
) -> None:
    assert selects({"attribute": "value", **comparison}, attributes=attributes) is expected


@pytest.mark.parametrize(
    ("value", "wanted", "expected"),
    [
        ("5", 5, False),
        (5, "5", False),
        (True, 1, False),
        (1, True, False),
        (False, 0, False),
        (5, 5.0, True),
        (Decimal("0.1"), 0.1, True),
        (Decimal(5), 5, True),
        (Decimal(1), True, False),
        (Decimal("NaN"), 1, False),
        ("gold", "gold", True),
        ("Gold", "gold", False),
        (["gold"], "gold", False),
    ],
)
def test_equals_compares_values_of_one_kind(value: Any, wanted: Any, expected: bool) -> None:
    assert attribute_is(value, equals=wanted) is expected
    assert attribute_is(value, not_equals=wanted) is not expected
    assert attribute_is(value, **{"in": [wanted, "other", 77]}) is expected
    assert attribute_is(value, not_in=[wanted, "other", 77]) is not expected


@pytest.mark.parametrize(
    ("value", "wanted", "order"),
    [
        (3, 5, "before"),
        (5, 5, "same"),
        (Decimal("5.5"), 5, "after"),
        ("2027-03-01", "2027-03-02", "before"),
        ("2027-03-01T10:00:00+08:00", "2027-03-01T02:00:00Z", "same"),
        ("2027-03-01T10:00:00+08:00", "2027-03-01T03:00:00+00:00", "before"),
        ("2027-03-01T10:00:00", "2027-03-01T10:00:00+00:00", "same"),
        ("2027-03-01T23:00:00+08:00", "2027-03-01", "same"),
        ("2027-03-01", "2027-02-28T23:00:00-08:00", "after"),
        ("5", 3, None),
        (3, "2027-03-01", None),
        (True, 0, None),
        (float("nan"), 0, None),
        ("gold", "2027-03-01", None),
        ("2027-13-45", "2027-03-01", None),
        (["2027-03-01"], "2027-03-01", None),
    ],
)
def test_order_is_for_numbers_and_for_times(value: Any, wanted: Any, order: str | None) -> None:
    assert attribute_is(value, at_least=wanted) is (order in {"same", "after"})
    assert attribute_is(value, at_most=wanted) is (order in {"same", "before"})
    assert attribute_is(value, more_than=wanted) is (order == "after")
    assert attribute_is(value, less_than=wanted) is (order == "before")


def test_a_number_that_is_none_compares_with_nothing() -> None:
    for value in (Decimal("NaN"), Decimal("sNaN"), [Decimal("sNaN")], float("nan")):
        for operator in ("equals", "at_least", "at_most", "contains"):
            assert not attribute_is(value, **{operator: 5})
        rule = {"event": "seen", "sum": "total", "exactly": 0}
        assert selects(rule, history=[("seen", NOW, {"total": value})])


def test_contains_looks_into_lists_and_texts() -> None:
    assert attribute_is(["a", "b"], contains="b")
    assert not attribute_is(["a", 1], contains=True)
    assert attribute_is("beauty and home", contains="home")
    assert not attribute_is("12", contains=1)
    assert not attribute_is(12, contains=1)


def test_a_dotted_name_goes_through_a_list_to_what_each_of_its_mappings_has() -> None:
    order = {"products": [{"id": "p-1", "tags": ["new", "sale"]}, {"id": "p-2"}, "p-3", None, {"tags": "old"}]}
    for rule, holds in (
        ({"attribute": "products.id", "contains_all": ["p-1", "p-2"]}, True),
        ({"attribute": "products.id", "contains": "p-3"}, False),
        ({"attribute": "products.id", "equals": "p-1"}, False),
        ({"attribute": "products.id", "size": 2}, True),
        ({"attribute": "products.tags", "contains_all": ["new", "sale", "old"]}, True),
        ({"attribute": "products.price", "exists": False}, True),
        ({"attribute": "products.id.x", "exists": False}, True),
    ):
        assert selects(rule, attributes=order) is holds, rule


def test_a_dotted_name_goes_into_nested_values_and_a_literal_one_wins() -> None:
    rule = {"property": "order.total", "at_least": 100}
    assert selects(rule, properties={"order": {"total": 120}})
    assert selects(rule, properties={"order.total": 120, "order": {"total": 1}})
    assert not selects(rule, properties={"order": "total"})


def test_the_event_at_hand_is_correlated_with_the_trigger() -> None:
    rule = {"property": "cart_id", "equals_trigger": "cart.id"}
    assert selects(rule, properties={"cart_id": "c-1"}, trigger={"cart": {"id": "c-1"}})
    assert not selects(rule, properties={"cart_id": "c-1"}, trigger={"cart": {"id": "c-2"}})
    assert not selects(rule, properties={}, trigger={})


def test_one_element_of_a_list_may_be_what_the_trigger_names() -> None:
    rule = {"property": "products.product_id", "equals_trigger": "product_id"}
    ordered = {"products": [{"product_id": "cap"}, {"product_id": "lip-balm"}]}
    assert selects(rule, properties=ordered, trigger={"product_id": "lip-balm"})
    assert not selects(rule, properties=ordered, trigger={"product_id": "balm"})
    assert not selects(rule, properties={"products": []}, trigger={})


def test_an_attribute_is_compared_with_the_event_at_hand() -> None:
    waits = {"attribute": "waiting_for", "contains_property": "product.sku"}
    assert selects(waits, attributes={"waiting_for": ["s-1", "s-2"]}, properties={"product": {"sku": "s-2"}})
    assert not selects(waits, attributes={"waiting_for": ["s-1", "s-2"]}, properties={"product": {"sku": "s-3"}})
    assert not selects(waits, attributes={"waiting_for": ["1"]}, properties={"product": {"sku": 1}})
    assert not selects(waits, attributes={}, properties={})
    same = {"attribute": "shop", "equals_property": "shop"}
    assert selects(same, attributes={"shop": "hk"}, properties={"shop": "hk"})
    assert not selects(same, attributes={"shop": "hk"}, properties={"shop": "tw"})


@pytest.mark.parametrize("operator", ["contains_property", "equals_property"])
@pytest.mark.parametrize("place", ["event.properties.", "properties.", "event."])
def test_a_property_named_with_its_place_is_refused_with_its_name(operator: str, place: str) -> None:
    with pytest.raises(InvalidInput, match=f"rule.{operator}.*write 'product.sku'"):
        selects({"attribute": "waiting_for", operator: f"{place}product.sku"}, attributes={"waiting_for": ["s"]})


def test_inside_a_filter_an_attribute_is_compared_with_each_past_event() -> None:
    rule = {"event": "product_viewed", "where": {"attribute": "waiting_for", "contains_property": "sku"}, "exactly": 2}
    history = [("product_viewed", NOW, {"sku": sku}) for sku in ("s-1", "s-2", "s-9")]
    assert selects(rule, attributes={"waiting_for": ["s-1", "s-2"]}, history=history, properties={"sku": "s-7"})
    assert not reads(rule).property
    assert reads({"attribute": "a", "equals_property": "b"}).property


def test_history_counts_matching_events_within_a_time() -> None:
    history = [
        ("order_placed", NOW - timedelta(days=40), {"coupon": "A"}),
        ("order_placed", NOW - timedelta(days=2), {"coupon": "B"}),
        ("order_placed", NOW - timedelta(days=1), {"coupon": "A"}),
        ("page_viewed", NOW, {"coupon": "A"}),
    ]
    assert selects({"event": "order_placed"}, history=history)
    assert selects({"event": "order_placed", "exactly": 3}, history=history)
    assert selects({"event": "order_placed", "at_least": 2, "within": "30d"}, history=history)
    assert not selects({"event": "order_placed", "at_least": 3, "within": "30d"}, history=history)
    assert selects({"event": "order_placed", "where": {"coupon": "A"}, "exactly": 2}, history=history)
    assert selects({"event": "refund_issued", "at_most": 0}, history=history)
    assert not selects({"event": "refund_issued"}, history=history)


def test_consent_asks_for_the_channel_and_topic_and_only_granted_is_a_yes() -> None:
    answers = {("email", "*"): "granted", ("email", "offers"): "withdrawn"}
    consents = lambda channel, topic: answers.get((channel, topic), "none")  # noqa: E731
    assert selects({"consent": "email"}, consents=consents)
    assert not selects({"consent": "email", "topic": "offers"}, consents=consents)
    assert not selects({"consent": "sms"}, consents=consents)
    assert not selects({"consent": "email"})


def test_the_shorthand_is_all_of_property_equals_in_or_an_operator() -> None:
    rule = {"interest": "beauty", "size": ["s", "m"], "total": {"at_least": 5}}
    assert selects(rule, properties={"interest": "beauty", "size": "m", "total": 5})
    assert not selects(rule, properties={"interest": "beauty", "size": "l", "total": 5})
    assert not selects(rule, properties={"interest": "beauty", "size": "m", "total": 4})


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (None, False),
        ({"tag": "a"}, False),
        ({"event": "order_placed"}, True),
        ({"all": [{"tag": "a"}, {"not": {"any": [{"event": "order_placed"}]}}]}, True),
        ({"any": [{"tag": "a"}, {"attribute": "event", "equals": "order_placed"}]}, False),
    ],
)
def test_callers_know_when_a_rule_needs_past_events(rule: Mapping[str, Any] | None, expected: bool) -> None:
    assert reads(rule).history is expected


@pytest.mark.parametrize(
    "rule",
    [
        {"attribute": "a"},
        {"attribute": "a", "equals": 1, "at_least": 2},
        {"attribute": "a", "equal": 1},
        {"attribute": "a", "in": "x"},
        {"attribute": "a", "starts_with": 5},
        {"event": "order_placed", "at_least": "many"},
        {"tag": [5]},
        {"tag": "a", "since": "2d"},
    ],
)
def test_what_is_no_rule_is_refused_when_it_is_compiled(rule: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        compile_rule(rule)


def test_compiled_rules_need_no_pydantic_and_no_yaml() -> None:
    code = "import sys, waypost.segments.compile; print(*sorted({'pydantic', 'yaml'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.strip() == ""
