"""Files of contacts made in code, and the short way through reading and cleaning."""

import io
from collections.abc import Iterable, Sequence
from typing import Any

from waypost.contacts.attributes import AttributeSystem
from waypost.importing.cleaning import RowCleaner
from waypost.importing.detecting import resolve
from waypost.importing.file_reading import read_rows
from waypost.importing.filling import Filling
from waypost.importing.rows import CleanRow, RawRow, RejectedRow
from waypost.importing.spec import Column, ImportSpec

ATTRIBUTES = AttributeSystem.from_dict(
    {
        "attributes": {
            "name": {"type": "string", "aliases": ["姓名"]},
            "gender": {
                "type": "string",
                "aliases": ["性别"],
                "values": {"女": "female", "female": "female", "男": "male", "male": "male"},
                "wrong": "leave_out",
            },
            "birthday": {"type": "date", "aliases": ["生日"]},
            "city": {"type": "region", "level": "city", "aliases": ["城市"], "elsewhere": True},
            "total_spent": {"type": "number", "aliases": ["累计消费"]},
            "vip": {"type": "boolean", "aliases": ["是否会员"]},
        }
    }
)

MEMBERS = """会员编号,姓名,手机号（必填）,邮箱,性别,生日,城市,累计消费,标签,备注
A001,张 三丰,138 0013 8000,Mei@Example.COM,女,1990/1/5,上海,"1,234.50",VIP；美妆,"第一行
第二行, 有逗号"
A002,李四,１３９００１３９０００,,男,1990年1月5日,浙江省杭州市,１２３,,-
A003,"王""五"" ",13700137000,wang@example.com,保密,19900105,Suzhou,无,,=cmd|' /C calc'!A0
"""


def spec_of(data: bytes, spec: ImportSpec | None = None, attributes: AttributeSystem = ATTRIBUTES) -> ImportSpec:
    """The specification, resolved with the whole file as its head."""
    return resolve(data, spec or ImportSpec(), attributes=attributes)


def rows_of(data: bytes, spec: ImportSpec | None = None, attributes: AttributeSystem = ATTRIBUTES) -> list[RawRow]:
    """Every row as it is read."""
    return list(read_rows(io.BytesIO(data), spec_of(data, spec, attributes)))


def cleaned(
    data: bytes,
    spec: ImportSpec | None = None,
    attributes: AttributeSystem = ATTRIBUTES,
    filling: Filling | None = None,
) -> list[CleanRow | RejectedRow]:
    """Every row, cleaned or refused."""
    resolved = spec_of(data, spec, attributes)
    cleaner = RowCleaner(resolved, attributes, filling or Filling())
    return [cleaner.clean(row) for row in read_rows(io.BytesIO(data), resolved)]


def one(data: bytes, spec: ImportSpec | None = None, **more: Any) -> CleanRow:
    """The only row, which is clean."""
    (row,) = cleaned(data, spec, **more)
    assert isinstance(row, CleanRow), row
    return row


def refused(data: bytes, spec: ImportSpec | None = None, **more: Any) -> RejectedRow:
    """The only row, which is refused."""
    (row,) = cleaned(data, spec, **more)
    assert isinstance(row, RejectedRow), row
    return row


def with_columns(*columns: tuple[str, Column], **fields: Any) -> ImportSpec:
    """A specification with these columns."""
    return ImportSpec(**fields).with_columns(dict(columns))


def csv(rows: Iterable[Sequence[str]]) -> bytes:
    """Rows of plain cells as a CSV file."""
    return "".join(",".join(row) + "\n" for row in rows).encode()
