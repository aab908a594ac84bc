"""Writes events, and what was kept of journeys and messages until its time was over, to the archive. Called by archive_events.

Objects are lines of JSON, packed, one per day and retention class.

The layout is ``events/day=2031-03-03/<class>-<hash>.jsonl.gz``. The day is that of ``occurred_at`` in UTC, so a question
about a day reads one folder; a late event goes to the folder of its own day, in an object of its own. Objects are named
by the events in them: the same events written again overwrite the same object, whatever else was in the batch.

``ledger/day=2032-04-07/passages-<hash>.jsonl.gz`` has the rows of messages and of journeys that have ended, as they were when
the table gave them up; the day is the row's last one, on which its time began to run.
"""

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from waypost import ids
from waypost.events.retention import Retention, RetentionClass
from waypost.files.folders import EVENTS, LEDGER

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
    """One object to put; ``retention`` is the value of its tag, ``lines`` how many events or rows it has."""

    key: str
    body: bytes
    retention: str
    lines: int


@dataclass(frozen=True, slots=True)
class StreamChanges:
    """What a batch of the table's stream brings: events that were stored, and rows whose time was over, as they were.

    Each has its ``contact_id``, a row also ``kind`` (``message``, ``enrolment``) and ``expires_at``.
    """

    events: Sequence[Mapping[str, Any]] = ()
    rows: Sequence[Mapping[str, Any]] = ()


class ArchiveStore(Protocol):
    """Where the archive is."""

    def put(self, object_: ArchiveObject) -> None:
        """Write the object, in place of one of the same key. Raises TemporarilyUnavailable."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveEvents:
    """Puts batches of events and of expired rows into the archive."""

    store: ArchiveStore
    retention: Retention

    def archive(self, changes: StreamChanges) -> dict[str, int]:
        """Write the events, each as ``COLUMNS`` has it, and the rows. ``{"events": n, "rows": k, "objects": m}``.

        Everything is composed before anything is written, so that an event that cannot be composed leaves no half.
        """
        events = list(archive_objects(changes.events, self.retention))
        rows = list(ledger_objects(changes.rows, self.retention.passages))
        for each in (*events, *rows):
            self.store.put(each)
        return {
            "events": sum(each.lines for each in events),
            "rows": sum(each.lines for each in rows),
            "objects": len(events) + len(rows),
        }


def archive_objects(events: Iterable[Mapping[str, Any]], retention: Retention) -> Iterator[ArchiveObject]:
    """The objects for these events, by day and class; an object that would grow too large is several."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for event in events:
        groups.setdefault((event["occurred_at"][:10], retention.of(event["type"]).name), []).append(event)
    for (day, name), group in sorted(groups.items()):
        lines = [
            (f"{event['contact_id']}/{event['id']}", _line({each: event.get(each) for each in COLUMNS}))
            for event in group
        ]
        yield from _objects(day_folder(day), name, lines)


def ledger_objects(rows: Iterable[Mapping[str, Any]], passages: RetentionClass) -> Iterator[ArchiveObject]:
    """The objects for these rows, by their last day."""
    days: dict[str, list[tuple[str, bytes]]] = {}
    for row in rows:
        day = (datetime.fromtimestamp(row["expires_at"], UTC) - passages.keep).date().isoformat()
        name = row.get("message_key") or row.get("enrolment_id")
        days.setdefault(day, []).append((f"{row['contact_id']}/{row['kind']}/{name}", _line(row)))
    for day, lines in sorted(days.items()):
        yield from _objects(f"{LEDGER}day={day}/", passages.name, lines)


def day_folder(day: str) -> str:
    """The folder of a day, ``2031-03-03``; the form that Athena's partitions have."""
    return f"{EVENTS}day={day}/"


def _objects(folder: str, name: str, lines: Iterable[tuple[str, bytes]]) -> Iterator[ArchiveObject]:
    """The objects for lines with their names, in a folder and of a class."""
    for part in _parts(lines):
        digest = ids.digest(*(each for each, _ in part))
        body = gzip.compress(b"".join(line for _, line in part), mtime=0)
        yield ArchiveObject(f"{folder}{name}-{digest}.jsonl.gz", body, name, len(part))


def _parts(lines: Iterable[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    part: list[tuple[str, bytes]] = []
    size = 0
    for name, line in lines:
        if part and size + len(line) > LARGEST_OBJECT:
            yield part
            part, size = [], 0
        part.append((name, line))
        size += len(line)
    if part:
        yield part


def _line(value: Mapping[str, Any]) -> bytes:
    """One line; JSON escapes the line ends inside texts, so a line is an event whatever senders write."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
