"""Chinese provinces, cities and operators."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.contacts.cleaning import Unusable
from waypost.contacts.cleaning.carriers import carrier
from waypost.contacts.cleaning.regions import Region, province_of, region


def name(text: str, level: str) -> str | None:
    found = region(text, "city" if level == "city" else "province")
    return found.name if isinstance(found, Region) else None


@pytest.mark.parametrize(
    "text",
    [
        "上海",
        "上海市",
        "Shanghai",
        "SHANGHAI ",
        "SH",
        "沪",
        "CN-SH",
        "31",
        "310000",
        "shanghai shi",
        "Ｓｈａｎｇｈａｉ",
        "上 海",
    ],
)
def test_a_province_is_known_by_every_common_spelling(text: str) -> None:
    assert name(text, "province") == "上海市"


@pytest.mark.parametrize(
    "text", ["内蒙古自治区", "内蒙古", "内蒙", "Inner Mongolia", "Neimenggu", "Inner Mongolia Autonomous Region", "NM"]
)
def test_an_autonomous_region_is_known_by_every_common_spelling(text: str) -> None:
    assert name(text, "province") == "内蒙古自治区"


def test_two_provinces_with_one_sound_are_distinguished() -> None:
    assert (name("Shanxi", "province"), name("Shaanxi", "province")) == ("山西省", "陕西省")


@pytest.mark.parametrize(
    "text",
    [
        "杭州",
        "杭州市",
        "Hangzhou",
        "hangzhou city",
        "330100",
        "浙江省杭州市",
        "浙江 杭州",
        "浙江/杭州/西湖区",
        "浙江省杭州市西湖区",
        "杭州市西湖区",
    ],
)
def test_a_city_may_stand_between_its_province_and_its_district(text: str) -> None:
    assert name(text, "city") == "杭州市"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("上海", "上海市"),
        ("吉林", "吉林市"),
        ("恩施", "恩施土家族苗族自治州"),
        ("乌鲁木齐", "乌鲁木齐市"),
        ("Urumqi", "乌鲁木齐市"),
        ("西双版纳", "西双版纳傣族自治州"),
        ("仙桃", "仙桃市"),
        ("Hong Kong", "香港特别行政区"),
    ],
)
def test_what_stands_at_the_level_of_a_city_counts_as_one(text: str, expected: str) -> None:
    assert name(text, "city") == expected


@pytest.mark.parametrize("text", ["海南", "浙江", "Paris", "", "市", "州", "东北", "x" * 500])
def test_what_is_no_city_is_refused(text: str) -> None:
    assert name(text, "city") is None


def test_a_spelling_of_two_cities_is_refused_unless_the_province_is_known() -> None:
    found = region("Suzhou", "city")
    assert isinstance(found, Unusable)
    assert "苏州市" in found.reason
    assert "宿州市" in found.reason
    within = region("Suzhou", "city", within="320000")
    assert isinstance(within, Region)
    assert within.name == "苏州市"


def test_a_city_knows_its_province_and_zone() -> None:
    city = region("深圳", "city")
    assert isinstance(city, Region)
    assert (city.code, province_of(city).name, city.time_zone) == ("440300", "广东省", "Asia/Shanghai")
    hong_kong = region("香港", "province")
    assert isinstance(hong_kong, Region)
    assert hong_kong.time_zone == "Asia/Hong_Kong"


@given(st.text(max_size=120))
def test_no_text_makes_a_region_fail(text: str) -> None:
    assert isinstance(region(text, "city"), (Region, Unusable))
    assert isinstance(region(text, "province"), (Region, Unusable))


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("+8613800138000", "china_mobile"), ("+8618612345678", "china_unicom"), ("+8618912345678", "china_telecom"),
        ("+8619212345678", "china_broadnet"), ("+8617012345678", "virtual"), ("+8616212345678", "virtual"), ("+8613491234567", "satellite"),
        ("+862112345678", None), ("+14155552671", None), ("+8615412345678", None),
    ],
)  # fmt: skip
def test_the_segment_of_a_number_names_its_operator(number: str, expected: str | None) -> None:
    assert carrier(number) == expected


def test_the_operators_agree_with_the_metadata_of_phonenumbers() -> None:
    from phonenumbers.carrierdata import CARRIER_DATA

    names = {
        "China Mobile": "china_mobile",
        "China Unicom": "china_unicom",
        "China Telecom": "china_telecom",
        "China Broadnet": "china_broadnet",
    }
    known = {
        prefix.removeprefix("86"): names[carriers["en"]]
        for prefix, carriers in CARRIER_DATA.items()
        if prefix.startswith("861")
    }
    ours = {prefix: carrier(f"+86{prefix.ljust(11, '0')}") for prefix in known}
    different = {prefix for prefix, theirs in known.items() if ours[prefix] not in {theirs, "virtual", "satellite"}}
    # the metadata gives broadnet the whole of 161; in the ministry's table only 1619 is issued, to satellites
    assert different == {"161"}
