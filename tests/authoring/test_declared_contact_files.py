"""attributes.yaml, filling.yaml and the column mappings: what an author may write, and what is wrong with the rest."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from waypost.authoring.attributes import attributes
from waypost.authoring.authored_files import FileReader
from waypost.authoring.filling import filling
from waypost.authoring.imports import imports
from waypost.contacts.attributes import AttributeSystem
from waypost.importing.filling import Filling
from waypost.importing.spec import Column, ImportSpec

SHIPPED = Path(__file__).parents[2] / "statemachines"


def written(folder: Path, files: dict[str, Any]) -> FileReader:
    for name, content in files.items():
        path = folder / "contacts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return FileReader(folder)


def problems(reader: FileReader) -> list[tuple[str, str]]:
    return [(problem.field, problem.reason) for problem in reader.problems]


def attribute(**fields: Any) -> dict[str, Any]:
    return {"attributes": {"level": {"type": "string", "description": "x", **fields}}}


def test_what_is_shipped_is_right_and_can_be_read_at_run_time() -> None:
    reader = FileReader(SHIPPED)
    system = AttributeSystem.from_dict(attributes(reader))
    rules = Filling.from_dict(filling(reader))
    mappings = imports(reader)
    assert problems(reader) == []
    assert system.attributes["gender"].clean("女士") == "female"
    assert system.attributes["city"].clean("Shanghai") == "上海市"
    assert rules.fill({"phone": "+8613800138000"}, [])["timezone"] == "Asia/Shanghai"
    spec = ImportSpec.from_dict(mappings["shop-members"])
    assert dict(spec.columns)["接受短信"].name == "sms"


def test_nothing_is_declared_without_files(tmp_path: Path) -> None:
    reader = FileReader(tmp_path)
    assert (attributes(reader), filling(reader), imports(reader), problems(reader)) == ({}, {}, {}, [])


@pytest.mark.parametrize(
    ("fields", "where", "words"),
    [
        ({"type": "strng"}, "attributes.level.type", "did you mean 'string'?"),
        ({"type": "region"}, "attributes.level", "needs its 'level'"),
        (
            {"type": "region", "level": "country", "form": "short"},
            "attributes.level",
            "a country is stored by its code",
        ),
        ({"type": "number", "one_of": ["a"]}, "attributes.level", "'one_of' is for list and string"),
        ({"type": "date", "at_least": "soon"}, "attributes.level", "should be a date"),
        ({"type": "number", "at_least": 5, "at_most": 1}, "attributes.level", "larger than at_most"),
        ({"one_of": {"a": ["x"], "b": ["X"]}}, "attributes.level", "means both 'a' and 'b'"),
        ({"one_of": [" a"]}, "attributes.level", "blanks"),
        ({"aliases": ["手机号"]}, "attributes.level.aliases", "already names an identity"),
        ({"kind": "x"}, "attributes.level.kind", "unknown field"),
    ],
)
def test_a_wrong_declaration_names_its_place_and_the_way_out(
    tmp_path: Path, fields: dict[str, Any], where: str, words: str
) -> None:
    reader = written(tmp_path, {"attributes.yaml": attribute(**fields)})
    attributes(reader)
    ((field, reason),) = problems(reader)
    assert field == where
    assert words in reason


def test_a_built_in_attribute_is_not_declared_and_a_column_means_one_attribute(tmp_path: Path) -> None:
    declared = {"type": "string", "description": "x", "aliases": ["等级"]}
    reader = written(
        tmp_path, {"attributes.yaml": {"attributes": {"email": declared, "level": declared, "rank": declared}}}
    )
    attributes(reader)
    assert [field for field, _ in problems(reader)] == ["attributes.email", "attributes.rank.aliases"]


def test_bounds_of_a_datetime_compare_with_instants(tmp_path: Path) -> None:
    reader = written(tmp_path, {"attributes.yaml": attribute(type="datetime", at_least="2026-01-01")})
    declared = AttributeSystem.from_dict(attributes(reader)).attributes["level"]
    assert declared.clean("2026-01-05 09:30") == "2026-01-05T01:30:00.000Z"
    assert not isinstance(declared.clean("2025-12-31 09:30"), str)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"fill": "gender", "value": "female"}, "never filled"),
        ({"fill": "birthday", "from": "name"}, "never filled"),
        ({"fill": "a"}, "either a 'value', a 'from', or a statistic"),
        ({"fill": "a", "value": 1, "from": "b"}, "either a 'value', a 'from', or a statistic"),
        ({"fill": "a", "value": 1, "by": "same"}, "need a 'from'"),
        ({"fill": "a", "from": "a"}, "from itself"),
        ({"fill": "a", "from": "b", "by": "guess"}, "expected"),
        ({"fill": "a", "from": "city", "by": "zone_of_phone"}, "expected 'phone'"),
        ({"fill": "timezone", "value": "Peking"}, "should be a time zone"),
        ({"fill": "level", "value": "many"}, "should be a number"),
        ({"fill": "city", "value": "上海"}, "expected '上海市'"),
        ({"fill": "A b", "value": 1}, "snake_case"),
    ],
)
def test_a_wrong_fill_rule_is_reported(tmp_path: Path, rule: dict[str, Any], words: str) -> None:
    declared = {
        "level": {"type": "number", "description": "x"},
        "city": {"type": "region", "level": "city", "description": "x"},
    }
    reader = written(tmp_path, {"attributes.yaml": {"attributes": declared}, "filling.yaml": {"rules": [rule]}})
    filling(reader)
    ((field, reason),) = problems(reader)
    assert field.startswith("rules[0]")
    assert words in reason


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ({"identity": "openid"}, "'account'"),
        ({"identity": "user_id", "account": "x"}, "'account' is for an openid"),
        ({"identity": "passport"}, "unknown kind of identity"),
        ({"consent": "sms"}, "needs 'evidence'"),
        ({"attribute": "a", "evidence": "they said so"}, "'evidence' is for consent"),
        ({"identity": "email", "attribute": "a"}, "expected one of identity"),
        ({}, "expected one of identity"),
        ({"attribute": "Bad Name"}, "snake_case"),
        ({"attribute": "a", "wrong": "shrug"}, "expected"),
    ],
)
def test_a_wrong_column_is_reported(tmp_path: Path, column: dict[str, Any], words: str) -> None:
    reader = written(tmp_path, {"imports/members.yaml": {"description": "x", "columns": {"手机": column}}})
    imports(reader)
    ((field, reason),) = problems(reader)
    assert field.startswith("columns.手机")
    assert words in reason


def test_a_mapping_says_where_columns_go_in_short_or_in_full(tmp_path: Path) -> None:
    columns = {
        "手机": "phone",
        "标签": "tags",
        "备注": "ignore",
        "等级": "level",
        "微信": {"identity": "openid", "account": "shop"},
    }
    content = {"description": "x", "encoding": "GBK", "delimiter": "tab", "phone_region": "HK", "columns": columns}
    reader = written(tmp_path, {"imports/members.yaml": content})
    spec = ImportSpec.from_dict(imports(reader)["members"])
    assert problems(reader) == []
    assert (spec.name, spec.encoding, spec.delimiter, spec.phone_region) == ("members", "gb18030", "\t", "HK")
    assert dict(spec.columns) == {
        "手机": Column("identity", "phone"),
        "标签": Column("tags"),
        "备注": Column("ignore"),
        "等级": Column("attribute", "level"),
        "微信": Column("identity", "openid", account="shop"),
    }


def test_columns_that_are_the_same_or_go_to_the_same_place_are_reported(tmp_path: Path) -> None:
    columns = {"手机": "phone", "手机（必填）": "ignore", "电话": "phone"}
    reader = written(tmp_path, {"imports/members.yaml": {"description": "x", "columns": columns}})
    imports(reader)
    assert [field for field, _ in problems(reader)] == ["columns.手机（必填）", "columns.电话"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"encoding": "utf-7"}, "unknown encoding"),
        ({"delimiter": "::"}, "one character"),
        ({"phone_region": "XX"}, "ISO 3166"),
        ({"time_zone": "Mars"}, "IANA"),
        ({"dates": "whenever"}, "expected"),
    ],
)
def test_a_wrong_mapping_is_reported(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    reader = written(tmp_path, {"imports/members.yaml": {"description": "x", **change}})
    imports(reader)
    ((_, reason),) = problems(reader)
    assert words in reason
