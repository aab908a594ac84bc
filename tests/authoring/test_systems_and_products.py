"""Files about other systems and products: what is accepted, and what is refused with its place and the way out."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from waypost.authoring.destinations import event_pattern
from waypost.authoring.discovery import InvalidJourney, discover

SOURCE: dict[str, Any] = {
    "description": "A shop",
    "owner": "e-commerce",
    "rules": [{"type": "order_placed", "contact": {"user_id": "customer.id"}, "properties": {"total": "total"}}],
}
DESTINATION: dict[str, Any] = {
    "description": "A CRM",
    "owner": "sales",
    "url": "https://crm.example.com/in",
    "events": ["order_placed"],
}


def problems(tmp_path: Path, path: str, content: Any) -> str:
    """What discovery says of the file; empty when it is right."""
    file = tmp_path / "statemachines" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    text = content if isinstance(content, str) else yaml.safe_dump(content, allow_unicode=True)
    file.write_text(text, encoding="utf-8")
    try:
        discover(tmp_path / "statemachines")
    except InvalidJourney as refused:
        return str(refused)
    return ""


def rule(**changes: Any) -> dict[str, Any]:
    """A source with one rule that is changed."""
    return SOURCE | {"rules": [SOURCE["rules"][0] | changes]}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (SOURCE, ""),
        (SOURCE | {"signature": "shopfy"}, "signature"),
        (SOURCE | {"signature": {"hmac": {"header": "X-Sign", "algorithm": "md5"}}}, "signature"),
        (SOURCE | {"rules": []}, "rules"),
        (rule(type="Order Placed"), "did you mean 'order_placed'"),
        (rule(contact={}), "contact"),
        (rule(contact={"mail": "email"}), "unknown kind of identity 'mail'; did you mean 'email'?"),
        (rule(contact={"contact_id": "id"}), "unknown kind of identity"),
        (rule(properties={"orderTotal": "total"}), "did you mean 'order_total'"),
        (rule(properties={"total": "total..x"}), "expected a path"),
        (rule(properties={"total": {"path": "total", "as": "nummer"}}), "total"),
        (rule(properties={"total": {"path": "total", "constant": 5}}), "expected one of path, first_of"),
        (rule(properties={"total": {"as": "number"}}), "expected one of path, first_of"),
        (rule(properties={"total": {"constant": 5, "as": "number"}}), "'as' does not go with 'constant'"),
        (rule(properties={"total": {"path": "x", "otherwise": "y"}}), "'otherwise' is for what 'map' does not have"),
        (rule(properties={"items": {"each": "lines"}}), "'each' needs 'values'"),
        (rule(occurred_at={"path": "at", "as": "instant", "zone": "Asia/Shangai"}), "expected an IANA time zone"),
        (rule(occurred_at={"path": "at", "as": "instant", "format": "yyyy"}), "expected a pattern of strptime"),
        (rule(when={"x": {"is": 5}}), "x: expected a value, a list of values, or one of exists"),
        (rule(when={"x": []}), "x: expected a value"),
        (rule(properties={"sku": "item.sku"}), "'item' is an element of a list"),
        (rule(each="lines", properties={"sku": "item.sku"}), ""),
    ],
)
def test_a_mapping_is_checked(tmp_path: Path, content: Any, reason: str) -> None:
    found = problems(tmp_path, "contacts/sources/shop.yaml", content)
    assert reason in found if reason else found == ""
    assert not found or found.startswith("statemachines/contacts/sources/shop.yaml")


@pytest.mark.parametrize("name", ["waypost", "segment", "Shop"])
def test_a_source_cannot_take_our_own_names(tmp_path: Path, name: str) -> None:
    assert "expected a file name" in problems(tmp_path, f"contacts/sources/{name}.yaml", SOURCE)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, ""),
        ({"events": ["order_*"], "where": {"total": {"at_least": 5}}}, ""),
        ({"events": []}, "events"),
        ({"events": [], "called": True}, ""),
        ({"called": True, "auth": {"api_key": "X-Key"}}, "only a receiver of signed webhooks can be called"),
        ({"events": ["Order"]}, "expected an event type"),
        ({"url": "http://crm.example.com"}, "should begin with https://"),
        ({"url": "https://10.0.0.1/in"}, "should be a public address"),
        ({"url": "https://crm/in"}, "should be the public name of a host"),
        ({"where": {"attribute": "city", "equals": "x"}}, "only properties of the event can be asked for"),
        ({"where": {"all": [{"property": "a", "equals": 1}, {"tag": "vip"}]}}, "only properties of the event"),
        ({"fields": {"x": "propertys.a"}}, "unknown part of an event 'propertys'; did you mean 'properties'?"),
        ({"fields": {"x": "attributes"}}, "expected a path"),
        ({"fields": {"x": "id.y"}}, "expected a path"),
        ({"auth": {"api_key": "X Key"}}, "api_key"),
        ({"auth": "basic"}, "auth"),
        ({"auth": {"api_key": "X-Key"}, "fields": {"x": "attributes.city"}}, "cannot read the contact"),
        ({"auth": {"api_key": "X-Key"}, "where": {"any": [{"property": "a", "equals": "x"}]}}, "auth: standard_webhooks takes every rule"),
        ({"auth": {"api_key": "X-Key"}, "where": {"total": {"at_least": 5}, "shop": ["a", "b"]}}, ""),
        ({"timeout_seconds": 60}, "timeout_seconds"),
        ({"concurrency": 1}, "concurrency"),
        ({"enable": False}, "did you mean 'enabled'"),
    ],
)  # fmt: skip
def test_a_destination_is_checked(tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    found = problems(tmp_path, "contacts/destinations/crm.yaml", DESTINATION | changes)
    assert reason in found if reason else found == ""


def test_a_destinations_name_fits_into_that_of_its_queue(tmp_path: Path) -> None:
    assert "at most 30 characters" in problems(tmp_path, f"contacts/destinations/{'x' * 31}.yaml", DESTINATION)


def test_a_destination_that_is_switched_off_is_not_published(tmp_path: Path) -> None:
    assert problems(tmp_path, "contacts/destinations/crm.yaml", DESTINATION | {"enabled": False}) == ""
    assert discover(tmp_path / "statemachines").sections["destinations"] == {}


@pytest.mark.parametrize(
    ("where", "pattern"),
    [
        (None, {}),
        ({"property": "shop", "equals": "a"}, {"shop": ["a"]}),
        ({"property": "gift", "equals": True}, {"gift": [True]}),
        ({"property": "total", "equals": 5}, {"total": [{"numeric": ["=", 5]}]}),
        ({"all": [{"property": "total", "more_than": 5}, {"property": "sku", "starts_with": "x-"}]}, {"total": [{"numeric": [">", 5]}], "sku": [{"prefix": "x-"}]}),
    ],
)  # fmt: skip
def test_a_condition_means_the_same_to_eventbridge(where: Any, pattern: dict[str, Any]) -> None:
    assert event_pattern(where) == pattern


@pytest.mark.parametrize(
    "where",
    [
        {"not": {"property": "a", "equals": "x"}},
        {"property": "a.b", "equals": "x"},
        {"property": "a", "not_equals": "x"},
        {"property": "a", "at_least": "2027-01-01"},
        {"all": [{"property": "a", "more_than": 1}, {"property": "a", "less_than": 5}]},
    ],
)
def test_what_eventbridge_would_understand_otherwise_is_refused(where: Any) -> None:
    with pytest.raises(ValueError, match="standard_webhooks takes every rule"):
        event_pattern(where)


PRODUCT = {"name": {"en": "Tea"}, "price": 5}


@pytest.mark.parametrize(
    ("product", "reason"),
    [
        (PRODUCT, ""),
        ({"name": {"en": "Tea"}}, "price: is missing"),
        (PRODUCT | {"price": "5"}, "price"),
        (PRODUCT | {"price": -1}, "price"),
        (PRODUCT | {"name": {}}, "name"),
        (PRODUCT | {"name": {"English": "Tea"}}, "name"),
        (PRODUCT | {"image": "http://shop.example.com/tea.jpg"}, "begins with https://"),
        (PRODUCT | {"url": "javascript:alert(1)"}, "begins with https://"),
        (PRODUCT | {"related": ["coffe"]}, "unknown product 'coffe'"),
        (PRODUCT | {"colour": "green"}, "unknown field 'colour'"),
    ],
)
def test_a_product_is_checked(tmp_path: Path, product: dict[str, Any], reason: str) -> None:
    found = problems(tmp_path, "products.yaml", {"products": {"tea": product}})
    assert reason in found if reason else found == ""


def test_the_two_files_are_one_catalogue(tmp_path: Path) -> None:
    problems(tmp_path, "products.yaml", {"currency": "EUR", "products": {"tea": PRODUCT | {"related": ["cup"]}}})
    assert problems(tmp_path, "products.jsonl", '{"id": "cup", "name": {"en": "Cup"}, "price": 3}\n\n') == ""
    section = discover(tmp_path / "statemachines").sections["products"]
    assert (section["currency"], sorted(section["products"])) == ("EUR", ["cup", "tea"])


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "line 1"),
        ('{"id": "cup", "name": {"en": "Cup"}}', "line 1: price"),
        ('{"id": "tea", "name": {"en": "Tea"}, "price": 3}', "tea: is in the catalogue twice"),
        ("[]", "line 1"),
    ],
)
def test_a_wrong_line_is_named_by_its_number(tmp_path: Path, line: str, reason: str) -> None:
    problems(tmp_path, "products.yaml", {"products": {"tea": PRODUCT}})
    found = problems(tmp_path, "products.jsonl", line)
    assert "products.jsonl" in found
    assert reason in found
