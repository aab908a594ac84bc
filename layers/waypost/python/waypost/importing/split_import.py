"""Divides a file into parts of whole rows, each a byte range of it. Called by split_import.

Compressed files, and folders of files, are first unpacked into one plain file that can be read from any place.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, Final

from waypost.bulk.ports import SlicedScan
from waypost.bulk.slices import SliceSize
from waypost.contacts.profile import Contact
from waypost.errors import InvalidInput
from waypost.files.ports import Files, StoredFile
from waypost.importing.cleaning import RowCleaner
from waypost.importing.file_reading import heads, plain_stream, read_rows, split_points
from waypost.importing.filling import Filling, load_filling
from waypost.importing.plan import Division, ImportPlan, Part, content_of, division_key, load_import
from waypost.importing.rows import CleanRow
from waypost.importing.statistics import MOST_ROWS, Statistic, statistics_of

SLICES: Final = SliceSize(items=50_000, most=64)
"""Of all contacts, when they are compared with a full list: as in an export."""

LARGEST_FILE: Final = 10 * 1024**3
"""Bytes, unpacked; some 60 million rows. A larger file comes in pieces."""

ROWS_PER_PART: Final = 2_000
"""At 25 ms for a new contact a part takes under a minute; a function has 15."""

ROWS_PER_BUCKET: Final = 25_000
"""Rows that are compared with each other at once: some 15 MB, however large the file is."""

BYTES_PER_STEP: Final = 1024**3
"""Bytes per invocation: two minutes at 10 MB/s; a function has 15."""

_LARGE: Final = 2 * 1024**3
_COPIED_AT_ONCE: Final = 1024 * 1024
_MAGIC: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitImport:
    """Writes one small file for each part; the same file is always divided at the same places."""

    files: Files
    rows_per_part: int = ROWS_PER_PART
    rows_per_bucket: int = ROWS_PER_BUCKET
    bytes_per_step: int = BYTES_PER_STEP
    largest_file: int = LARGEST_FILE
    scan: SlicedScan[Contact] | None = None

    def divide(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """``{run, next?}`` → ``{run, parts, done, next, buckets, slices}``: call again with the answer until it is ``done``.

        ``parts`` is the folder of the parts, ``buckets`` the numbers of the buckets into which persons fall, ``slices`` those of all
        contacts, for a full list. Raises
        InvalidInput for a file without rows or one that is too large.
        """
        plan = load_import(self.files, payload["run"])
        answer = {"run": plan.run, "parts": plan.parts, "dry_run": plan.dry_run}
        if (divided := Division.find(self.files, plan)) is not None:
            return {**answer, **_done(divided)}
        if plan.unpacks and self.files.find(plan.content) is None:
            self._unpack(plan)
        file = content_of(plan, self.files)
        if (wanted := load_filling().statistics) and self.files.find(plan.statistics) is None:
            self._measure(plan, file, wanted)
        rows_per_part = self.rows_per_part * (1 + file.size // _LARGE)
        start, first_row = payload.get("next") or (0, None)
        stream = self.files.stream(file, start=start)
        before: tuple[int, int] | None = None
        ends = ((file.size, 0),)
        points = (
            (start + point.offset, point.first_row)
            for point in split_points(stream, plan.spec, rows_per_part, first_row=first_row)
        )
        for offset, row in chain(points, ends):
            if before is not None:
                self._write(plan, Part(before[0], offset, before[1]))
                if row and offset - start >= self.bytes_per_step:
                    return {**answer, "done": False, "next": [offset, row], "buckets": []}
            if row:
                before = (offset, row)
        if before is None:
            raise InvalidInput("file", f"{plan.sources[0].key} has no rows; there is nothing to import")
        last = before[1] + rows_per_part
        slices = SLICES.slices(self.scan.size()) if plan.full_list and self.scan else 0
        division = Division(last, buckets=1 + last // self.rows_per_bucket, slices=slices)
        self.files.write(division_key(plan), json.dumps(division.to_dict()).encode())
        return {**answer, **_done(division)}

    def _measure(self, plan: ImportPlan, file: StoredFile, wanted: Mapping[str, Statistic]) -> None:
        """Store what is usual in the file, of the rows that are clean."""
        cleaner = RowCleaner(plan.spec, filling=Filling())
        raws = islice(read_rows(self.files.stream(file), plan.spec), MOST_ROWS)
        rows = (row for row in map(cleaner.clean, raws) if isinstance(row, CleanRow))
        usual = statistics_of((row.profile for row in rows), wanted)
        self.files.write(plan.statistics, json.dumps(usual, ensure_ascii=False).encode())

    def _write(self, plan: ImportPlan, part: Part) -> None:
        self.files.write(f"{plan.parts}{part.first:011d}.json", json.dumps(part.to_dict()).encode())

    def _unpack(self, plan: ImportPlan) -> None:
        """Concatenate all sources, decompressed; with several, each one ends with a line break."""
        with self.files.writer(plan.content) as writer:
            size = 0
            for source in plan.sources:
                last = b""
                for block in self._blocks(source):
                    size += len(block)
                    if size > self.largest_file:
                        raise InvalidInput("file", f"unpacks to more than {self.largest_file // 1024**3} GiB; split it")
                    writer.write(block)
                    last = block[-1:]
                if len(plan.sources) > 1 and last not in {b"", b"\n"}:
                    writer.write(b"\n")

    def _blocks(self, source: StoredFile) -> Any:
        stream = self.files.stream(source)
        plain = plain_stream(stream, heads(stream, _MAGIC))
        return iter(lambda: plain.read(_COPIED_AT_ONCE), b"")


def _done(division: Division) -> dict[str, Any]:
    return {
        "done": True,
        "next": None,
        "buckets": list(range(division.buckets)),
        "slices": list(range(division.slices)),
    }
