"""Imports the rows of one part of a file. Called by import_part.

What a part did lies in its result file, written once and last: a part that has one is answered from it. A part that was
left half-done is done again, which changes nothing for the rows that were done.
"""

import json
import struct
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice
from typing import Any, Final, TypeVar

from waypost.clock import Clock
from waypost.contacts.identity import Wait
from waypost.contacts.identity_rules import BUILT_IN, IdentityRules
from waypost.events.history import EventHistory
from waypost.events.ports import EventQueue
from waypost.ids import digest
from waypost.importing.applying import Applied, Importer, no_wait
from waypost.importing.cleaning import RowCleaner
from waypost.importing.plan import ImportPlan, Part, beside, content_of, result_key
from waypost.importing.ports import BulkContactStore, Files, FileWriter
from waypost.importing.reading import read_rows
from waypost.importing.reading_ahead import ReadAhead
from waypost.importing.rows import CleanRow, RawRow, RejectedRow, Repair

ROWS_AT_ONCE: Final = 50
"""Read ahead together: with two identities each they are one BatchGetItem of 100 keys."""

MOST_REPAIRS: Final = 500
"""Kinds of repair that are counted apart; a file of JSON lines may have a field of its own in every row."""

PERSON: Final = struct.Struct(">8sI")
"""Who a row is about, as the result notes it: eight bytes of a hash of the contact id, and the row's number."""

NEW: Final = 1 << 31
"""Set in the row's number when the row made the contact."""

_NOT_COMPARED: Final = frozenset({"tags", "groups", "consent"})
"""Of these, rows about one person add to each other, or have rules of their own."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class PartImporter:
    """Reads, cleans and applies rows, and writes down what became of them."""

    files: Files
    contacts: BulkContactStore
    history: EventHistory
    clock: Clock
    queue: EventQueue | None = None
    identity_rules: IdentityRules = BUILT_IN
    wait: Wait = no_wait

    def import_part(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """``{run, part, last}`` → ``{rows, repeated}``: the key of the part, and the number of the file's last row.

        Raises RetryableError or FinalError; what was done stays done.
        """
        key = payload["part"]
        if (known := self.files.read(result_key(key))) is not None:
            return {"rows": json.loads(known)["rows"], "repeated": True}
        plan, part = ImportPlan.load(self.files, payload["run"]), Part.load(self.files, key)
        is_again = not plan.dry_run and not self.files.write_once(beside(key, "begun", ""), b"")
        result = _Result()
        with self.files.writer(beside(key, "rejected", ".jsonl")) as rejected:
            result.rejected_rows = rejected
            self._import(plan, part, last=payload["last"], is_again=is_again, result=result)
        self.files.write(beside(key, "values", ".jsonl"), b"".join(result.values))
        self.files.write(beside(key, "persons", ".bin"), b"".join(sorted(result.persons)))
        self.files.write_once(result_key(key), json.dumps(result.to_dict(), ensure_ascii=False).encode())
        return {"rows": result.rows, "repeated": False}

    def _import(self, plan: ImportPlan, part: Part, *, last: int, is_again: bool, result: "_Result") -> None:
        stream = self.files.stream(content_of(plan, self.files), start=part.start, end=part.end)
        ahead = ReadAhead(self.contacts, writes=not plan.dry_run)
        importer = Importer(
            contacts=ahead,
            history=self.history,
            clock=self.clock,
            queue=None if plan.dry_run else self.queue,
            identity_rules=self.identity_rules,
            wait=self.wait,
            mapping=plan.spec.name,
            records=not plan.dry_run,
            is_again=is_again,
        )
        cleaner = RowCleaner(plan.spec)
        for raws in _some(read_rows(stream, plan.spec, first_row=part.first), ROWS_AT_ONCE):
            cleaned = [(raw, cleaner.clean(raw)) for raw in raws]
            ahead.prepare(row.identities for _, row in cleaned if isinstance(row, CleanRow))
            for raw, row in cleaned:
                result.rows += 1
                if isinstance(row, RejectedRow):
                    result.reject(raw, row)
                    continue
                at = plan.row_time(row.number, last)
                applied = importer.apply(plan.with_consent(row), source=plan.source, at=at)
                if isinstance(applied, RejectedRow):
                    result.reject(raw, applied)
                else:
                    result.add(row, applied)


@dataclass(slots=True)
class _Result:
    """What became of the rows of a part."""

    rows: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    kept_consents: Counter[str] = field(default_factory=Counter)
    repairs: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    persons: list[bytes] = field(default_factory=list)
    values: list[bytes] = field(default_factory=list)
    rejected_rows: FileWriter | None = None

    def add(self, row: CleanRow, applied: Applied) -> None:
        """A row that was applied."""
        self.outcomes[applied.outcome] += 1
        self.kept_consents.update(applied.kept_consents)
        number = row.number | (NEW if applied.outcome == "created" else 0)
        self.persons.append(PERSON.pack(sha256(applied.contact_id.encode()).digest()[:8], number))
        values = {
            name: digest(str(value), length=8) for name, value in row.profile.items() if name not in _NOT_COMPARED
        }
        told = {kind: digest(kind, value, length=8) for kind, value in row.identities.items()}
        self.values.append(json.dumps([row.number, values, told]).encode() + b"\n")
        for repair in row.repairs:
            self._count(repair, row.number)

    def reject(self, raw: RawRow, row: RejectedRow) -> None:
        """A row that was kept out."""
        self.outcomes["rejected"] += 1
        cells = raw.cells if isinstance(raw.cells, Mapping) else {}
        line = {**row.to_dict(), "cells": cells}
        if self.rejected_rows is not None:
            self.rejected_rows.write(json.dumps(line, ensure_ascii=False, default=str).encode() + b"\n")

    def _count(self, repair: Repair, number: int) -> None:
        key = (repair.field, repair.rule)
        if key not in self.repairs:
            if len(self.repairs) >= MOST_REPAIRS:
                return
            self.repairs[key] = {**repair.to_dict(), "row": number, "count": 0}
        self.repairs[key]["count"] += 1

    def to_dict(self) -> dict[str, Any]:
        """The result file."""
        return {
            "rows": self.rows,
            "outcomes": dict(self.outcomes),
            "kept_consents": dict(self.kept_consents),
            "repairs": list(self.repairs.values()),
        }


def _some(items: Iterator[T], number: int) -> Iterator[Sequence[T]]:
    while some := list(islice(items, number)):
        yield some
