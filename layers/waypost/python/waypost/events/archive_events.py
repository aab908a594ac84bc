"""Writes events to the archive: lines of JSON, packed, one object per day and retention class. Called by archive_events.

The layout is ``events/day=2031-03-03/<class>-<hash>.jsonl.gz``. The day is that of ``occurred_at`` in UTC, so a question
about a day reads one folder; a late event goes to the folder of its own day, in an object of its own. Objects are named
by the events in them: the same events written again overwrite the same object, whatever else was in the batch.
"""

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from waypost import ids
from waypost.events.retention import Retention
from waypost.files.folders import EVENTS

RETENTION_TAG: Final = "retention"
"""The tag of an object that names its class; the bucket forgets objects by it."""

LARGEST_OBJECT: Final = 8 * 1024 * 1024
"""Bytes of lines before packing; a batch of Lambda's has at most six megabytes."""

COLUMNS: Final = (
    "id", "type", "contact_id", "contact", "occurred_at", "received_at", "routed_at", "source", "properties", "profile",
    "correlation_id", "profile_version",
)  # fmt: skip
"""What a line has, whatever else the stored item may have."""


@dataclass(frozen=True, slots=True)
class ArchiveObject:
    """One object to put; ``retention`` is the value of its tag."""

    key: str
    body: bytes
    retention: str
    events: int


class ArchiveStore(Protocol):
    """Where the archive is."""

    def put(self, object_: ArchiveObject) -> None:
        """Write the object, in place of one of the same key. Raises TemporarilyUnavailable."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveEvents:
    """Puts batches of events into the archive."""

    store: ArchiveStore
    retention: Retention

    def archive(self, events: Iterable[Mapping[str, Any]]) -> dict[str, int]:
        """Write the events, each as ``COLUMNS`` has it. ``{"events": n, "objects": m}``.

        Everything is composed before anything is written, so that an event that cannot be composed leaves no half.
        """
        objects = list(archive_objects(events, self.retention))
        for each in objects:
            self.store.put(each)
        return {"events": sum(each.events for each in objects), "objects": len(objects)}


def archive_objects(events: Iterable[Mapping[str, Any]], retention: Retention) -> Iterator[ArchiveObject]:
    """The objects for these events, by day and class; an object that would grow too large is several."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for event in events:
        groups.setdefault((event["occurred_at"][:10], retention.of(event["type"]).name), []).append(event)
    for (day, name), group in sorted(groups.items()):
        for part in _parts(group):
            digest = ids.digest(*(f"{event['contact_id']}/{event['id']}" for event, _ in part))
            body = gzip.compress(b"".join(line for _, line in part), mtime=0)
            yield ArchiveObject(f"{day_folder(day)}{name}-{digest}.jsonl.gz", body, name, len(part))


def day_folder(day: str) -> str:
    """The folder of a day, ``2031-03-03``; the form that Athena's partitions have."""
    return f"{EVENTS}day={day}/"


def _parts(events: Iterable[Mapping[str, Any]]) -> Iterator[list[tuple[Mapping[str, Any], bytes]]]:
    part: list[tuple[Mapping[str, Any], bytes]] = []
    size = 0
    for event in events:
        line = _line(event)
        if part and size + len(line) > LARGEST_OBJECT:
            yield part
            part, size = [], 0
        part.append((event, line))
        size += len(line)
    if part:
        yield part


def _line(event: Mapping[str, Any]) -> bytes:
    """One line; JSON escapes the line ends inside texts, so a line is an event whatever senders write."""
    columns = {name: event.get(name) for name in COLUMNS}
    return json.dumps(columns, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
