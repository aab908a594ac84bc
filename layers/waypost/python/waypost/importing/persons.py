"""Which contact each row of a file belongs to: written by each part, read for all parts together. Used by import_part and
reconcile_import.

Rows are grouped into buckets by a hash of the contact id, and the file of a part holds one bucket after the other: so all
rows of the same contacts can be read one bucket at a time, however large the import is.
"""

import json
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self
from zlib import crc32

from waypost.files.ports import Files, StoredFile

_PLACE: Final = struct.Struct(">I")
_PLACES: Final = struct.Struct(">2I")


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A row that was applied: its number, its contact, the outcome, and its values."""

    number: int
    contact_id: str
    outcome: str
    profile: Mapping[str, Any]
    identities: Mapping[str, str]

    def dump(self) -> bytes:
        """One line."""
        values = [self.number, self.contact_id, self.outcome, self.profile, self.identities]
        return json.dumps(values, ensure_ascii=False).encode() + b"\n"

    @classmethod
    def load(cls, line: bytes) -> Self:
        """The inverse of ``dump``."""
        return cls(*json.loads(line))


def person_of(line: bytes) -> bytes:
    """The contact id of a dumped row, without parsing it: most contacts have only one row."""
    start = line.index(b'"') + 1
    return line[start : line.index(b'"', start)]


def write_persons(files: Files, key: str, rows: Iterable[PersonRow], *, buckets: int) -> None:
    """Write the rows of a part, bucket by bucket, in their order, behind a table of the buckets' offsets."""
    lines: list[list[bytes]] = [[] for _ in range(buckets)]
    for row in rows:
        lines[crc32(row.contact_id.encode()) % buckets].append(row.dump())
    contents = [b"".join(each) for each in lines]
    places = [_PLACE.size * (buckets + 1)]
    for content in contents:
        places.append(places[-1] + len(content))
    files.write(key, b"".join([*map(_PLACE.pack, places), *contents]))


def read_persons(files: Files, file: StoredFile, *, bucket: int) -> Iterator[bytes]:
    """The dumped rows of one bucket of a part."""
    head = files.stream(file, start=_PLACE.size * bucket, end=_PLACE.size * bucket + _PLACES.size)
    start, end = _PLACES.unpack(head.read())
    if start < end:
        yield from files.stream(file, start=start, end=end)
