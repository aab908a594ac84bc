"""Rows as they stand in a file, whatever wrote it."""

import gzip
import io
import random
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.importing.files import MEMBERS, rows_of, spec_of
from waypost.errors import InvalidInput
from waypost.importing.csv_rows import LONGEST_CELL
from waypost.importing.detecting import HEAD, resolve
from waypost.importing.file_reading import PartStart, heads, plain_stream, read_rows, split_points
from waypost.importing.lines import LONGEST_LINE
from waypost.importing.rows import RowProblem
from waypost.importing.spec import ImportSpec

ESCAPED = r"""会员编号,姓名,备注
A001,"A \"B\" C",plain
A002,"A \"B, C\" D","{\"a\": \"b\"}"
A003,"C:\dir\","said ""yes"" \""yes\"" "
"""

NAMES = ["A001", "A002", "A003"]


def ids(data: bytes, spec: ImportSpec | None = None) -> list[str]:
    return [row.cells["会员编号"] for row in rows_of(data, spec) if not isinstance(row.cells, RowProblem)]


def test_quotation_marks_escaped_as_mysql_writes_them_are_read_where_the_row_is_no_csv_otherwise() -> None:
    rows = [row.cells for row in rows_of(ESCAPED.encode())]
    assert [(row["姓名"], row["备注"]) for row in rows if not isinstance(row, RowProblem)] == [
        ('A "B" C', "plain"),
        ('A "B, C" D', '{"a": "b"}'),
        ("C:\\dir\\", 'said "yes" \\"yes\\" '),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030", "gbk"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_file_is_read_in_every_encoding_and_with_every_line_end(encoding: str, line_end: str) -> None:
    data = MEMBERS.replace("\n", line_end).encode(encoding)
    rows = rows_of(data)
    assert [row.number for row in rows] == [2, 3, 4]
    assert ids(data) == NAMES
    first = rows[0].cells
    assert not isinstance(first, RowProblem)
    assert first["姓名"] == "张 三丰"
    assert first["备注"] == f"第一行{line_end}第二行, 有逗号"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_separator_is_found(delimiter: str) -> None:
    data = f"会员编号{delimiter}邮箱{delimiter}备注\nA001{delimiter}a@example.com{delimiter}x, y; z\n".encode("gb18030")
    if delimiter in ",;":
        data = data.replace(b"x, y; z", b"x y z")
    assert spec_of(data).delimiter == delimiter
    assert ids(data) == ["A001"]


def test_the_hint_of_excel_and_a_title_row_are_no_header() -> None:
    assert ids("sep=;\n会员编号;邮箱\nA001;a@example.com\n".encode()) == ["A001"]
    titled = "会员列表,\n会员编号,邮箱\nA001,a@example.com\n".encode()
    assert ids(titled, ImportSpec(header_row=2)) == ["A001"]
    assert [row.number for row in rows_of(titled, ImportSpec(header_row=2))] == [3]


def test_rows_are_counted_as_a_spreadsheet_counts_them() -> None:
    data = b'user_id,note\n1,"two\nlines"\n\n,\n2,x\n'
    assert [row.number for row in rows_of(data)] == [2, 5]


def test_a_row_with_a_cell_too_many_is_refused_and_one_with_too_few_is_not() -> None:
    rows = rows_of(b"user_id,name,note\n1,a\n2,b,c,d\n3,a,b,,\n")
    assert rows[0].cells == {"user_id": "1", "name": "a"}
    assert isinstance(rows[1].cells, RowProblem)
    assert "4 cells where the header has 3" in rows[1].cells.reason
    assert isinstance(rows[2].cells, RowProblem), "an empty last cell hides that the others were shifted"


def test_a_separator_at_the_end_of_every_row_shifts_nothing() -> None:
    assert rows_of(b"user_id,name\n1,a,\n2,b,\n")[1].cells == {"user_id": "2", "name": "b", "column 3": ""}


def test_what_is_left_of_a_broken_row_and_a_header_in_the_middle_are_nobody() -> None:
    rows = rows_of(b"user_id,name\n1,a\nsecond line of a note\nuser_id,name\n2,b\n")
    assert [row.number for row in rows if isinstance(row.cells, RowProblem)] == [3, 4]


def test_a_quotation_mark_that_is_never_closed_costs_one_row() -> None:
    data = b'user_id,name\n1,a\n2,"open\n3,c\n' + b"".join(b"%d,x\n" % number for number in range(4, 1000))
    rows = rows_of(data)
    assert [row.number for row in rows if isinstance(row.cells, RowProblem)] == [3]
    assert len(rows) == 999


def test_an_open_quotation_mark_in_the_last_row_costs_that_row() -> None:
    rows = rows_of(b'user_id,name\n1,a\n2,"open')
    assert [(row.number, isinstance(row.cells, RowProblem)) for row in rows] == [(2, False), (3, True)]


def test_damaged_bytes_cost_the_row_they_stand_in() -> None:
    data = "会员编号,备注\n".encode() + "A001,梅\n".encode() * 20 + b"A\xff\xfe\x80,x\n" + b"A003,y\n"
    rows = rows_of(data)
    assert [row.number for row in rows if isinstance(row.cells, RowProblem)] == [22]


def test_a_file_that_begins_in_ascii_may_go_on_in_either_encoding() -> None:
    for encoding in ("utf-8", "gb18030"):
        head = b"user_id,email\n" + b"1,a@example.com\n" * (HEAD // 16 + 10)
        data = head + "2,梅花\n".encode(encoding)
        spec = resolve(data[:HEAD], ImportSpec())
        *_, last = read_rows(io.BytesIO(data), spec)
        assert last.cells == {"user_id": "2", "email": "梅花"}


def test_a_huge_cell_and_a_huge_line_cost_one_row_each() -> None:
    huge = b"x" * (LONGEST_CELL + 1)
    endless = b"y" * (LONGEST_LINE + 5)
    rows = rows_of(b"user_id,note\n1," + huge + b"\n2,ok\n3," + endless + b"\n4,ok\n" + b'5,"' + huge + b'"\n6,ok\n')
    assert [row.number for row in rows if isinstance(row.cells, RowProblem)] == [2, 4, 6]
    assert [row.cells["user_id"] for row in rows if not isinstance(row.cells, RowProblem)] == ["2", "4", "6"]


def test_nul_bytes_and_stray_returns_break_nothing() -> None:
    rows = rows_of(b"user_id,note\n1,a\0b\n2,c\rd\n3,ok\n")
    assert [row.number for row in rows] == [2, 3, 4]
    assert rows[0].cells == {"user_id": "1", "note": "a\0b"}
    assert isinstance(rows[1].cells, RowProblem)


def test_a_row_is_read_before_the_file_is_held_in_memory() -> None:
    size = 4_000_000

    class Endless(io.RawIOBase):
        def __init__(self) -> None:
            self.given = 0
            self.header = b"user_id,email\n"

        def read(self, wanted: int = -1) -> bytes:
            if self.header:
                block, self.header = self.header, b""
                return block
            if self.given >= size:
                return b""
            self.given += 65_520
            return b"123456,a@example.com\n" * (65_520 // 21)

    stream = Endless()
    spec = resolve(b"user_id,email\n123456,a@example.com\n", ImportSpec())
    rows = read_rows(stream, spec)  # type: ignore[arg-type]
    next(rows)
    tracemalloc.start()
    count = sum(1 for _ in rows)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count > 150_000
    assert peak < 1_500_000


CELLS = st.text(alphabet='ab"\n\r,;\t 梅張🍵\0=', max_size=12)


@given(
    table=st.lists(st.lists(CELLS, min_size=2, max_size=2), min_size=1, max_size=20),
    encoding=st.sampled_from(["utf-8", "utf-16-le", "utf-16-be", "gb18030"]),
    per_part=st.integers(1, 5),
)
def test_parts_have_the_rows_of_the_whole(table: list[list[str]], encoding: str, per_part: int) -> None:
    quoted = "".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n" for row in table)
    data = f"user_id,note\n{quoted}".encode(encoding)
    spec = ImportSpec(format="csv", encoding=encoding, delimiter=",", header=("user_id", "note"))
    assert_parts_are_the_whole(data, spec, per_part)


@given(
    st.binary(max_size=300),
    st.sampled_from(["utf-8", "utf-16-le", "gb18030", "utf-8 or gb18030"]),
    st.integers(1, 4),
    st.booleans(),
)
def test_bytes_of_any_kind_are_read_alike_in_parts_and_whole(
    rest: bytes, encoding: str, per_part: int, mac: bool
) -> None:
    data = "a,b\n".encode(encoding.split(" or ", maxsplit=1)[0]) + rest
    spec = ImportSpec(format="csv", encoding=encoding, delimiter=",", header=("a", "b"), mac_lines=mac)
    assert_parts_are_the_whole(data, spec, per_part)


def assert_parts_are_the_whole(data: bytes, spec: ImportSpec, per_part: int) -> None:
    whole = list(read_rows(io.BytesIO(data), spec))
    starts = list(split_points(io.BytesIO(data), spec, per_part))
    assert [
        row for part in parts(data, starts) for row in read_rows(io.BytesIO(part[0]), spec, first_row=part[1])
    ] == whole


def parts(data: bytes, starts: list[PartStart]) -> Iterator[tuple[bytes, int]]:
    ends = [start.offset for start in starts[1:]] + [len(data)]
    for start, end in zip(starts, ends, strict=False):
        yield data[start.offset : end], start.first_row


def test_a_quoted_line_break_is_never_cut() -> None:
    data = 'user_id,note\n1,"a\nb\nc"\n2,"梅\n花"\n3,x\n'.encode("gb18030")
    spec = spec_of(data)
    starts = list(split_points(io.BytesIO(data), spec, 1))
    assert [part.decode("gb18030") for part, _ in parts(data, starts)] == ['1,"a\nb\nc"\n', '2,"梅\n花"\n', "3,x\n"]
    assert [start.first_row for start in starts] == [2, 3, 4]


def test_cutting_can_go_on_from_a_part_start() -> None:
    data = b"user_id,note\n" + b"".join(b'%d,"x\ny"\n' % number for number in range(100))
    spec = spec_of(data)
    starts = list(split_points(io.BytesIO(data), spec, 10))
    later = list(split_points(io.BytesIO(data[starts[4].offset :]), spec, 10, first_row=starts[4].first_row))
    assert [(start.offset + starts[4].offset, start.first_row) for start in later] == [
        (start.offset, start.first_row) for start in starts[4:]
    ]


def test_a_compressed_file_is_read_like_a_plain_one_and_a_damaged_one_is_an_error() -> None:
    data = MEMBERS.encode()
    packed = gzip.compress(data)
    assert spec_of(packed) == spec_of(data)
    stream = io.BytesIO(packed)
    plain = plain_stream(stream, heads(stream, 10))
    assert len(list(read_rows(plain, spec_of(data)))) == 3
    broken = io.BytesIO(packed[:-20])
    with pytest.raises(InvalidInput, match="damaged"):
        plain_stream(broken, heads(broken, 10)).read(1_000_000)


def test_json_lines_are_flattened() -> None:
    rows = rows_of('{"user_id": 1, "address": {"city": "上海", "tags": ["a", 1]}}\n\n{"user_id": "2"}\n'.encode())
    assert [(row.number, row.cells) for row in rows] == [
        (1, {"user_id": 1, "address.city": "上海", "address.tags": ["a", 1]}),
        (3, {"user_id": "2"}),
    ]


@pytest.mark.parametrize(
    "line",
    [
        b"[1]", b"{", b'{"a": [{"b": 1}]}', b'{"a":' * 5000 + b"1" + b"}" * 5000, b"[" * 100_000, b'{"a": NaN}', b'"\\ud800"', b"null",
        b"{" + b",".join(b'"k%d": 1' % number for number in range(2000)) + b"}", b'{"a": "' + b"x" * 200_000 + b'"}', b'{"' + b"(" * 100_000 + b'": 1}',
    ],
)  # fmt: skip
def test_a_json_bomb_costs_one_row(line: bytes) -> None:
    data = b'{"user_id": "1"}\n' + line + b'\n{"user_id": "3"}\n'
    rows = rows_of(data)
    assert [row.number for row in rows if isinstance(row.cells, RowProblem)] == [2]
    assert len(rows) == 3


def test_an_unresolved_specification_reads_nothing() -> None:
    with pytest.raises(InvalidInput, match="resolved"):
        next(read_rows(io.BytesIO(b""), ImportSpec()))


def test_a_specification_travels_as_json() -> None:
    spec = spec_of(MEMBERS.encode("gb18030"))
    assert ImportSpec.from_dict(spec.to_dict()) == spec


def test_random_damage_never_raises() -> None:
    chance = random.Random(7)  # noqa: S311 - repeatable, not secret
    whole = (MEMBERS * 3).encode("gb18030")
    spec = spec_of(MEMBERS.encode("gb18030"))
    for _ in range(300):
        damaged = bytearray(whole)
        for _ in range(chance.randrange(1, 30)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        assert_parts_are_the_whole(bytes(damaged), spec, 2)
