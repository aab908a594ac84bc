"""Imports the rows of one part of a file. Called by import_part.

The result file of a part is written once and last; a part that has one is not read again. A part that was interrupted is
repeated, which changes nothing for the rows that were applied.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from waypost.batches import batched
from waypost.contacts.attributes import load_attributes
from waypost.contacts.ports import BulkContactStore
from waypost.files.ports import Files, FileWriter
from waypost.importing.applying import Applied, Importer
from waypost.importing.cleaning import RowCleaner
from waypost.importing.file_reading import read_rows
from waypost.importing.filling import Filling, load_filling
from waypost.importing.full_list import ContactSet
from waypost.importing.persons import PersonRow, write_persons
from waypost.importing.plan import Division, ImportPlan, Part, beside, content_of, load_import, progress_key, result_key
from waypost.importing.reading_ahead import ReadAhead
from waypost.importing.rows import CleanRow, RawRow, RejectedRow, Repair, RowProblem

ROWS_AT_ONCE: Final = 50
"""Read ahead together: with two identities each they take one BatchGetItem of 100 keys."""

ROWS_PER_MARK: Final = 200
"""Rows after which a part says how far it is: ten small files a part, 2 cents for a million rows."""

MOST_REPAIRS: Final = 500
"""Kinds of repair that are counted separately; a file of JSON lines may have another field in every row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPart:
    """Reads, cleans and applies rows, and writes their outcomes; each part has an ``importer`` of its own."""

    files: Files
    contacts: BulkContactStore
    importer: Importer

    def import_part(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """``{run, part}`` → ``{rows, repeated}``; the part is named by its key.

        Raises RetryableError or FinalError; the rows applied so far stay applied.
        """
        key = payload["part"]
        if (known := self.files.read(result_key(key))) is not None:
            return {"rows": json.loads(known)["rows"], "repeated": True}
        plan, part = load_import(self.files, payload["run"]), Part.load(self.files, key)
        division = Division.load(self.files, plan)
        is_rerun = not plan.dry_run and not self.files.write_once(beside(key, "begun", ""), b"")
        result = _Result()
        with self.files.writer(beside(key, "rejected", ".jsonl")) as rejected:
            result.rejected_rows = rejected
            self._import(plan, part, last=division.last, is_rerun=is_rerun, result=result)
        if plan.full_list is not None:
            self.files.write(beside(key, "listed", ".bin"), ContactSet.dump(result.listed))
        write_persons(self.files, beside(key, "persons", ""), result.persons, buckets=division.buckets)
        self.files.write_once(result_key(key), json.dumps(result.to_dict(), ensure_ascii=False).encode())
        return {"rows": result.rows, "repeated": False}

    def _import(self, plan: ImportPlan, part: Part, *, last: int, is_rerun: bool, result: "_Result") -> None:
        stream = self.files.stream(content_of(plan, self.files), start=part.start, end=part.end)
        ahead = ReadAhead(self.contacts, writes=not plan.dry_run)
        cleaner = RowCleaner(plan.spec, filling=self._filling(plan))
        with replace(
            self.importer, contacts=ahead, records=not plan.dry_run, is_rerun=is_rerun, creates=plan.mode == "upsert"
        ) as importer:
            for raws in batched(read_rows(stream, plan.spec, first_row=part.first), ROWS_AT_ONCE):
                if result.rows and result.rows % ROWS_PER_MARK == 0:
                    self.files.write(progress_key(plan, part, result.rows), b"")
                cleaned = [(raw, cleaner.clean(raw)) for raw in raws]
                ahead.prepare(row.identities for _, row in cleaned if isinstance(row, CleanRow))
                for raw, row in cleaned:
                    result.rows += 1
                    if isinstance(row, RejectedRow):
                        result.reject(raw, row)
                        if plan.full_list is not None:
                            result.keep_on_list(row.identities or {}, ahead)
                        continue
                    whole = plan.with_consent(row)
                    if plan.full_list is not None:
                        whole = plan.full_list.joined(whole)
                    applied = importer.apply(whole, source=plan.source, at=plan.row_time(row.number, last))
                    if isinstance(applied, RejectedRow):
                        result.reject(raw, applied)
                        result.keep_on_list(row.identities, ahead)
                    else:
                        result.add(whole, applied)
        result.ignored = cleaner.ignored

    def _filling(self, plan: ImportPlan) -> Filling:
        """The fill rules, with what is usual in the file where they ask for it."""
        filling = load_filling()
        if not filling.statistics:
            return filling
        usual = json.loads(self.files.read(plan.statistics) or b"{}")
        return filling.with_statistics(usual, load_attributes())


@dataclass(slots=True)
class _Result:
    """The outcomes of the rows of a part."""

    rows: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    kept_consents: Counter[str] = field(default_factory=Counter)
    cleared: Counter[str] = field(default_factory=Counter)
    ignored: Counter[str] = field(default_factory=Counter)
    repairs: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    persons: list[PersonRow] = field(default_factory=list)
    listed: list[str] = field(default_factory=list)
    unread: int = 0
    rejected_rows: FileWriter | None = None

    def add(self, row: CleanRow, applied: Applied) -> None:
        """Count a row that was applied."""
        self.outcomes[applied.outcome] += 1
        if applied.outcome == "not_found":
            return
        self.listed.append(applied.contact_id)
        self.kept_consents.update(applied.kept_consents)
        self.cleared.update(name for name, value in row.profile.items() if value is None)
        self.persons.append(PersonRow(row.number, applied.contact_id, applied.outcome, row.profile, row.identities))
        for repair in row.repairs:
            self._count(repair, row.number)
        for name in applied.left_out:
            self._count(Repair(name, "left_out_of_full_contact", "", ""), row.number)

    def reject(self, raw: RawRow, row: RejectedRow) -> None:
        """Count a row that was rejected, and write it with its cells."""
        self.outcomes["rejected"] += 1
        problem = raw.cells if isinstance(raw.cells, RowProblem) else None
        original = {"cells": raw.cells} if problem is None else {"cells": problem.cells, "text": problem.text}
        line = {**row.to_dict(), **original}
        if self.rejected_rows is not None:
            self.rejected_rows.write(json.dumps(line, ensure_ascii=False, default=str).encode() + b"\n")

    def keep_on_list(self, identities: Mapping[str, str], contacts: ReadAhead) -> None:
        """Count the contacts of a rejected row as being in the file; of one without any id nobody knows whose it is."""
        self.unread += not identities
        self.listed += contacts.resolve(identities).values() if identities else ()

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
            "cleared": dict(self.cleared),
            "ignored": dict(self.ignored),
            "unread": self.unread,
            "repairs": list(self.repairs.values()),
        }
