"""A file that is a whole list: who is not in it leaves. Used by the steps of an import.

The list is a tag or a group. Every row gives it; afterwards those who have it and are in no row lose it, unless so many would
that the file is more likely to be damaged or cut.
"""

import struct
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, Final, Literal, Self, get_args

from waypost.codec import JsonForm
from waypost.contacts.profile import Contact
from waypost.contacts.tag_system import load_tag_system
from waypost.errors import InvalidInput
from waypost.files.ports import Files
from waypost.importing.rows import CleanRow

ListKind = Literal["tag", "group"]
LIST_KINDS: Final[tuple[ListKind, ...]] = get_args(ListKind)

MOST_LEAVING: Final = 0.2
"""Share of the list that may leave without being asked for by number."""

LONGEST_NAME: Final = 100
_ID: Final = struct.Struct(">Q")


@dataclass(frozen=True, slots=True)
class FullList(JsonForm):
    """The list that a file holds whole; ``most_leaving`` contacts may leave it, None: ``MOST_LEAVING`` of them."""

    kind: ListKind
    name: str
    most_leaving: int | None = None

    @classmethod
    def read(cls, text: str, most_leaving: int | None) -> Self:
        """From ``tag:partners`` or ``group:partners``. Raises InvalidInput."""
        kind, _, name = text.partition(":")
        if kind not in LIST_KINDS or not name or len(name) > LONGEST_NAME:
            raise InvalidInput("full_list", f"expected tag:<name> or group:<name>, got {text[:LONGEST_NAME]!r}")
        if kind == "tag" and (reason := load_tag_system().objection(name)):
            raise InvalidInput("full_list", reason)
        return cls(kind, name, most_leaving)

    def has(self, contact: Contact) -> bool:
        """Whether the contact is on the list."""
        return self.name in (contact.tags if self.kind == "tag" else contact.groups)

    def joined(self, row: CleanRow) -> CleanRow:
        """The row with the list among what it gives."""
        key = f"{self.kind}s"
        names = list(dict.fromkeys((*row.profile.get(key, ()), self.name)))
        return replace(row, profile={**row.profile, key: names})

    def leaving(self, contact_id: str) -> CleanRow:
        """A row by which the contact leaves."""
        change = "remove_tags" if self.kind == "tag" else "leave_groups"
        return CleanRow(0, {"contact_id": contact_id}, {change: [self.name]})

    def held_back(self, counted: "OnList", unread: int) -> str:
        """Why nobody leaves, "" if who is not in the file may. ``unread``: rows of which no id could be read."""
        if self.most_leaving is not None:
            if counted.leaving <= self.most_leaving:
                return ""
            return f"{counted.leaving:,} would leave, and at most {self.most_leaving:,} may"
        confirm = f'say "most_leaving": {counted.leaving} if that is right'
        if unread and counted.leaving:
            return f"of {unread:,} rows no id could be read, so who is missing is not known; correct them, or {confirm}"
        if counted.leaving > counted.members * MOST_LEAVING:
            share = counted.leaving / counted.members
            return f"{counted.leaving:,} of {counted.members:,} ({share:.0%}) would leave; is the file whole? {confirm}"
        return ""


@dataclass(slots=True)
class OnList(JsonForm):
    """How many contacts are on the list, and are in no row.

    ``stayed``: of those, who were put on the list again since the rows were true. Who has left is not seen by a repeated pass.
    """

    members: int = 0
    leaving: int = 0
    stayed: int = 0

    def merge(self, other: Self) -> None:
        """Add what another slice counted."""
        self.members += other.members
        self.leaving += other.leaving
        self.stayed += other.stayed


class ContactSet:
    """Contact ids as 8 bytes each: 5 million rows are 40 MB. Of two ids that share them, both count as in the file."""

    def __init__(self, ids: "array[int]") -> None:
        self._ids = ids

    def __contains__(self, contact: Any) -> bool:
        return any(self._has(part) for part in contact.partitions)

    def _has(self, contact_id: str) -> bool:
        wanted = _short(contact_id)
        place = bisect_left(self._ids, wanted)
        return place < len(self._ids) and self._ids[place] == wanted

    @staticmethod
    def dump(contact_ids: Iterable[str]) -> bytes:
        """The stored form of some ids."""
        return b"".join(map(_ID.pack, map(_short, contact_ids)))

    @classmethod
    def load(cls, files: Files, folder: str) -> Self:
        """All ids in the files of a folder."""
        return cls(array("Q", sorted(_stored(files, folder))))


def _stored(files: Files, folder: str) -> Iterator[int]:
    for file in files.listed(folder):
        for (each,) in _ID.iter_unpack(files.stream(file).read()):
            yield each


def _short(contact_id: str) -> int:
    return int.from_bytes(blake2b(contact_id.encode(), digest_size=_ID.size).digest(), "big")
