"""Rows become clean contacts, or are kept out with a reason."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.importing.files import ATTRIBUTES, MEMBERS, cleaned, csv, one, refused, with_columns
from waypost.contacts.fitting import FULLEST
from waypost.files.safe_cells import original_cell, safe_cell
from waypost.importing.cleaning import RowCleaner, clean_row
from waypost.importing.filling import Filling
from waypost.importing.rows import CleanRow, RawRow, RejectedRow
from waypost.importing.spec import Column, ImportSpec


def test_a_messy_chinese_file_becomes_clean_contacts() -> None:
    first, second, third = cleaned(MEMBERS.encode("gb18030"))
    assert isinstance(first, CleanRow)
    assert first.identities == {"user_id": "A001", "phone": "+8613800138000", "email": "mei@example.com"}
    assert first.profile == {
        "name": "张 三丰", "phone": "+8613800138000", "email": "mei@example.com", "gender": "female", "birthday": "1990-01-05",
        "city": "上海市", "total_spent": 1234.5, "tags": ["VIP", "美妆"],
    }  # fmt: skip
    assert isinstance(second, CleanRow)
    assert (second.profile["city"], second.profile["total_spent"]) == ("杭州市", 123)
    assert isinstance(third, CleanRow)
    assert third.profile["name"] == '王"五" '.strip()
    assert "gender" not in third.profile  # 保密 is none of the declared values, and the declaration says: leave it out


def test_every_repair_is_reported_with_field_rule_before_and_after() -> None:
    row = one(csv([("user_id", "手机号", "性别", "姓名"), ("1", "138 0013 8000", "女", " 小\u200b明 ")]))
    assert [repair.to_dict() for repair in row.repairs] == [
        {"field": "phone", "rule": "phone", "before": "138 0013 8000", "after": "+8613800138000"},
        {"field": "gender", "rule": "values", "before": "女", "after": "female"},
        {"field": "name", "rule": "text", "before": " 小\u200b明 ", "after": "小明"},
    ]
    left_out = one(csv([("user_id", "性别"), ("1", "?!")]))
    assert [(repair.rule, repair.before, repair.after) for repair in left_out.repairs] == [("left_out", "?!", "")]


def test_what_is_clean_already_needs_no_repair() -> None:
    assert one(csv([("user_id", "手机号", "姓名"), ("1", "+8613800138000", "小明")])).repairs == []


def test_a_user_id_that_is_an_address_is_spelled_as_one_and_no_other_is() -> None:
    rows = [one(csv([("user_id", "姓名"), (given, "x")])) for given in ("Ann@Example.COM", "Ann@intranet", "U-17")]
    assert [row.identities["user_id"] for row in rows] == ["ann@example.com", "Ann@intranet", "U-17"]


def quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'


@pytest.mark.parametrize(
    "cell", ["Mei Lin <Mei@Example.com>", "<mei@example.com>", '"Lin, Mei" <mei@example.com>', "mailto:mei@example.com"]
)
def test_an_address_may_stand_beside_its_name_as_mail_programs_export_it(cell: str) -> None:
    row = one(csv([("user_id", "邮箱"), ("1", quoted(cell))]))
    assert row.identities["email"] == "mei@example.com"


@pytest.mark.parametrize("cell", ["Mei <mei@example.com>, Lin <lin@example.com>", "a@b <mei@example.com>", "Mei <mei>"])
def test_what_is_not_one_name_with_one_address_is_no_address(cell: str) -> None:
    assert refused(csv([("user_id", "邮箱"), ("1", quoted(cell))])).field == "邮箱"


def test_every_wrong_cell_of_a_row_is_reported() -> None:
    row = refused(csv([("user_id", "手机号", "邮箱", "生日"), ("1", "12", "x@", "03/04/1990")]))
    assert row.field == "手机号"
    assert [field for field, _ in row.more] == ["邮箱", "生日"]
    assert row.to_dict()["more"][1] == {"field": "生日", "reason": row.more[1][1]}


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("1.38E+10", "rounded by a spreadsheet"),
        ("13800138000/13900139000", "more than one phone number"),
        ("+86 1380013", "should be a phone number"),
        ("身份证", "should be a phone number"),
    ],
)
def test_a_phone_number_that_cannot_be_mended_says_why(cell: str, words: str) -> None:
    assert words in refused(csv([("user_id", "手机号"), ("1", cell)])).reason


def test_a_phone_number_that_a_spreadsheet_made_a_float_is_mended() -> None:
    assert one(csv([("user_id", "手机号"), ("1", "13800138000.0")])).identities["phone"] == "+8613800138000"


def test_reasons_never_quote_a_cell() -> None:
    secret = "secret-value-77"
    row = refused(csv([("user_id", "手机号", "邮箱", "生日", "累计消费"), ("1", secret, secret, secret, secret)]))
    assert secret not in json.dumps(row.to_dict())


def test_a_row_of_nobody_is_refused() -> None:
    assert refused(csv([("手机号", "姓名"), ("-", "小明")])).field == "row"
    spec = ImportSpec(required=("phone",))
    assert refused(csv([("user_id", "手机号"), ("1", "无")]), spec).field == "phone"


def test_an_unusable_identity_is_left_out_where_that_is_declared() -> None:
    spec = with_columns(("邮箱", Column("identity", "email", wrong="leave_out")))
    row = one(csv([("user_id", "邮箱"), ("1", "x@")]), spec)
    assert row.identities == {"user_id": "1"}


def test_an_openid_belongs_to_its_account() -> None:
    spec = with_columns(("openid", Column("identity", "openid", account="shop")))
    assert one(csv([("openid",), ("oABC",)]), spec).identities == {"openid": "shop:oABC"}
    assert one(csv([("openid",), ("shop:oABC",)]), spec).identities == {"openid": "shop:oABC"}


def test_consent_comes_with_its_evidence_and_an_empty_cell_is_no_answer() -> None:
    spec = with_columns(("接受短信", Column("consent", "sms", evidence="入会协议第3条")))
    row = one(csv([("user_id", "接受短信"), ("1", "是")]), spec)
    assert (row.profile, row.evidence) == ({"consent": {"sms": True}}, {"sms": "入会协议第3条"})
    assert one(csv([("user_id", "接受短信"), ("1", "无")]), spec).profile == {}
    assert refused(csv([("user_id", "接受短信"), ("1", "也许")]), spec).field == "接受短信"


def test_markers_of_emptiness_say_nothing() -> None:
    assert one(csv([("user_id", "姓名", "城市", "累计消费"), ("1", "无", "N/A", "-")])).profile == {}
    assert one(csv([("user_id", "姓名"), ("1", "未绑定")]), ImportSpec(empty=("未绑定",))).profile == {}


def test_json_values_keep_their_type() -> None:
    line = {
        "user_id": 17,
        "name": "小明",
        "vip": True,
        "total_spent": 12.5,
        "tags": ["a", "b"],
        "更多": {"size": 4},
        "none": None,
    }
    row = one(json.dumps(line).encode() + b"\n", ImportSpec(unknown_columns="keep"))
    assert row.identities == {"user_id": "17"}
    assert row.profile == {
        "name": "小明",
        "vip": True,
        "total_spent": 12.5,
        "tags": ["a", "b"],
        "更多_size": 4,
        "none": None,
    }


def test_an_unknown_member_is_refused_where_that_is_declared() -> None:
    row = refused(b'{"user_id": "1", "shoe": 42}\n', ImportSpec(unknown_columns="refuse"))
    assert (row.field, "not declared" in row.reason) == ("shoe", True)


def test_the_order_of_day_and_month_is_the_columns_or_the_files() -> None:
    data = csv([("user_id", "生日"), ("1", "03/04/1990")])
    assert one(data, ImportSpec(dates="day_first")).profile["birthday"] == "1990-04-03"
    spec = with_columns(("生日", Column("attribute", "birthday", dates="month_first")), dates="day_first")
    assert one(data, spec).profile["birthday"] == "1990-03-04"
    serial = csv([("user_id", "生日"), ("1", "32878")])
    assert one(serial, ImportSpec(excel_dates=True)).profile["birthday"] == "1990-01-05"


def test_a_formula_is_kept_as_text_and_exported_safely() -> None:
    formula = '=HYPERLINK("http://x")'
    row = one(f"user_id\t姓名\n1\t{formula}\n".encode())
    assert row.profile["name"] == formula
    assert safe_cell(formula) == f"'{formula}"
    again = one(csv([("user_id", "手机号", "累计消费"), ("1", safe_cell("+8613800138000"), safe_cell("-5"))]))
    assert (again.identities["phone"], again.profile["total_spent"]) == ("+8613800138000", -5)


@given(st.text(max_size=30) | st.text(alphabet="'=+-@\t\r\n ＝a", max_size=8))
def test_an_exported_cell_comes_back_as_it_was(text: str) -> None:
    safe = safe_cell(text)
    assert original_cell(safe) == text
    assert safe[:1] not in {"=", "+", "-", "@", "\t", "\r", "\n"}


@given(st.lists(st.text(max_size=40), min_size=8, max_size=8))
@settings(max_examples=200)
def test_whatever_stands_in_a_row_it_ends_in_an_answer(cells: list[str]) -> None:
    names = ("会员编号", "姓名", "手机号", "邮箱", "生日", "城市", "累计消费", "标签")
    columns = with_columns(
        *((name, column) for name, column in COLUMNS.items() if name in names), format="csv", header=names
    )
    row = RowCleaner(columns, ATTRIBUTES, Filling()).clean(RawRow(2, dict(zip(names, cells, strict=True))))
    assert isinstance(row, (CleanRow, RejectedRow))
    if isinstance(row, CleanRow):
        json.dumps(
            [row.profile, row.identities, [repair.to_dict() for repair in row.repairs]], ensure_ascii=False
        ).encode()
        assert row.identities


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(["user_id", "phone", "email", "birthday", "tags", "groups", "locale", "vip", "x"]), JSON
    )
)
def test_whatever_a_json_row_holds_it_ends_in_an_answer(value: dict[str, Any]) -> None:
    data = b'{"user_id": "first"}\n' + json.dumps(value).encode() + b"\n"
    _, *rest = cleaned(data, ImportSpec(format="jsonl", unknown_columns="keep"))
    assert all(isinstance(row, (CleanRow, RejectedRow)) for row in rest)


COLUMNS = {
    "会员编号": Column("identity", "user_id"),
    "姓名": Column("attribute", "name"),
    "手机号": Column("identity", "phone"),
    "邮箱": Column("identity", "email"),
    "生日": Column("attribute", "birthday"),
    "城市": Column("attribute", "city"),
    "累计消费": Column("attribute", "total_spent"),
    "标签": Column("tags"),
}


@pytest.mark.parametrize(
    "cell",
    [
        "x" * 99_000,
        "\u202e" * 5000,
        "\0" * 5000,
        "💣" * 3000,
        ";".join(map(str, range(50_000))),
        "'" * 10_000,
        "=" * 10_000,
        "\ud800",
    ],
)
def test_a_hostile_cell_ends_in_an_answer(cell: str) -> None:
    spec = with_columns(*COLUMNS.items(), format="csv", header=tuple(COLUMNS))
    for name in COLUMNS:
        row = clean_row(RawRow(2, {"会员编号": "1", name: cell}), spec)
        assert isinstance(row, (CleanRow, RejectedRow))


def test_a_row_cannot_outgrow_a_profile() -> None:
    line = {"user_id": "1"} | {f"a{number}": "梅" * 1999 for number in range(200)}
    row = refused(json.dumps(line).encode() + b"\n", ImportSpec(unknown_columns="keep"))
    assert row.field == "row"
    fits = {"user_id": "1"} | {f"a{number}": "梅" * 1500 for number in range(40)}
    row_that_fits = one(json.dumps(fits).encode() + b"\n", ImportSpec(unknown_columns="keep"))
    assert len(json.dumps(row_that_fits.profile, ensure_ascii=False).encode()) < FULLEST


@pytest.mark.parametrize("cell", ['="0138"', "'0138", '"=""0138"""', '\'="0138"'])
def test_an_id_that_a_spreadsheet_was_made_to_keep_as_text_is_the_id(cell: str) -> None:
    row = one(f"user_id,email\n{cell},'mei@example.com\n".encode())
    assert row.identities == {"user_id": "0138", "email": "mei@example.com"}


def test_json_keeps_a_quotation_mark_that_no_spreadsheet_has_put_there() -> None:
    assert one(b'{"user_id": "1", "name": "\'=1+1"}\n').profile == {"name": "'=1+1"}


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ('{"user_id": "1", "email": "a@example.com", "email": "b@example.com"}', "email"),
        ('{"user_id": "1", "email": "a@example.com", "邮箱": "b@example.com"}', "邮箱"),
        ('{"user_id": "1", "city": "上海", "城市": "杭州"}', "城市"),
        ('{"user_id": "1", "a.b": 1, "a": {"b": 2}}', "a.b"),
    ],
)
def test_a_json_line_that_says_one_thing_twice_is_kept_out(line: str, field: str) -> None:
    assert refused(line.encode()).field == field


def test_an_id_that_ends_in_a_number_is_no_phone_number() -> None:
    assert refused("手机号\nuser13800138000\n".encode()).field == "手机号"


@pytest.mark.parametrize("placeholder", ["guest", "undefined", "[object Object]", "{{user_id}}", "0"])
def test_a_placeholder_in_a_column_of_identities_is_an_empty_cell(placeholder: str) -> None:
    row = one(csv([["user_id", "email"], [placeholder, "mei@example.com"]]))
    assert row.identities == {"email": "mei@example.com"}
    nobody = refused(csv([["user_id", "email"], [placeholder, ""]]))
    assert (nobody.field, "nobody's" in nobody.reason) == ("row", True)


def test_a_placeholder_names_no_group_in_a_file() -> None:
    spec = with_columns(("user_id", Column("identity", "user_id")), ("clubs", Column("groups")))
    assert one(csv([["user_id", "clubs"], ["u-1", "acme;guest;null"]]), spec).profile["groups"] == ["acme"]


@pytest.mark.parametrize("cell", ["asia/shanghai", "China Standard Time", "ASIA/SHANGHAI"])
def test_a_file_names_a_zone_in_any_spelling(cell: str) -> None:
    assert one(f"user_id,timezone\n1,{cell}\n".encode()).profile == {"timezone": "Asia/Shanghai"}
