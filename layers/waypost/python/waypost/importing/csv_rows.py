"""Reads the rows of any CSV file: quoted line breaks, ragged rows, open quotation marks. Used by ``reading``.

The library's own parser does the parsing; what stands here is what it leaves to others: bounded memory, the byte at which
each row starts, and that one broken row costs one row. A row's extent depends on nothing before it, so that a part of a
file has the same rows as the whole.
"""

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from waypost.importing.lines import Line, read_lines
from waypost.importing.rows import RowProblem
from waypost.importing.spec import ImportSpec

MOST_LINES: Final = 200
"""Lines of one row. A quotation mark that is never closed would otherwise swallow the file."""

LONGEST_CELL: Final = 100_000
"""Characters of a cell; the parser's own limit of 131,072 is never reached, so it need not be changed for everybody."""

_LONGEST_ROW: Final = 1_000_000
_OPEN_QUOTE: Final = RowProblem(f"has a quotation mark that is not closed, or not within {MOST_LINES} lines")
_CELL_TOO_LONG: Final = RowProblem(f"should have no cell of more than {LONGEST_CELL:,} characters")
_STRAY_RETURN: Final = RowProblem("has a line break (CR) in the middle; put quotation marks around the cell")


@dataclass(frozen=True, slots=True)
class Record:
    """The cells of one row, in order, and the offset of its first byte; an empty row has no cells."""

    offset: int
    cells: list[str] | RowProblem


class _CannotGoOn(Exception):
    """The row being parsed spans too many lines, or continues in a line that cannot be used."""


@dataclass(slots=True)
class _Lines:
    """Hands lines to the parser, remembers those of the present row, and takes them back."""

    source: Iterator[Line]
    waiting: deque[Line] = field(default_factory=deque)
    taken: list[Line] = field(default_factory=list)
    size: int = 0
    ended_inside: bool = False

    def peek(self) -> Line | None:
        """The next line, which stays; None at the end."""
        if not self.waiting:
            following = next(self.source, None)
            if following is None:
                return None
            self.waiting.append(following)
        return self.waiting[0]

    def begin(self) -> None:
        """A new row starts."""
        self.taken.clear()
        self.size, self.ended_inside = 0, False

    def rewind(self) -> None:
        """All lines of the row but its first are read again."""
        self.waiting.extendleft(reversed(self.taken[1:]))

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self.peek()
        if line is None:
            self.ended_inside = bool(self.taken)
            raise StopIteration
        if line.text is None or len(self.taken) == MOST_LINES or self.size > _LONGEST_ROW:
            raise _CannotGoOn
        self.waiting.popleft()
        self.taken.append(line)
        self.size += len(line.text)
        return line.text


def read_records(stream: BinaryIO, spec: ImportSpec, *, is_start: bool = True) -> Iterator[Record]:
    """Every row of the stream, the header too. Never raises for the file's content."""
    lines = _Lines(read_lines(stream, spec, is_start=is_start))
    delimiter = spec.delimiter or ","
    parser = csv.reader(lines, delimiter=delimiter)
    while (first := lines.peek()) is not None:
        lines.begin()
        if first.text is None:
            lines.waiting.popleft()
            yield Record(first.offset, RowProblem(first.reason))
            continue
        cells = _parsed(parser, lines, delimiter)
        yield Record(first.offset, cells.of(first.text) if isinstance(cells, RowProblem) else cells)


def _parsed(parser: Iterator[list[str]], lines: _Lines, delimiter: str) -> list[str] | RowProblem:
    try:
        cells = next(parser)
    except _CannotGoOn:
        lines.rewind()
        return _OPEN_QUOTE
    except csv.Error as error:
        lines.rewind()
        if len(lines.taken) > 1:  # one reason for all: a part of the file may end before the line with the cause
            return _OPEN_QUOTE
        return _CELL_TOO_LONG if "limit" in str(error) else _STRAY_RETURN
    if lines.ended_inside:
        lines.rewind()
        return _OPEN_QUOTE
    if lines.size > LONGEST_CELL and any(len(cell) > LONGEST_CELL for cell in cells):
        return _CELL_TOO_LONG
    taken = [line.text for line in lines.taken if line.text is not None]
    return _escaped(taken, delimiter) or cells if any('\\"' in text for text in taken) else cells


def _escaped(texts: list[str], delimiter: str) -> list[str] | None:
    """The cells of a row that has ``\\"`` for a quotation mark inside a cell, as MySQL and PHP write it; None for any other row.

    RFC 4180 knows no such escape: the row is read so only if it cannot be read as the RFC says.
    """
    try:
        next(csv.reader(texts, delimiter=delimiter, strict=True))
    except csv.Error:
        pass
    else:
        return None
    escaped = csv.reader(texts, delimiter=delimiter, strict=True, doublequote=False, escapechar="\\")
    try:
        first, *others = escaped
    except (csv.Error, ValueError):
        return None
    return None if others else first
