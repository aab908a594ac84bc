"""Versions of messages beside those of the deployment: who changed what, who approved it, and which one goes out.

Written by ``approvals``, read by the sender. The texts of a version are a file of their own that is never overwritten; what is
known of a message's versions is one row. Version 0 is what the deployment brought.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal, Protocol

from waypost import ids
from waypost.codec import JsonForm
from waypost.content.catalogue import MessageCatalogue
from waypost.content.message import PublishedMessage
from waypost.files.ports import Files

VersionState = Literal["draft", "in_review", "approved", "rejected"]
UnderWay = Literal["newest", "begun"]
"""What contacts get who were in the journey before a version went live: the newest one, or the one they began with."""

MOST_VERSIONS: Final = 60
"""Versions that a row remembers, the newest; the files of all stay."""
LOOKED_AFTER: Final = 30.0
"""Seconds for which a process sends what it knows before it looks again."""


@dataclass(frozen=True, slots=True)
class MessageVersion(JsonForm):
    """One version of a message: ``digest`` is that of its texts, so that what was approved is what goes out."""

    version: int
    digest: str
    by: str
    at: datetime
    state: VersionState
    note: str = ""
    decided_by: str = ""
    decided_at: datetime | None = None
    approval_id: str = ""


@dataclass(frozen=True, slots=True)
class LivePeriod(JsonForm):
    """From when on a version goes out, and who decided it."""

    version: int
    since: datetime
    by: str


@dataclass(frozen=True, slots=True)
class LibraryEntry(JsonForm):
    """What is known of one message's versions. ``revision`` counts writes; ``retired_at``: it is not sent any more."""

    message: str
    revision: int = 0
    under_way: UnderWay = "newest"
    versions: tuple[MessageVersion, ...] = ()
    live: tuple[LivePeriod, ...] = ()
    retired_at: datetime | None = None

    def known(self, version: int) -> MessageVersion | None:
        """The version of this number; None for the deployment's and for unknown ones."""
        return next((each for each in self.versions if each.version == version), None)

    def chosen(self, began_at: datetime | None) -> int:
        """The version for a contact who began then; None stands for one who begins now."""
        if not self.live:
            return 0
        if self.under_way == "newest" or began_at is None:
            return self.live[-1].version
        return next((each.version for each in reversed(self.live) if each.since <= began_at), 0)

    def with_version(self, version: MessageVersion) -> "LibraryEntry":
        """The entry with one more version, or with another state of one."""
        others = [each for each in self.versions if each.version != version.version]
        return replace(self, versions=tuple(sorted([*others, version], key=lambda each: each.version)[-MOST_VERSIONS:]))

    def going_live(self, version: int, *, at: datetime, by: str) -> "LibraryEntry":
        """The entry from when on this version goes out; a retired message is sent again."""
        if self.live and self.live[-1].version == version and self.retired_at is None:
            return self
        return replace(self, live=(*self.live, LivePeriod(version, at, by))[-MOST_VERSIONS:], retired_at=None)


class LibraryStore(Protocol):
    """Keeps the entries."""

    def glance(self, message: str) -> LibraryEntry | None:
        """The entry, perhaps a second late; None where the deployment's message is the only one."""
        ...

    def load(self, message: str) -> LibraryEntry | None:
        """The entry, read consistently."""
        ...

    def save(self, entry: LibraryEntry) -> bool:
        """Write an entry over the revision it was read with; False when another write was faster."""
        ...


def version_key(message: str, version: int) -> str:
    """The file of a version's texts."""
    return f"library/{message}/{version:06d}.json"


def texts_digest(content: bytes) -> str:
    """What a version is recognised by."""
    return ids.digest(content.decode("utf-8"), length=32)


@dataclass(slots=True, kw_only=True)
class LibraryCatalogue:
    """The messages that go out: of the deployment, or the approved versions that replaced them.

    ``age`` gives the seconds this process has run; the entry of a message is read once in ``LOOKED_AFTER``, the texts of a
    version once. What cannot be read is an error, so that nothing unapproved goes out (design rule 5).
    """

    deployed: MessageCatalogue
    store: LibraryStore
    files: Files
    age: Callable[[], float]
    _entries: dict[str, tuple[float, LibraryEntry | None]] = field(default_factory=dict, init=False)
    _versions: dict[tuple[str, int], PublishedMessage] = field(default_factory=dict, init=False)

    def message(self, message_id: str, began_at: datetime | None = None) -> PublishedMessage:
        """See MessageCatalogue."""
        deployed, entry = self.deployed.message(message_id, began_at), self._entry(message_id)
        if entry is None:
            return deployed
        if entry.retired_at is not None:
            return replace(deployed, approved=False)
        version = entry.known(entry.chosen(began_at))
        if version is None:
            return deployed if entry.chosen(began_at) == 0 else replace(deployed, approved=False)
        if version.state != "approved":
            return replace(deployed, version=version.version, approved=False)
        return self._content(deployed, message_id, version)

    def _entry(self, message_id: str) -> LibraryEntry | None:
        looked_at, entry = self._entries.get(message_id, (-LOOKED_AFTER, None))
        now = self.age()
        if now - looked_at >= LOOKED_AFTER or message_id not in self._entries:
            entry = self.store.glance(message_id)
            self._entries[message_id] = (now, entry)
        return entry

    def _content(self, deployed: PublishedMessage, message_id: str, version: MessageVersion) -> PublishedMessage:
        known = self._versions.get((message_id, version.version))
        if known is not None:
            return known
        content = self.files.read(version_key(message_id, version.version))
        if content is None or texts_digest(content) != version.digest:
            return replace(deployed, version=version.version, approved=False)
        found = replace(PublishedMessage.from_dict(json.loads(content)), version=version.version)
        self._versions[message_id, version.version] = found
        return found


def summary(entry: LibraryEntry) -> dict[str, Any]:
    """What people are shown of a message's versions."""
    live = 0 if not entry.live else entry.live[-1].version
    shown: Sequence[Mapping[str, Any]] = [each.to_dict() for each in entry.versions]
    return {
        "message": entry.message,
        "live": None if entry.retired_at else live,
        "under_way": entry.under_way,
        "versions": [*shown],
    }
