"""Missing values filled by declared rules."""

from typing import Any

import pytest

from tests.importing.files import csv, one
from waypost.importing.filling import Filling


def filling(*rules: dict[str, Any]) -> Filling:
    return Filling.from_dict({"rules": list(rules)})


PROVINCE = {"attribute": "province", "source": "city", "by": "province_of_city", "when_known": "replace"}
COUNTRY = {"attribute": "country", "source": "phone", "by": "country_of_phone"}
LOCALE = {"attribute": "locale", "source": "country", "by": "locale_of_country"}
ZONE = {"attribute": "timezone", "source": "phone", "by": "zone_of_phone"}


def test_a_value_is_taken_from_another_one_that_says_it() -> None:
    row = one(csv([("手机号", "城市"), ("13800138000", "杭州")]), filling=filling(PROVINCE, COUNTRY, LOCALE, ZONE))
    assert row.profile["province"] == "浙江省"
    assert row.filled == {"country": "CN", "locale": "zh-CN", "timezone": "Asia/Shanghai"}
    filled = [(repair.field, repair.rule, repair.after) for repair in row.repairs if repair.rule.startswith("filled")]
    assert filled == [
        ("province", "filled from city", "浙江省"),
        ("country", "filled from phone", "CN"),
        ("locale", "filled from country", "zh-CN"),
        ("timezone", "filled from phone", "Asia/Shanghai"),
    ]


def test_a_value_that_is_there_is_not_filled() -> None:
    row = one(csv([("手机号", "country"), ("13800138000", "US")]), filling=filling(COUNTRY))
    assert row.filled == {"country": "CN"}  # nobody declared a column named country here, so it was not read
    data = csv([("手机号", "locale"), ("13800138000", "en-US")])
    assert one(data, filling=filling(COUNTRY, LOCALE)).profile["locale"] == "en-US"
    assert one(data, filling=filling(COUNTRY, LOCALE)).filled == {"country": "CN"}


@pytest.mark.parametrize(
    ("phone", "zone"),
    [
        ("+8613800138000", "Asia/Shanghai"),
        ("+85291234567", "Asia/Hong_Kong"),
        ("+4915112345678", "Europe/Berlin"),
        ("+14155552671", None),
    ],
)
def test_a_country_with_several_zones_has_none_to_fill_in(phone: str, zone: str | None) -> None:
    assert one(csv([("手机号",), (phone,)]), filling=filling(ZONE)).filled.get("timezone") == zone


def test_a_default_a_table_and_conditions() -> None:
    rules = filling(
        {"attribute": "level", "value": 1, "only_if": {"gender": ["female"]}},
        {"attribute": "store", "source": "city", "table": {"上海市": "Nanjing Road"}},
        {"attribute": "contact_name", "source": "name"},
    )
    row = one(csv([("user_id", "性别", "城市", "姓名"), ("1", "女", "上海", "小明")]), filling=rules)
    assert row.filled == {"level": 1, "store": "Nanjing Road", "contact_name": "小明"}
    assert one(csv([("user_id", "性别", "城市"), ("1", "男", "北京")]), filling=rules).filled == {}


@pytest.mark.parametrize(
    ("rule", "profile", "expected"),
    [
        ("carrier_of_phone", "+8613800138000", "china_mobile"), ("carrier_of_phone", "+14155552671", None), ("zone_of_province", "香港", "Asia/Hong_Kong"),
        ("zone_of_province", "Kent", None), ("country_of_locale", "en-GB", "GB"), ("country_of_locale", "en", None), ("province_of_city", "Paris", None),
    ],
)  # fmt: skip
def test_what_cannot_be_derived_stays_missing(rule: str, profile: str, expected: str | None) -> None:
    rules = filling({"attribute": "target", "source": "given", "by": rule})
    assert rules.fill({"given": profile}, []).get("target") == expected
