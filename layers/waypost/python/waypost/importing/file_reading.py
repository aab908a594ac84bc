"""Reads a file of contacts row by row, whole or in parts, with memory that does not grow with the file. Used by importers.

A file is first looked at (``waypost.importing.detecting.resolve``), then cut (``split_points``) and each part read
(``read_rows``). A compressed file is read through ``plain_stream`` and can only be cut once it was decompressed.
"""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final, cast

from waypost.contacts.cleaning.text import plain
from waypost.errors import InvalidInput
from waypost.importing.csv_rows import read_records
from waypost.importing.json_rows import read_objects
from waypost.importing.rows import Cell, RawRow, RowProblem
from waypost.importing.spec import ImportSpec

GZIP: Final = b"\x1f\x8b"

_HEADER_AGAIN: Final = RowProblem("is the header again, of another file joined to the first; leave it out")


@dataclass(frozen=True, slots=True)
class PartStart:
    """Where a part of a file starts: the ``offset`` of its first byte, and the number of the row that stands there."""

    offset: int
    first_row: int


def plain_stream(stream: BinaryIO, head: bytes) -> BinaryIO:
    """The stream, decompressed if its ``head`` (already read from it) is that of gzip; Pinpoint exports are ``.gz``."""
    whole = cast("BinaryIO", _Rejoined(head, stream))
    return cast("BinaryIO", _Unzipped(whole)) if head.startswith(GZIP) else whole


def read_rows(stream: BinaryIO, spec: ImportSpec, *, first_row: int | None = None) -> Iterator[RawRow]:
    """The rows of a file that was looked at; empty rows are left out but counted.

    ``first_row`` is None when the stream begins where the file begins. Otherwise the stream begins at a ``PartStart`` and
    may end at the next one. Raises InvalidInput for a specification that was not resolved; the content of the file never
    raises: a row that cannot be read is a RowProblem.
    """
    for number, _, cells in _numbered(stream, spec, first_row):
        if cells is not None:
            yield RawRow(number, cells)


def split_points(
    stream: BinaryIO, spec: ImportSpec, rows_per_part: int, *, first_row: int | None = None
) -> Iterator[PartStart]:
    """Where parts of ``rows_per_part`` rows start; a row is never cut, and the header is in none.

    ``first_row`` is None when the stream begins where the file begins, otherwise the number of the row it begins with;
    offsets count from where the stream begins. The last part ends where the file ends. Nothing comes for a file without
    rows.
    """
    if rows_per_part < 1:
        raise InvalidInput("rows_per_part", "should be at least 1")
    for index, (number, offset, _) in enumerate(_numbered(stream, spec, first_row)):
        if index % rows_per_part == 0:
            yield PartStart(offset, number)


def _numbered(
    stream: BinaryIO, spec: ImportSpec, first_row: int | None
) -> Iterator[tuple[int, int, dict[str, Cell] | RowProblem | None]]:
    """Row number, offset and cells of every row after the header, empty ones (None) too."""
    if not spec.is_resolved:
        raise InvalidInput("spec", "has to be resolved with the beginning of the file before rows are read")
    if not spec.header:
        for number, (offset, found) in enumerate(
            read_objects(stream, spec, is_start=first_row is None), first_row or 1
        ):
            yield number, offset, found
        return
    several = _several(spec) if spec.format == "pinpoint" else {}
    for number, record in enumerate(read_records(stream, spec, is_start=first_row is None), first_row or 1):
        if first_row is None and number <= spec.header_row:
            continue
        cells = record.cells
        if isinstance(cells, RowProblem):
            yield number, record.offset, cells
        elif not any(cells):
            yield number, record.offset, None
        else:
            yield number, record.offset, _named(cells, spec.header, several)


def _named(cells: list[str], header: tuple[str, ...], several: dict[str, list[int]]) -> dict[str, Cell] | RowProblem:
    """The cells by column name. A short row lacks its last cells; a long one has cells without a column.

    That counts when the cells too many are empty, too: a row whose last cell is empty was shifted by a separator in a cell.
    """
    if len(cells) > len(header):
        return RowProblem(
            f"has {len(cells)} cells where the header has {len(header)}; put quotation marks around a cell that holds the separator",
            cells=tuple(cells),
        )
    if len(cells) == 1 < len(header):
        return RowProblem(
            f"has one cell where the header has {len(header)}; is it the rest of a broken row?", cells=tuple(cells)
        )
    if cells[0] == header[0] and tuple(map(plain, cells)) == header:
        return _HEADER_AGAIN
    named: dict[str, Cell] = dict(zip(header, cells, strict=False))
    for name, places in several.items():
        named[name] = [cells[place] for place in places if place < len(cells) and cells[place]]
    return named


def _several(spec: ImportSpec) -> dict[str, list[int]]:
    """The columns that stand more than once: in Pinpoint's CSV, one value of a list each."""
    places: dict[str, list[int]] = {}
    for place, name in enumerate(spec.header):
        places.setdefault(name, []).append(place)
    return {name: found for name, found in places.items() if len(found) > 1}


@dataclass(slots=True)
class _Rejoined:
    """A stream whose head was already read, from its beginning; a read may give less than was asked for."""

    head: bytes
    rest: BinaryIO

    def read(self, size: int = -1) -> bytes:
        """The next bytes, none at the end."""
        if not self.head:
            return self.rest.read(size)
        given = self.head if size < 0 else self.head[:size]
        self.head = self.head[len(given) :]
        return given + self.rest.read() if size < 0 else given


class _Unzipped(gzip.GzipFile):
    """A compressed stream that raises InvalidInput when it is damaged."""

    def __init__(self, compressed: BinaryIO) -> None:
        super().__init__(fileobj=compressed, mode="rb")

    def read(self, size: int | None = -1) -> bytes:
        try:
            return super().read(size)
        except (OSError, EOFError) as error:
            raise InvalidInput("file", "is compressed with gzip but damaged; export it again") from error


def heads(stream: BinaryIO, size: int) -> bytes:
    """The first ``size`` bytes of a stream, fewer at its end: what ``resolve`` and ``plain_stream`` want."""
    parts: list[bytes] = []
    while size > 0 and (part := stream.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
