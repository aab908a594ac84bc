"""Declared attributes, wherever a value comes from."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.contacts import attributes
from waypost.contacts.attributes import AttributeDeclaration, AttributeSystem
from waypost.contacts.cleaning import Unusable
from waypost.intake import traits
from waypost.intake.traits import read_traits

SYSTEM = AttributeSystem.from_dict(
    {
        "time_zone": "Asia/Tokyo",
        "attributes": {
            "gender": {
                "type": "string",
                "values": {"女": "female", "f": "female", "female": "female", "男": "male", "male": "male"},
                "wrong": "leave_out",
            },
            "birthday": {"type": "date", "minimum": "1900-01-01"},
            "level": {"type": "number", "whole": True, "minimum": 0, "maximum": 9},
            "vip": {"type": "boolean"},
            "city": {"type": "region", "level": "city", "form": "short"},
            "seen_at": {"type": "datetime"},
            "interests": {"type": "list", "values": {"beauty": "beauty", "美妆": "beauty", "home": "home"}},
            "nickname": {"type": "string", "longest": 5},
        },
    }
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "given_value", "expected"),
    [
        ("gender", "女", "female"), ("gender", "Ｆ", "female"), ("birthday", "1990/1/5", "1990-01-05"), ("birthday", 19900105, "1990-01-05"),
        ("level", "3", 3), ("level", 3.0, 3), ("vip", "是", True), ("vip", True, True), ("vip", 1, True), ("city", "上海市", "上海"),
        ("seen_at", "2026-01-05 09:30", "2026-01-05T01:30:00.000Z"), ("interests", "美妆；home，美妆", ["beauty", "home"]),
        ("interests", ["beauty"], ["beauty"]), ("nickname", " 小\u200b明 ", "小明"), ("nickname", 12, "12"),
    ],
)  # fmt: skip
def test_a_value_is_stored_in_its_one_spelling(name: str, given_value: Any, expected: Any) -> None:
    found = SYSTEM.attributes[name].clean(given_value)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("name", "given_value"),
    [
        ("gender", "?"), ("gender", ["女"]), ("birthday", "03/04/1990"), ("birthday", "1899-12-31"), ("birthday", True), ("birthday", {"year": 1990}),
        ("level", 3.5), ("level", -1), ("level", 10), ("level", True), ("level", float("nan")), ("level", float("inf")), ("vip", "maybe"),
        ("city", "Paris"), ("city", 5), ("interests", "garden"), ("interests", [["beauty"]]), ("interests", {"a": 1}), ("nickname", "longer than five"),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_refused(name: str, given_value: Any) -> None:
    assert isinstance(SYSTEM.attributes[name].clean(given_value), Unusable)


@given(
    st.sampled_from(sorted(SYSTEM.attributes)),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=5,
    ),
)
def test_no_json_value_makes_cleaning_fail(name: str, value: Any) -> None:
    SYSTEM.attributes[name].clean(value)


def test_a_region_elsewhere_stays_as_it_is_where_that_is_declared() -> None:
    declared = AttributeDeclaration(name="city", type="region", level="city", elsewhere=True)
    assert declared.clean(" Paris ") == "Paris"
    assert declared.clean("Shanghai") == "上海市"


@pytest.fixture
def _declared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traits, "load_attributes", lambda: SYSTEM)


@pytest.mark.usefixtures("_declared")
def test_a_webhook_brings_declared_attributes_clean_and_others_as_given() -> None:
    found = read_traits(
        {"birthday": "1990年1月5日", "gender": "女", "plan": "  Pro", "level": None, "vip": ""}, "traits"
    )
    assert found.profile == {"birthday": "1990-01-05", "gender": "female", "plan": "  Pro", "level": None}
    assert found.problems == found.warnings == []


@pytest.mark.usefixtures("_declared")
def test_a_form_field_of_blanks_does_not_empty_a_declared_attribute() -> None:
    found = read_traits({"gender": " ", "birthday": "\u3000", "seenAt": "\n"}, "traits")
    assert (found.profile, found.problems, found.warnings) == ({}, [], [])


@pytest.mark.usefixtures("_declared")
def test_a_wrong_value_refuses_the_event_or_is_left_out_as_declared() -> None:
    found = read_traits({"birthday": "soon", "gender": "?"}, "traits")
    assert found.profile == {}
    assert [problem.field for problem in found.problems] == ["traits.birthday"]
    assert [warning.field for warning in found.warnings] == ["traits.gender"]


@pytest.mark.usefixtures("_declared")
def test_a_time_without_zone_is_in_the_contacts_zone_or_the_declared_one() -> None:
    assert read_traits({"seenAt": "2026-01-05 09:30"}, "traits").profile["seen_at"] == "2026-01-05T00:30:00.000Z"
    found = read_traits({"seenAt": "2026-01-05 09:30", "timezone": "Europe/Berlin"}, "traits")
    assert found.profile["seen_at"] == "2026-01-05T08:30:00.000Z"


def test_without_declarations_nothing_is_checked() -> None:
    assert attributes.load_attributes() == AttributeSystem()
