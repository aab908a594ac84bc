"""Countries in any spelling, wherever they come from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lints import countries
from tests.importing.files import csv, one
from tests.importing.shipped import shipped
from waypost.contacts.attributes import AttributeDeclaration, load_attributes
from waypost.contacts.cleaning import Unusable
from waypost.contacts.cleaning.countries import country
from waypost.intake.request_outcome import Problem
from waypost.intake.traits import read_traits

COUNTRY = AttributeDeclaration(name="country", type="region", level="country")


@pytest.mark.parametrize(
    ("code", "spellings"),
    [
        ("CN", ["CN", "cn", " Cn ", "ＣＮ", "CHN", "chn", "China", "CHINA", "PRC", "P.R.China", "People's Republic of China", "Mainland China",
                "China (Mainland)", "中国", "中國", "中国大陆", "中國大陸", "中华人民共和国", "中 国"]),
        ("HK", ["hk", "HKG", "Hong Kong", "HongKong", "Hong Kong SAR China", "香港", "中国香港", "中国香港特别行政区", "香港特別行政區"]),
        ("MO", ["mo", "MAC", "Macau", "Macao", "澳门", "中國澳門"]),
        ("TW", ["tw", "TWN", "Taiwan", "Taiwan, China", "台湾", "臺灣", "中国台湾"]),
        ("GB", ["gb", "GBR", "UK", "uk", "U.K.", "United Kingdom", "The United Kingdom", "Great Britain", "英国", "英國"]),
        ("US", ["us", "USA", "U.S.A.", "United States", "the United States of America", "美国", "美國"]),
        ("KR", ["KOR", "South Korea", "Korea, Republic of", "韩国", "南韓"]), ("KP", ["PRK", "North Korea", "朝鲜"]),
        ("NL", ["Netherlands", "The Netherlands", "Holland", "荷兰"]), ("CI", ["Côte d’Ivoire", "Cote d'Ivoire", "Ivory Coast", "科特迪瓦", "象牙海岸"]),
        ("BA", ["Bosnia & Herzegovina", "bosnia and herzegovina"]), ("LC", ["St. Lucia", "St Lucia", "Saint Lucia"]), ("TR", ["Türkiye", "Turkiye", "Turkey"]),
        ("CD", ["刚果（金）", "刚果(金)"]), ("CG", ["刚果（布）"]), ("NA", ["NA", "Namibia"]), ("NZ", ["新西兰", "紐西蘭"]), ("DE", ["DEU", "Germany", "Deutschland", "德国"]),
    ],
)  # fmt: skip
def test_a_country_is_known_by_every_common_spelling(code: str, spellings: list[str]) -> None:
    assert {spelling: COUNTRY.clean(spelling) for spelling in spellings} == dict.fromkeys(spellings, code)


@pytest.mark.parametrize(
    "text", ["", "Atlantis", "Congo", "CNX", "ZZ", "EU", "MI", "XK", "Shanghai", "上海", "156", "86", "中", "x" * 101]
)
def test_what_is_no_country_or_may_be_two_is_none(text: str) -> None:
    assert isinstance(country(text), Unusable)


@given(st.text())
def test_a_code_is_stored_as_it_is_and_nothing_makes_cleaning_fail(text: str) -> None:
    found = country(text)
    assert isinstance(found, Unusable) or country(found) == found


def test_the_table_is_what_the_locked_babel_and_tzdata_know() -> None:
    assert countries.TABLE.read_text(encoding="utf-8") == countries.table(), "make texts"


def test_a_spelling_of_two_countries_is_refused_where_the_table_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(countries._COMMON, "CG", "Congo|Japan")
    with pytest.raises(ValueError, match="'Japan' means both CG and JP"):
        countries.table()


@pytest.mark.parametrize(("given_value", "stored"), [("China", "CN"), ("中国大陆", "CN"), ("uk", "GB"), ("DE", "DE")])
def test_a_trait_becomes_the_code(given_value: str, stored: str) -> None:
    with shipped():
        found = read_traits({"country": given_value}, "traits")
    assert (found.profile, found.problems, found.warnings) == ({"country": stored}, [], [])


def test_a_trait_that_is_no_country_is_kept_with_a_warning_and_what_is_no_text_is_left_out() -> None:
    with shipped():
        kept = read_traits({"country": " Atlantis "}, "traits")
        left_out = read_traits({"country": {"code": "CN"}}, "traits")
    note = Problem("traits.country", "is no country that we know: it is kept as it was given")
    assert (kept.profile, kept.problems, kept.warnings) == ({"country": "Atlantis"}, [], [note])
    assert (left_out.profile, left_out.problems) == ({}, [])
    assert [warning.reason for warning in left_out.warnings] == ["should be the name of a country"]


@pytest.mark.parametrize(
    ("cell", "stored", "noted"),
    [
        ("CN", "CN", []),
        ("China", "CN", [("country", "region", "China", "CN")]),
        ("中国大陆", "CN", [("country", "region", "中国大陆", "CN")]),
        ("Atlantis", "Atlantis", [("country", "is no country that we know: it is kept as it was given", "Atlantis", "Atlantis")]),
    ],
)  # fmt: skip
def test_an_import_stores_the_code_and_reports_what_it_did(
    cell: str, stored: str, noted: list[tuple[str, str, str, str]]
) -> None:
    with shipped():
        row = one(csv([("user_id", "国家"), ("1", cell)]), attributes=load_attributes())
    assert row.profile == {"country": stored}
    assert [(each.field, each.rule, each.before, each.after) for each in row.repairs] == noted
