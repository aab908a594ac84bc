"""Gathers the pieces of an export into one file, or into a few large ones. Called by finish_export."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from waypost.batches import batched
from waypost.contacts.file_columns import is_undeclared, json_cell, list_cell, ordered
from waypost.exporting.columns import Row
from waypost.exporting.export_slice import exported
from waypost.exporting.plan_export import load_export
from waypost.files.csv_writing import BYTE_ORDER_MARK, CONTENT_TYPE, csv_lines
from waypost.files.ports import Files, FileWriter, StoredFile

BYTES_PER_FILE: Final = 512 * 1024 * 1024
"""Bytes of pieces per file: about two million contacts, more than a spreadsheet takes; one or two minutes of an invocation."""

_CONTENT_TYPES: Final = {"csv": CONTENT_TYPE, "jsonl": "application/x-ndjson"}
_ROWS_AT_ONCE: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishExport:
    """Writes one file per invocation; a repeated invocation writes the same file."""

    files: Files
    bytes_per_file: int = BYTES_PER_FILE

    def gather(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """``{run, next?, files?}`` → ``{run, done, next, files, contacts, columns, format}``.

        ``files`` are the keys written so far, in order: one, unless the export is larger than ``BYTES_PER_FILE``. Raises
        InvalidInput when a slice is not finished.
        """
        plan = load_export(self.files, payload["run"])
        found = exported(self.files, plan).gathered(plan.slices).found
        listed = set(found.pieces)
        pieces = [file for file in self.files.listed(f"{plan.work}pieces/") if file.key in listed]
        columns = list(plan.columns) or ordered(found.columns)
        start = int(payload.get("next", 0))
        stop = self._end_of_file(pieces, start)
        written = list(payload.get("files", ()))
        is_only = start == 0 and stop == len(pieces)
        key = f"{plan.target}contacts{'' if is_only else f'-{len(written) + 1:03d}'}.{plan.format}"
        with self.files.writer(key, content_type=_CONTENT_TYPES[plan.format]) as writer:
            copy: Callable[[FileWriter, Sequence[StoredFile], list[str]], None] = (
                self._as_csv if plan.format == "csv" else self._as_it_is
            )
            copy(writer, pieces[start:stop], columns)
        return {
            "run": plan.run,
            "done": stop == len(pieces),
            "next": stop,
            "files": [*written, key],
            "bucket": self.files.bucket,
            "contacts": found.contacts,
            "columns": columns,
            "format": plan.format,
        }

    def _end_of_file(self, pieces: Sequence[StoredFile], start: int) -> int:
        size, stop = 0, start
        while stop < len(pieces) and (stop == start or size + pieces[stop].size <= self.bytes_per_file):
            size += pieces[stop].size
            stop += 1
        return stop

    def _as_it_is(self, writer: FileWriter, pieces: Sequence[StoredFile], _: list[str]) -> None:
        for piece in pieces:
            for lines in batched(self.files.stream(piece), _ROWS_AT_ONCE):
                writer.write(b"".join(lines))

    def _as_csv(self, writer: FileWriter, pieces: Sequence[StoredFile], columns: list[str]) -> None:
        """With a byte order mark; without it a spreadsheet reads UTF-8 in the encoding of its country."""
        writer.write(BYTE_ORDER_MARK + csv_lines([columns]))
        for piece in pieces:
            for lines in batched(self.files.stream(piece), _ROWS_AT_ONCE):
                rows: list[Row] = [json.loads(line) for line in lines]
                writer.write(csv_lines([[cell(name, row.get(name)) for name in columns] for row in rows]))


def cell(column: str, value: Any) -> str:
    """A value as the text of a cell; lists are joined by semicolons, and what is not declared is JSON unless it is text."""
    match value:
        case None:
            return ""
        case _ if is_undeclared(column):
            return json_cell(value)
        case bool():
            return "yes" if value else "no"
        case list():
            return list_cell(value)
        case dict():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return str(value)
