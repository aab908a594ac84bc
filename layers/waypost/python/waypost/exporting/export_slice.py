"""Reads one slice of the contacts and writes its rows down, a step at a time. Called by export_slice."""

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from waypost.batches import batched
from waypost.contacts.ports import BulkContactStore
from waypost.contacts.profile import Contact
from waypost.exporting.columns import chosen, row_of
from waypost.exporting.plan_export import ExportPlan, members
from waypost.exporting.ports import EveryProfile
from waypost.files.ports import Files, FileWriter

CONTACTS_PER_STEP: Final = 50_000
"""Of one call; at the slowest seen (1,000 a second) that is a minute, and a call may take fifteen."""

_IDS_AT_ONCE: Final = 100


@dataclass(slots=True)
class _Piece:
    """The rows of one step."""

    plan: ExportPlan
    writer: FileWriter
    contacts: int = 0
    columns: set[str] = field(default_factory=set)

    def add(self, contact: Contact) -> None:
        if contact.erased or contact.merged_into:
            return
        if self.plan.segment and self.plan.segment not in contact.segments:
            return
        row = chosen(row_of(contact), self.plan.columns)
        self.columns.update(row)
        self.contacts += 1
        self.writer.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSlice:
    """Takes everybody from the scan, or an audience by its ids. The same step again writes the same file again."""

    files: Files
    scan: EveryProfile
    contacts: BulkContactStore
    contacts_per_step: int = CONTACTS_PER_STEP

    def step(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """``{run, slice, of, after?, piece?}`` → the payload of the next step, with ``done``.

        Raises RetryableError or FinalError.
        """
        plan = ExportPlan.load(self.files, payload["run"])
        number, after = int(payload.get("piece", 0)), payload.get("after")
        name = f"{plan.work}pieces/{payload['slice']:03d}-{number:05d}"
        with self.files.writer(f"{name}.jsonl") as writer:
            piece = _Piece(plan, writer)
            if plan.audience:
                after = self._from_audience(piece, payload["slice"], payload["of"], int(after or 0))
            else:
                after = self._from_everybody(piece, payload["slice"], payload["of"], after)
        found = {"contacts": piece.contacts, "columns": sorted(piece.columns)}
        self.files.write(f"{name}.json", json.dumps(found, ensure_ascii=False).encode())
        return {**payload, "piece": number + 1, "after": after, "done": after is None}

    def _from_everybody(self, piece: _Piece, segment: int, total: int, after: str | None) -> str | None:
        for page in self.scan.slice(segment, total, after=after):
            for contact in page:
                piece.add(contact)
            if page.after is None or piece.contacts >= self.contacts_per_step:
                return page.after
        return None

    def _from_audience(self, piece: _Piece, segment: int, total: int, after: int) -> int | None:
        """Every ``total``-th file of ids, whole; goes on at the ``after``-th of them."""
        ours = members(self.files, piece.plan.audience)[segment::total]
        asked = 0
        for place, file in enumerate(ours[after:], after + 1):
            stream = self.files.stream(file)
            for some in _ids(gzip.GzipFile(fileobj=stream) if file.key.endswith(".gz") else stream):
                found = self.contacts.load_many(some)
                for contact_id in some:
                    if contact_id in found:
                        piece.add(found[contact_id])
                asked += len(some)
            if asked >= self.contacts_per_step and place < len(ours):
                return place
        return None


def _ids(lines: Iterable[bytes]) -> Iterator[list[str]]:
    """The contact ids of the lines, some at a time, each once; a line is an id, or an object that has one."""
    values = (json.loads(line) for line in lines if line.strip())
    ids = (value if isinstance(value, str) else value["contact_id"] for value in values)
    return (list(dict.fromkeys(some)) for some in batched(ids, _IDS_AT_ONCE))
