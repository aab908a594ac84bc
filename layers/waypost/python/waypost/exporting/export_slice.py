"""Writes the rows of one slice of the contacts. Called by export_slice."""

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, Self

from waypost.batches import batched
from waypost.bulk.pages import Page
from waypost.bulk.ports import SlicedScan
from waypost.bulk.run_slice import Remaining, SliceRunner, SliceWork
from waypost.bulk.state import SliceStates
from waypost.clock import Clock
from waypost.codec import JsonForm
from waypost.contacts.attributes import AttributeSystem, load_attributes
from waypost.contacts.ports import BulkContactStore
from waypost.contacts.profile import Contact
from waypost.exporting.columns import chosen, row_of
from waypost.exporting.plan_export import ExportPlan, load_export, members
from waypost.files.ports import Files, FileWriter

RUNNER: Final = SliceRunner(items_per_invocation=50_000)
"""At the slowest seen (1,000 contacts a second) a minute of the invocation's fifteen; its rows are one file."""

_IDS_AT_ONCE: Final = 100


@dataclass(slots=True)
class Exported(JsonForm):
    """What a slice has written: files of rows, and the columns that occur in them."""

    contacts: int = 0
    columns: set[str] = field(default_factory=set)
    pieces: list[str] = field(default_factory=list)

    def merge(self, other: Self) -> None:
        """Add what another slice has written."""
        self.contacts += other.contacts
        self.columns |= other.columns
        self.pieces += other.pieces


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSlice:
    """Takes everybody from the scan, or an audience by its ids."""

    files: Files
    scan: SlicedScan[Contact]
    contacts: BulkContactStore
    clock: Clock
    attributes: AttributeSystem = field(default_factory=load_attributes)
    runner: SliceRunner = RUNNER

    def step(self, payload: Mapping[str, Any], *, remaining: Remaining) -> dict[str, Any]:
        """``{run, slice}`` → the same with ``done``. Raises RetryableError or FinalError."""
        plan, slice_ = load_export(self.files, payload["run"]), int(payload["slice"])
        work = _ExportWork(self, plan, slice_)
        state = self.runner.resume(exported(self.files, plan), slice_, work, new=Exported, remaining=remaining)
        return {"run": plan.run, "slice": slice_, "done": state.done}


def exported(files: Files, plan: ExportPlan) -> SliceStates[Exported]:
    """The states of the slices of an export."""
    return SliceStates(files, f"{plan.work}slices/", Exported)


class _ExportWork(SliceWork[Exported, Contact]):
    """A file of rows for each checkpoint."""

    _piece: FileWriter
    """The file of the current checkpoint."""

    def __init__(self, exporter: ExportSlice, plan: ExportPlan, slice_: int) -> None:
        self._files, self._scan, self._contacts = exporter.files, exporter.scan, exporter.contacts
        self._plan, self._slice = plan, slice_
        self._declared, self._now = exporter.attributes.attributes, exporter.clock()

    def pages(self, after: str | None) -> Iterator[Page[Contact]]:
        """See SliceWork."""
        if self._plan.audience:
            return self._of_audience(after)
        return self._scan.slice(self._slice, self._plan.slices, after=after)

    @contextmanager
    def checkpoint(self, found: Exported, name: str) -> Iterator[None]:
        """See SliceWork."""
        key = f"{self._plan.work}pieces/{name}.jsonl"
        with self._files.writer(key) as self._piece:
            yield
        found.pieces.append(key)

    def take(self, found: Exported, page: Page[Contact]) -> None:
        """See SliceWork."""
        wanted = [contact for contact in page if self._is_wanted(contact)]
        rows = [
            chosen(row_of(contact, declared=self._declared, now=self._now), self._plan.columns) for contact in wanted
        ]
        self._piece.write(
            b"".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for row in rows)
        )
        found.contacts += len(rows)
        found.columns.update(*rows)

    def _is_wanted(self, contact: Contact) -> bool:
        is_gone = contact.erased or contact.merged_into
        return not is_gone and (not self._plan.segment or self._plan.segment in contact.segments)

    def _of_audience(self, after: str | None) -> Iterator[Page[Contact]]:
        """Every ``slices``-th file of ids, some ids a page; the cursor is ``<file>:<batch>`` of the next page."""
        first, skipped = map(int, after.split(":")) if after else (0, 0)
        ours = members(self._files, self._plan.audience)[self._slice :: self._plan.slices]
        for place, file in enumerate(ours[first:], first):
            stream = self._files.stream(file)
            lines = gzip.GzipFile(fileobj=stream) if file.key.endswith(".gz") else stream
            begin = skipped if place == first else 0
            batches = islice(enumerate(_ids(lines), 1), begin, None)
            for number, ids in batches:
                found = self._contacts.load_many(ids)
                yield Page([found[each] for each in ids if each in found], f"{place}:{number}")
        yield Page([], None)


def _ids(lines: Iterable[bytes]) -> Iterator[list[str]]:
    """The contact ids of the lines, some at a time, each once; a line is an id, or an object that has one."""
    values = (json.loads(line) for line in lines if line.strip())
    ids = (value if isinstance(value, str) else value["contact_id"] for value in values)
    return (list(dict.fromkeys(some)) for some in batched(ids, _IDS_AT_ONCE))
