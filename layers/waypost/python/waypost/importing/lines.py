"""Cuts a stream of bytes into the lines of a text file, with bounded memory and the byte offset of each. Used by readers.

Lines are cut before they are decoded: in UTF-8 and GB18030 no byte of a longer character is a CR or LF (GB 18030-2022,
5.1: second bytes are 30–39 and 40–FE) as in every other encoding that may be declared, so a damaged character cannot swallow the rest of the file.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from waypost.importing.plausible_text import may_be_chinese
from waypost.importing.spec import ImportSpec

UNDECIDED: Final = "utf-8 or gb18030"
"""The encoding of a file that begins in ASCII only: it is decided line by line."""

LONGEST_LINE: Final = 1_000_000
"""Bytes of a line. A longer one is skipped, which is how a file without line breaks cannot fill the memory."""

_CHUNK: Final = 1 << 16
_MARKS: Final = {
    "utf-8": b"\xef\xbb\xbf",
    "utf-16-le": b"\xff\xfe",
    "utf-16-be": b"\xfe\xff",
    "gb18030": b"\x84\x31\x95\x33",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A line with its line break (none at the end of the file); ``text`` is None when the line cannot be used.

    ``reason`` is why. ``offset`` counts bytes from the start of the stream.
    """

    offset: int
    text: str | None
    reason: str = ""


def byte_order_mark(encoding: str) -> bytes:
    """The bytes with which a file in this encoding may announce itself."""
    return _MARKS.get(encoding, b"")


def read_lines(stream: BinaryIO, spec: ImportSpec, *, is_start: bool) -> Iterator[Line]:
    """The lines of the stream, which is in ``spec.encoding``.

    ``is_start``: the stream begins at the start of the file, where a byte order mark is skipped.
    """
    first, *others = spec.encoding.split(" or ")
    end = ("\r" if spec.mac_lines else "\n").encode(first)
    cut = _WideCutter(end) if first.startswith("utf-16") else _Cutter(end)
    mark = byte_order_mark(first) if is_start else b""
    for offset, piece, is_too_long in cut.pieces(stream):
        if is_too_long:
            yield Line(offset, None, f"should have no line of more than {LONGEST_LINE:,} bytes")
            continue
        here = offset
        if offset == 0 and mark and piece.startswith(mark):
            piece = piece[len(mark) :]  # noqa: PLW2901 - the mark is no text
            here = len(mark)
        try:
            yield Line(here, piece.decode(first))
        except UnicodeDecodeError:
            yield _other_line(here, piece, others)


def _other_line(offset: int, piece: bytes, encodings: list[str]) -> Line:
    """A line of a file whose beginning did not show its encoding."""
    for encoding in encodings:
        if may_be_chinese(piece):
            return Line(offset, piece.decode(encoding))
    return Line(offset, None, "is not text in the encoding of the file; name the encoding, for example cp1252")


@dataclass(slots=True)
class _Cutter:
    """Cuts at each occurrence of ``end``, anywhere."""

    end: bytes

    def pieces(self, stream: BinaryIO) -> Iterator[tuple[int, bytes, bool]]:
        """Offset, bytes with the line end, and whether the line was too long (then the bytes are empty)."""
        offset, rest, skipping = 0, b"", 0
        while chunk := stream.read(_CHUNK):
            rest += chunk
            whole = self.last_end(rest)
            if whole:
                lines = self.split(rest[:whole])
                rest = rest[whole:]
                for line in lines:
                    size = len(line)
                    if skipping or size > LONGEST_LINE:
                        yield offset, b"", True
                    else:
                        yield offset, line, False
                    offset += size + skipping
                    skipping = 0
            if len(rest) > LONGEST_LINE:
                keep = len(rest) % len(self.end)  # half a character of UTF-16
                skipping += len(rest) - keep
                rest = rest[len(rest) - keep :]
        if rest or skipping:
            yield offset, b"" if skipping else rest, bool(skipping)

    def last_end(self, data: bytes) -> int:
        """Where the last whole line of the data ends, 0 when there is none."""
        return data.rfind(self.end) + len(self.end) if self.end in data else 0

    def split(self, data: bytes) -> list[bytes]:
        """Whole lines, each with its end."""
        lines = data.split(self.end)
        lines.pop()  # after the last end
        return [line + self.end for line in lines]


class _WideCutter(_Cutter):
    """Cuts UTF-16, where the bytes of a line end only count at an even place."""

    def last_end(self, data: bytes) -> int:
        at = data.rfind(self.end)
        while at > 0 and at % 2:
            at = data.rfind(self.end, 0, at + 1)
        return at + 2 if at >= 0 and at % 2 == 0 else 0

    def split(self, data: bytes) -> list[bytes]:
        lines, start, at = [], 0, data.find(self.end)
        while at >= 0:
            if at % 2:
                at = data.find(self.end, at + 1)
                continue
            lines.append(data[start : at + 2])
            start = at + 2
            at = data.find(self.end, start)
        return lines
