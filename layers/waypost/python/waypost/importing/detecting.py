"""Detects a file's format, encoding and columns from its beginning. Called by inspect_import.

What would reject every row for the same reason is an error of the file and is reported here, before anything is stored:
a workbook instead of a CSV file, a header that is missing, a column of phone numbers that holds e-mail addresses.
"""

import codecs
import io
import itertools
import re
import zlib
from collections import Counter
from dataclasses import replace
from typing import Final

from waypost.contacts.attributes import AttributeSystem, load_attributes
from waypost.contacts.cleaning.text import plain
from waypost.errors import InvalidInput
from waypost.importing.csv_rows import Record, read_records
from waypost.importing.file_reading import GZIP, read_rows
from waypost.importing.json_rows import parsed
from waypost.importing.lines import UNDECIDED, byte_order_mark
from waypost.importing.mapping import mapped
from waypost.importing.plausible_text import is_chinese
from waypost.importing.rows import RawRow, RowProblem
from waypost.importing.sampling import check_sample
from waypost.importing.spec import Format, ImportSpec

HEAD: Final = 1 << 18
"""Bytes at the beginning of a file that are read for detection."""

MOST_COLUMNS: Final = 1000
_SAMPLE_ROWS: Final = 200
_DELIMITERS: Final = ",;\t|"
CODECS: Final = {
    "gbk": "gb18030", "gb2312": "gb18030", "cp936": "gb18030", "gb18030": "gb18030", "utf-8": "utf-8", "utf8": "utf-8",
    "utf-8-sig": "utf-8", "utf-16": "utf-16-le", "utf-16-le": "utf-16-le", "utf-16-be": "utf-16-be", UNDECIDED: UNDECIDED,
    "cp1252": "cp1252", "windows-1252": "cp1252", "latin-1": "cp1252", "latin1": "cp1252", "iso-8859-1": "cp1252",
    "cp1250": "cp1250", "windows-1250": "cp1250", "iso-8859-2": "iso8859-2", "cp1251": "cp1251", "windows-1251": "cp1251",
    "koi8-r": "koi8-r", "cp1253": "cp1253", "windows-1253": "cp1253", "cp1254": "cp1254", "windows-1254": "cp1254",
    "big5": "cp950", "cp950": "cp950", "big5-hkscs": "big5hkscs", "shift-jis": "cp932", "shift_jis": "cp932",
    "sjis": "cp932", "cp932": "cp932", "euc-jp": "euc_jp", "euc-kr": "cp949", "cp949": "cp949", "macroman": "mac-roman",
    "cp1255": "cp1255", "cp1256": "cp1256", "cp1257": "cp1257", "cp1258": "cp1258", "cp874": "cp874", "tis-620": "cp874",
    "iso-8859-5": "iso8859-5", "iso-8859-7": "iso8859-7", "iso-8859-9": "cp1254", "iso-8859-15": "iso8859-15",
}  # fmt: skip
"""What may be declared, and the codec that reads it. Only Unicode and GB18030 are ever found without being declared."""

_UTF_32: Final = (b"\xff\xfe\0\0", b"\0\0\xfe\xff")
_MOST_UNREADABLE: Final = 0.1
_WORKBOOKS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


def resolve(head: bytes, spec: ImportSpec, *, attributes: AttributeSystem | None = None) -> ImportSpec:
    """The specification, completed from the first ``HEAD`` bytes of the file and ready for ``read_rows``.

    Raises InvalidInput, naming the column where it is one, for a file that cannot be imported as it is.
    """
    system = load_attributes() if attributes is None else attributes
    plain_head = _decompressed(head)
    _refuse_workbook(plain_head)
    spec = replace(spec, encoding=_encoding(plain_head, spec))
    is_whole = len(head) < HEAD
    text = _text(plain_head, spec.encoding)
    if not text.strip():
        raise InvalidInput("file", "is empty")
    kind = spec.format or _format(text)
    if kind == "csv" or (kind == "pinpoint" and not text.lstrip().startswith("{")):
        spec = _csv(plain_head, text, replace(spec, format=kind))
        kind = spec.format or kind
    spec = replace(spec, format=kind)
    if kind == "csv":
        spec = mapped(spec.header, spec, system)
    sample = list(itertools.islice(read_rows(io.BytesIO(plain_head), spec), _SAMPLE_ROWS))
    return check_sample(_complete(sample, is_whole=is_whole), spec, system)


def _complete(rows: list[RawRow], *, is_whole: bool) -> list[RawRow]:
    """The rows without the one the head may have cut."""
    return rows if is_whole or len(rows) == _SAMPLE_ROWS else rows[:-1]


def _decompressed(head: bytes) -> bytes:
    if not head.startswith(GZIP):
        return head
    try:
        return zlib.decompressobj(31).decompress(head, HEAD)
    except zlib.error as error:
        raise InvalidInput("file", "is compressed with gzip but damaged; export it again") from error


def _refuse_workbook(head: bytes) -> None:
    if head.startswith(_WORKBOOKS):
        raise InvalidInput(
            "file", "is an Excel workbook or another archive; save the sheet as CSV UTF-8 and import that"
        )


def _encoding(head: bytes, spec: ImportSpec) -> str:
    if head.startswith(_UTF_32):
        raise InvalidInput("file", "is text in UTF-32; save it as CSV UTF-8 and import that")
    for encoding in ("utf-8", "utf-16-le", "utf-16-be", "gb18030"):
        if head.startswith(byte_order_mark(encoding)):
            return encoding
    if spec.encoding:
        declared = CODECS.get(spec.encoding.lower(), "")
        if not declared:
            raise InvalidInput("encoding", f"should be one of {', '.join(sorted(CODECS))}, got {spec.encoding!r}")
        if not all(_reads(head, each) for each in declared.split(" or ")):
            raise InvalidInput(
                "encoding", f"is declared as {declared}, but the file is not; leave it out to have it found"
            )
        return declared
    if head.isascii() and b"\0" not in head:
        return UNDECIDED
    return _guessed(head)


_OTHER_ENCODING: Final = (
    "is not text in UTF-8, UTF-16 or GB18030; save it as CSV UTF-8, or name its encoding, for example cp1252 (Western Europe),"
    " cp1251 (Cyrillic), shift-jis, big5 or gbk"
)


def _guessed(head: bytes) -> str:
    """The encoding of a head without a mark. Text in UTF-16 has a zero byte in every ASCII character, other text has none."""
    zeros = Counter(place % 2 for place, byte in enumerate(head[:4000]) if byte == 0)
    if sum(zeros.values()) > min(len(head), 4000) // 8:
        wide = "utf-16-le" if zeros[1] >= zeros[0] else "utf-16-be"
        if _reads(head, wide):
            return wide
    if _reads(head, "utf-8"):
        return "utf-8"
    # a few damaged rows must not keep out the others: the encoding that reads most lines
    pieces = head.split(b"\n")
    if len(head) >= HEAD and len(pieces) > 1:
        pieces.pop()  # cut in the middle
    lines = [line for line in pieces if not line.isascii()]
    read = {encoding: [line for line in lines if _reads(line, encoding)] for encoding in ("utf-8", "gb18030")}
    best = max(read, key=lambda encoding: len(read[encoding]))
    unread = len(lines) - len(read[best])
    if not read[best] or unread > max(1, len(lines) * _MOST_UNREADABLE):
        raise InvalidInput("file", _OTHER_ENCODING)
    if best == "gb18030" and not is_chinese(b"".join(read[best])):
        raise InvalidInput("file", _OTHER_ENCODING)
    return best


def _reads(data: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(data)
    except UnicodeDecodeError:
        return False
    return True


def _text(head: bytes, encoding: str) -> str:
    first = encoding.split(" or ", maxsplit=1)[0]
    return codecs.getincrementaldecoder(first)("replace").decode(head).removeprefix("\ufeff")


def _format(text: str) -> Format:
    start = text.lstrip()
    if start.startswith("["):
        raise InvalidInput("file", "is one JSON array; write one object a line (JSON lines), or CSV")
    if not start.startswith("{"):
        return "csv"
    first = parsed(re.split(r"[\r\n]", start, maxsplit=1)[0])  # other line breaks may stand in a JSON text
    if isinstance(first, RowProblem):
        if first.field != "row":
            return "jsonl"
        raise InvalidInput("file", "looks like JSON, but its first line is no JSON object; write one object a line")
    return "pinpoint" if "ChannelType" in first or set(first) == {"User"} else "jsonl"


def _csv(head: bytes, text: str, spec: ImportSpec) -> ImportSpec:
    """The specification with the columns of the header row."""
    spec = replace(spec, mac_lines="\n" not in text and "\r" in text)
    first_line = text.splitlines()[0]
    if first_line.lower().startswith("sep=") and len(first_line) == 5:  # Excel's own hint
        spec = replace(spec, delimiter=spec.delimiter or first_line[4], header_row=max(spec.header_row, 2))
    if not spec.delimiter:
        spec = replace(spec, delimiter=_delimiter(head, spec))
    if len(spec.delimiter) != 1 or spec.delimiter in '"\r\n':
        raise InvalidInput("delimiter", f"should be one character such as , or ; or a tab, got {spec.delimiter!r}")
    records = list(itertools.islice(read_records(io.BytesIO(head), spec), spec.header_row))
    if len(records) < spec.header_row:
        raise InvalidInput("header_row", f"is {spec.header_row}, but the file has {len(records)} rows")
    header = _as_wide_as_rows(_header(records[-1]), head, spec)
    names = {name for name in header if name}
    if spec.format == "csv" and ({"ChannelType", "Address"} <= names or names == {"User.UserId"}):
        spec = replace(spec, format="pinpoint")
    if len(header) > MOST_COLUMNS:
        raise InvalidInput("file", f"has {len(header):,} columns; at most {MOST_COLUMNS:,} can be imported")
    return replace(spec, header=header if spec.format == "pinpoint" else _distinct(header))


def _header(record: Record) -> tuple[str, ...]:
    if isinstance(record.cells, RowProblem):
        raise InvalidInput("header", record.cells.reason)
    names = [plain(cell)[:100] for cell in record.cells]
    if not any(names):
        raise InvalidInput(
            "header", "is empty; the row with the column names has to be the first, or declare header_row"
        )
    return tuple(name or f"column {place}" for place, name in enumerate(names, 1))


def _as_wide_as_rows(header: tuple[str, ...], head: bytes, spec: ImportSpec) -> tuple[str, ...]:
    """The header with columns for the separators that every row, but not the header, ends with."""
    records = itertools.islice(
        read_records(io.BytesIO(head), spec), spec.header_row, spec.header_row + _SAMPLE_ROWS
    )  # fmt: skip
    rows = [record.cells for record in records if isinstance(record.cells, list) and any(record.cells)]
    width = min(map(len, rows), default=0)
    if any(any(row[len(header) :]) for row in rows):
        return header  # those cells have no column
    return (*header, *(f"column {place}" for place in range(len(header) + 1, width + 1)))


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names, a repeated one with a number, so that no cell is lost: ``备注``, ``备注 (2)``."""
    seen: Counter[str] = Counter()
    distinct: list[str] = []
    for name in names:
        seen[name] += 1
        distinct.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(distinct)


def _delimiter(head: bytes, spec: ImportSpec) -> str:
    """The separator that cuts the first rows into the most cells of one number."""

    def agreement(delimiter: str) -> tuple[int, int]:
        records = itertools.islice(
            read_records(io.BytesIO(head), replace(spec, delimiter=delimiter)),
            spec.header_row - 1,
            spec.header_row + 20,
        )
        widths = [len(record.cells) for record in records if isinstance(record.cells, list) and record.cells]
        if not widths or widths[0] < 2:
            return 0, 0
        return sum(width == widths[0] for width in widths), widths[0]

    best = max(_DELIMITERS, key=agreement)
    return best if agreement(best)[1] > 1 else ","
