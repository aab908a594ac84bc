"""Finds the rows of a file that are about the same contact, with memory that does not grow with the file. Used by reports.

Each identity of a row goes, as a hash, into one of many partitions by that hash; so all rows of one identity lie in the
same partition, and partitions are looked through one after the other. A partition holds a few lines per thousand rows,
and of an identity that stands in every row only its count and first rows are remembered.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

from waypost.ids import digest
from waypost.importing.rows import CleanRow

PARTITIONS: Final = 64
MOST_ROWS: Final = 1000
"""Row numbers that are told of one group; its ``count`` has them all."""

_HASH: Final = 16
_NOT_COMPARED: Final = frozenset({"tags", "groups", "email", "phone"})
"""Profile keys in which rows add to each other, or which are identities."""


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """Rows with one identity: its ``kind`` and hash, never its value.

    ``rows`` are the first of ``count`` row numbers, in the file's order. ``conflicts`` are the attributes about which the
    rows differ; the last row that has one wins.
    """

    kind: str
    digest: str
    rows: tuple[int, ...]
    count: int
    conflicts: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The JSON form, for the report."""
        return {
            "kind": self.kind,
            "identity": self.digest,
            "rows": list(self.rows),
            "count": self.count,
            "conflicts": list(self.conflicts),
        }


@dataclass(slots=True)
class _Group:
    """What is remembered of one identity while its partition is read."""

    rows: list[int] = field(default_factory=list)
    count: int = 0
    last: dict[str, str] = field(default_factory=dict)
    conflicts: set[str] = field(default_factory=set)

    def add(self, number: int, values: dict[str, str]) -> None:
        """A row of this identity."""
        self.count += 1
        if len(self.rows) < MOST_ROWS:
            self.rows.append(number)
        self.conflicts.update(name for name, value in values.items() if self.last.get(name, value) != value)
        self.last |= values


@dataclass(slots=True)
class DuplicateFinder:
    """Collects rows in files of ``folder`` (a folder of its own, on disk), then tells the groups. A context manager."""

    folder: Path
    partitions: int = PARTITIONS
    _files: list[IO[str]] = field(default_factory=list)
    _open: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        self._files = [
            self._open.enter_context(self._path(index).open("w+", encoding="ascii")) for index in range(self.partitions)
        ]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()
        for index in range(self.partitions):
            self._path(index).unlink(missing_ok=True)

    def _path(self, index: int) -> Path:
        return self.folder / f"identities-{index:03d}"

    def add(self, row: CleanRow) -> None:
        """Remember a row; rows come in the file's order."""
        values = {
            name: digest(str(value), length=8) for name, value in row.profile.items() if name not in _NOT_COMPARED
        }
        for kind, value in row.identities.items():
            key = digest(kind, value, length=_HASH)
            line = json.dumps([kind, key, row.number, values], separators=(",", ":"))
            self._files[int(key[:8], 16) % self.partitions].write(f"{line}\n")

    def groups(self) -> Iterator[DuplicateGroup]:
        """Every identity that stands in more than one row, in no order that means anything."""
        for file in self._files:
            file.seek(0)
            found: dict[tuple[str, str], _Group] = {}
            for line in file:
                kind, key, number, values = json.loads(line)
                found.setdefault((kind, key), _Group()).add(number, values)
            for (kind, key), group in found.items():
                if group.count > 1:
                    yield DuplicateGroup(kind, key, tuple(group.rows), group.count, tuple(sorted(group.conflicts)))
