"""An error of the file is reported once, before anything is stored."""

import io
import json

import pytest

from tests.importing.files import ATTRIBUTES, MEMBERS, csv, spec_of, with_columns
from waypost.errors import InvalidInput
from waypost.importing.detecting import HEAD
from waypost.importing.file_reading import read_rows
from waypost.importing.lines import UNDECIDED
from waypost.importing.mapping import by_alias, folded
from waypost.importing.rows import RowProblem
from waypost.importing.spec import Column, ImportSpec


def refusal(data: bytes, spec: ImportSpec | None = None) -> tuple[str, str]:
    with pytest.raises(InvalidInput) as error:
        spec_of(data, spec)
    return error.value.field, error.value.reason


def test_columns_are_found_by_their_names() -> None:
    spec = spec_of(MEMBERS.encode("gb18030"))
    assert spec.encoding == "gb18030"
    assert {name: (column.goes_to, column.name) for name, column in spec.columns} == {
        "会员编号": ("identity", "user_id"),
        "姓名": ("attribute", "name"),
        "手机号（必填）": ("identity", "phone"),
        "邮箱": ("identity", "email"),
        "性别": ("attribute", "gender"),
        "生日": ("attribute", "birthday"),
        "城市": ("attribute", "city"),
        "累计消费": ("attribute", "total_spent"),
        "标签": ("tags", ""),
    }
    assert spec.unmapped == ("备注",)


@pytest.mark.parametrize(
    "name", ["手机号", "手机号（必填）", "Mobile Phone", "mobile_phone", "ＭＯＢＩＬＥ", " 联系电话 ", "手机[11位]"]
)
def test_a_column_has_many_names(name: str) -> None:
    assert by_alias(name, ATTRIBUTES) == Column("identity", "phone")


def test_names_are_compared_without_case_blanks_and_brackets() -> None:
    assert folded("手机号（必填）") == folded("手机号") == folded(" 手机 号 ")
    assert folded("(手机)") == "手机"


def test_swapped_columns_are_an_error_of_the_file() -> None:
    rows = [("手机号", "邮箱"), *((f"m{number}@example.com", f"1380013800{number}") for number in range(5))]
    where, reason = refusal(csv(rows))
    assert where == "column 手机号"
    assert "holds e-mail addresses" in reason
    where, reason = refusal(csv([("user_id", "邮箱"), *((str(number), f"1380013800{number}") for number in range(5))]))
    assert (where, "holds phone numbers" in reason) == ("column 邮箱", True)


def test_one_row_is_enough_to_see_that_two_columns_are_swapped() -> None:
    assert refusal(csv([("手机", "邮箱"), ("a@example.com", "13800138000")]))[0] == "column 手机"


def test_a_column_without_addresses_beside_one_full_of_them_is_an_error_of_the_file() -> None:
    where, reason = refusal(csv([("姓名", "手机"), ("13800138000", "小明"), ("13800138001", "小红")]))
    assert where == "column 手机"
    assert "the column 姓名 does" in reason


def test_a_column_of_which_nothing_can_be_read_is_an_error_of_the_file() -> None:
    where, reason = refusal(
        csv([("user_id", "生日"), *((str(number), f"03/0{number % 9 + 1}/19x0") for number in range(20))])
    )
    assert where == "column 生日"
    assert "20 of the first 20 values" in reason


def test_some_wrong_cells_are_no_error_of_the_file() -> None:
    rows = [("user_id", "手机号"), *((str(number), "13800138000" if number % 2 else "wrong") for number in range(40))]
    assert spec_of(csv(rows)).header == ("user_id", "手机号")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"\n \n", "empty"),
        (b"PK\x03\x04 something", "Excel workbook"),
        (b"\xd0\xcf\x11\xe0 something", "Excel workbook"),
        (b'[{"user_id": 1}]', "one object a line"),
        (b"{broken\n", "first line is no JSON object"),
        (b"13800138000,\xe5\xbc\xa0\n13800138001,\xe5\xbc\xa0\n", "address instead of column names"),
        (b"name,note\na,b\n", "nobody's"),
        (b"\x1f\x8b broken", "damaged"),
        (bytes(range(128, 256)) * 10, "not text"),
        (b",,\na,b,c\n", "header"),
    ],
)
def test_what_is_no_file_of_contacts_is_reported_with_the_way_out(data: bytes, words: str) -> None:
    assert words in ": ".join(refusal(data))


def test_a_declared_encoding_that_is_wrong_is_reported() -> None:
    assert refusal(MEMBERS.encode("gb18030"), ImportSpec(encoding="utf-8"))[0] == "encoding"
    assert spec_of(MEMBERS.encode("gb18030"), ImportSpec(encoding="gbk")).encoding == "gb18030"
    assert spec_of(b"user_id,x\n1,2\n").encoding == UNDECIDED


def test_two_columns_of_one_meaning_are_reported() -> None:
    where, reason = refusal(csv([("user_id", "手机", "联系手机"), ("1", "13800138000", "13800138001")]))
    assert (where, "手机" in reason) == ("column 联系手机", True)
    spec = spec_of(csv([("user_id", "手机", "电话")]), with_columns(("电话", Column("identity", "phone"))))
    assert dict(spec.columns)["电话"].name == "phone"
    assert spec.unmapped == ("手机",)


def test_beside_a_mobile_number_another_phone_number_is_the_second_choice() -> None:
    spec = spec_of(csv([("user_id", "电话", "手机"), ("1", "13800138000", "13800138001")]))
    columns = dict(spec.columns)
    assert (columns["手机"].fallback, columns["电话"].fallback) == (0, 1)
    assert refusal(csv([("user_id", "电话", "联系方式"), ("1", "13800138000", "13800138001")]))[0] == "column 联系方式"


def test_a_repeated_column_is_kept_apart() -> None:
    assert spec_of(csv([("user_id", "note", "note")])).header == ("user_id", "note", "note (2)")


def test_unknown_columns_are_ignored_kept_or_refused() -> None:
    data = csv([("user_id", "Shoe Size"), ("1", "42")])
    assert spec_of(data).unmapped == ("Shoe Size",)
    assert dict(spec_of(data, ImportSpec(unknown_columns="keep")).columns)["Shoe Size"] == Column(
        "attribute", "shoe_size"
    )
    assert refusal(data, ImportSpec(unknown_columns="refuse"))[0] == "column Shoe Size"


def test_a_declared_column_that_is_missing_is_reported_with_those_there_are() -> None:
    where, reason = refusal(
        csv([("user_id", "note"), ("1", "x")]), with_columns(("手机号", Column("identity", "phone")))
    )
    assert where == "column 手机号"
    assert "user_id, note" in reason


def test_required_identities_need_a_column() -> None:
    assert "phone" in refusal(csv([("user_id", "note"), ("1", "x")]), ImportSpec(required=("phone",)))[1]


def test_the_format_is_detected_from_the_content() -> None:
    assert spec_of(b'{"user_id": 1}\n').format == "jsonl"
    endpoint = {"ChannelType": "EMAIL", "Address": "mei@example.com"}
    assert spec_of(json.dumps(endpoint).encode() + b"\n").format == "pinpoint"
    assert spec_of(b"ChannelType,Address\nEMAIL,mei@example.com\n").format == "pinpoint"
    assert spec_of(b"User.UserId\nu-1\n").format == "pinpoint"


NAMES = {
    "cp1252": [["Renée Lefèvre", "Orléans"], ["François Hébert", "Besançon"], ["Jörg Müller", "Köln"], ["Señor Núñez", "A Coruña"]],
    "cp1250": [["Łukasz Żółć", "Kraków"], ["Jiří Dvořák", "Plzeň"]],
    "cp1251": [["Иван Петров", "Москва"], ["ИВАН ПЕТРОВ", "МОСКВА"], ["Олена Коваль", "Київ"]],
    "koi8-r": [["Иван Петров", "Москва"]],
    "iso-8859-5": [["Иван Петров", "Москва"]],
    "iso-8859-7": [["Γιώργος Παπαδόπουλος", "Αθήνα"]],
    "iso-8859-15": [["Zoë Müller", "Œuvrés-€"]],
    "cp1255": [["דוד כהן", "תל אביב"]],
    "cp1256": [["محمد علي", "القاهرة"]],
    "cp1257": [["Jānis Bērziņš", "Rīga"]],
    "cp874": [["สมชาย ใจดี", "เชียงใหม่"]],
    "cp1253": [["Γιώργος Παπαδόπουλος", "Αθήνα"]],
    "shift-jis": [["山田太郎", "東京都"], ["サトウ ハナコ", "大阪"]],
    "euc-jp": [["山田太郎", "東京都"]],
    "big5": [["張三豐", "臺北市"], ["黃小明", "高雄市"]],
    "euc-kr": [["김철수", "서울"], ["이영희", "부산"]],
}  # fmt: skip
ROWS = [(encoding, row) for encoding, rows in NAMES.items() for row in rows]


@pytest.mark.parametrize(("encoding", "row"), ROWS)
@pytest.mark.parametrize("times", [1, 40])
def test_another_encoding_is_read_only_when_it_is_named(encoding: str, row: list[str], times: int) -> None:
    line = f"{row[0]},a@example.com,{row[1]}\n"
    data = ("name,email,city\n" + line * times).encode(encoding)
    with pytest.raises(InvalidInput, match="name its encoding, for example cp1252"):
        spec_of(data)
    named = spec_of(data, ImportSpec(encoding=encoding))
    rows = list(read_rows(io.BytesIO(data), named))
    assert [each.cells for each in rows] == [{"name": row[0], "email": "a@example.com", "city": row[1]}] * times


@pytest.mark.parametrize(
    "text",
    [
        "name,email,city\n李娜,a@example.com,上海\n",
        "name,phone\n张伟,13800138000\n",
        "name,email,note\n王喆,a@example.com,喜欢喝茶\n",
        "姓名,手机号\n林晓薇,13800138000\n",
        "客户编号,备注\n7,“老客户”，住在杭州市西湖区文三路 A 座\n",
        "name,note,user_id\nO'Neil,T恤和牛仔裤,7\n欧阳淼淼,爱好旅游、美食,8\n",
        "phone,address\n13800138000,江苏省南京市鼓楼区中山路12号\n",
        "name,phone\n张伟,13800138000",
    ],
)
def test_chinese_files_of_a_few_words_are_found_to_be_chinese(text: str) -> None:
    assert spec_of(text.encode("gbk")).encoding == "gb18030"


def test_a_line_in_another_encoding_after_a_beginning_in_ascii_is_kept_out() -> None:
    head = "user_id,name\n" + "1,Ann\n" * 60_000
    data = head.encode() + "2,Renée Lefèvre\n".encode("cp1252") + "3,梅花\n".encode("gbk") + "4,Zoë\n".encode()
    *_, damaged, chinese, german = read_rows(io.BytesIO(data), spec_of(data[:HEAD]))
    assert isinstance(damaged.cells, RowProblem)
    assert "name the encoding" in damaged.cells.reason
    assert chinese.cells == {"user_id": "3", "name": "梅花"}
    assert german.cells == {"user_id": "4", "name": "Zoë"}


@pytest.mark.parametrize("encoding", ["big5", "latin-1", "utf-32"])
def test_text_in_another_encoding_is_refused_and_not_read_as_chinese(encoding: str) -> None:
    names = (
        ["張三豐", "陳大文", "黃小明"] if encoding == "big5" else ["José García", "Zoë Müller", "Renée, née Ångström"]
    )
    data = "user_id,name\n" + "".join(f'{number},"{names[number % 3]}"\n' for number in range(30))
    with pytest.raises(InvalidInput, match=r"is (not )?text in UTF"):
        spec_of(data.encode(encoding))
