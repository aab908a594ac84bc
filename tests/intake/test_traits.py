"""What traits become."""

from typing import Any

import pytest

from waypost.intake.traits import read_traits


def test_traits_become_identities_and_attributes() -> None:
    traits = read_traits(
        {
            "Email": "Mei@Example.com",
            "phone": "138 0013 8000",
            "locale": "zh_CN",
            "timezone": "Asia/Shanghai",
            "firstName": "Mei",
            "consent": {"email": True, "SMS": False},
            "tags": ["vip", " vip", "new"],
            "address": {"postalCode": "200000"},
            "会员等级": 3,
        },
        "traits",
    )
    assert traits.problems == traits.warnings == []
    assert traits.identities == {"email": "mei@example.com", "phone": "+8613800138000"}
    assert traits.profile == {
        "email": "mei@example.com",
        "phone": "+8613800138000",
        "locale": "zh-CN",
        "timezone": "Asia/Shanghai",
        "first_name": "Mei",
        "consent": {"email": True, "sms": False},
        "tags": ["vip", "new"],
        "address": {"postalCode": "200000"},
        "会员等级": 3,
    }


def test_a_phone_number_is_read_in_the_country_of_the_locale() -> None:
    assert read_traits({"phone": "4155552671", "locale": "en-US"}, "traits").identities == {"phone": "+14155552671"}
    assert read_traits({"phone": "4155552671"}, "traits", locale="en-US").identities == {"phone": "+14155552671"}


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"email": "nobody"}, "traits.email"),
        ({"email": 7}, "traits.email"),
        ({"email": ["a@example.com"]}, "traits.email"),
        ({"phone": "12"}, "traits.phone"),
        ({"phone": {"home": "1"}}, "traits.phone"),
        ({"locale": 5}, "traits.locale"),
        ({"timezone": True}, "traits.timezone"),
        ({"consent": True}, "traits.consent"),
        ({"consent": {"email": "yes"}}, "traits.consent.email"),
        ({"tags": "vip"}, "traits.tags"),
        ({"tags": [1, "vip"]}, "traits.tags[0]"),
        ({"tags": ["vip", ""]}, "traits.tags[1]"),
        ({"tags": [f"x{number}" for number in range(101)]}, "traits.tags"),
        ({"---": 1}, "traits.---"),
        ({"firstName": "Mei", "first_name": "Li"}, "traits.first_name"),
    ],
)
def test_wrong_traits_are_named(given: dict[str, Any], field: str) -> None:
    assert [problem.field for problem in read_traits(given, "traits").problems] == [field]


def test_a_strange_zone_or_locale_is_left_out_with_a_warning() -> None:
    traits = read_traits({"timezone": "Mars/Phobos", "locale": "klingon"}, "traits")
    assert traits.problems == []
    assert [warning.field for warning in traits.warnings] == ["traits.locale", "traits.timezone"]
    assert traits.profile == {}


@pytest.mark.parametrize("no", ["false", "No", "0", 0, "off", "否", "退订", " FALSE "])
def test_a_no_to_messages_is_heard_in_any_spelling(no: Any) -> None:
    traits = read_traits({"consent": {"email": no, "sms": True}}, "traits")
    assert (traits.profile, traits.problems) == ({"consent": {"email": False, "sms": True}}, [])


@pytest.mark.parametrize("unsure", ["true", "yes", 1, 2, "", None, [], "maybe"])
def test_a_yes_to_messages_is_true_and_nothing_else(unsure: Any) -> None:
    traits = read_traits({"consent": {"email": unsure}}, "traits")
    assert traits.profile == {"consent": {}}
    assert [problem.field for problem in traits.problems] == ["traits.consent.email"]


def test_a_phone_number_may_come_as_a_number() -> None:
    traits = read_traits({"phone": 13800138000}, "traits")
    assert traits.identities == {"phone": "+8613800138000"}
    assert [problem.field for problem in read_traits({"phone": True, "email": 5}, "traits").problems] == [
        "traits.email", "traits.phone",
    ]  # fmt: skip


def test_null_removes_an_attribute_and_empty_text_counts_as_not_given() -> None:
    traits = read_traits({"phone": None, "email": "", "locale": " ", "plan": None, "tags": None}, "traits")
    assert traits.profile == {"phone": None, "plan": None}
    assert traits.problems == traits.warnings == []
