"""Adds up the outcomes of all rows of a file and writes the report and its files. Called by finish_import."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from waypost.clock import format_instant
from waypost.errors import InvalidInput
from waypost.files.csv_writing import BYTE_ORDER_MARK, CONTENT_TYPE, csv_lines
from waypost.files.ports import Files, StoredFile
from waypost.importing.leave_list import counted_states, held_back, on_list
from waypost.importing.plan import Division, ImportPlan, beside, load_import, reconciled_key, report_key, result_key

OUTCOMES: Final = ("created", "updated", "unchanged", "merged", "not_found", "rejected")

_ROWS_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishImport:
    """Makes the report of a run whose parts are all done; a repeated call writes the same files."""

    files: Files

    def report(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """``{run}`` → the report. Raises InvalidInput when a part is not done."""
        plan = load_import(self.files, payload["run"])
        parts = list(self.files.listed(plan.parts))
        outcomes, kept, repairs = Counter[str](), Counter[str](), dict[tuple[str, str], dict[str, Any]]()
        cleared, ignored = Counter[str](), Counter[str](dict.fromkeys(plan.spec.unmapped, 0))
        for part in parts:
            result = self._done(part.key, result_key(part.key))
            outcomes.update(result["outcomes"])
            kept.update(result["kept_consents"])
            cleared.update(result.get("cleared", {}))
            ignored.update(result.get("ignored", {}))
            _add_repairs(repairs, result["repairs"])
        duplicates = 0
        for bucket in self._buckets(plan):
            found = self._done(bucket, f"{bucket}.json")
            duplicates += found["duplicates"]
            outcomes.update(found["corrections"])
        report = {
            "run": plan.run,
            "file": plan.sources[0].key,
            "mapping": plan.spec.name,
            "format": plan.spec.format,
            "encoding": plan.spec.encoding,
            "dry_run": plan.dry_run,
            "mode": plan.mode,
            "as_of": format_instant(plan.as_of),
            "imported_at": format_instant(plan.planned_at or plan.as_of),
            "rows": sum(outcomes.values()),
            **{outcome: outcomes[outcome] for outcome in OUTCOMES},
            "duplicates": duplicates,
            "repairs": sum(each["count"] for each in repairs.values()),
            "kept_consents": dict(sorted(kept.items())),
            "cleared": dict(sorted(cleared.items())),
            "ignored_columns": list(ignored),
            "ignored_values": dict(ignored),
            "full_list": self._full_list(plan),
            "bucket": self.files.bucket,
            "files": {
                "rejected": self._write_rejected(plan, parts) if outcomes["rejected"] else None,
                "duplicates": self._write_duplicates(plan) if duplicates else None,
                "repairs": self._write_repairs(plan, list(repairs.values())) if repairs else None,
            },
        }
        self.files.write(report_key(plan.run), json.dumps(report, ensure_ascii=False, indent=1).encode())
        return report

    def _full_list(self, plan: ImportPlan) -> dict[str, Any] | None:
        """How many were on a full list, were in no row, and have left; or why nobody has."""
        if plan.full_list is None:
            return None
        reason = held_back(self.files, plan)
        counted, left = on_list(self.files, plan), 0
        if not (reason or plan.dry_run):
            slices = Division.load(self.files, plan).slices
            left = counted.leaving - counted_states(self.files, plan, applies=True).gathered(slices).found.stayed
        return {
            plan.full_list.kind: plan.full_list.name,
            "members": counted.members,
            "leaving": counted.leaving,
            "left": left,
            "held_back": reason,
        }

    def _done(self, what: str, key: str) -> dict[str, Any]:
        stored = self.files.read(key)
        if stored is None:
            raise InvalidInput("run", f"{what} is not done; redrive the execution, or start the import again")
        result: dict[str, Any] = json.loads(stored)
        return result

    def _write_rejected(self, plan: ImportPlan, parts: Sequence[StoredFile]) -> str:
        """Row number, field, reason, and the original cells, so that they can be corrected in place."""
        key = f"{plan.target}rejected.csv"
        header = list(plan.spec.header)
        with self.files.writer(key, content_type=CONTENT_TYPE) as writer:
            writer.write(BYTE_ORDER_MARK + csv_lines([["row", "field", "reason", *(header or ["original"])]]))
            rows: list[list[str]] = []
            for each in self._rejected(parts):
                rows.append([str(each["row"]), each["field"], _reasons(each), *_original(each, header)])
                if len(rows) == _ROWS_AT_ONCE:
                    writer.write(csv_lines(rows))
                    rows.clear()
            writer.write(csv_lines(rows))
        return key

    def _rejected(self, parts: Sequence[StoredFile]) -> Iterator[dict[str, Any]]:
        for part in parts:
            file = self.files.find(beside(part.key, "rejected", ".jsonl"))
            if file is not None and file.size:
                for line in self.files.stream(file):
                    yield json.loads(line)

    def _buckets(self, plan: ImportPlan) -> list[str]:
        """The key of each bucket's findings, without the ending."""
        return [reconciled_key(plan, bucket) for bucket in range(Division.load(self.files, plan).buckets)]

    def _write_duplicates(self, plan: ImportPlan) -> str:
        key = f"{plan.target}duplicates.csv"
        with self.files.writer(key, content_type=CONTENT_TYPE) as writer:
            writer.write(BYTE_ORDER_MARK + csv_lines([["row", "same_person_as_row", "same", "differs_in"]]))
            for bucket in self._buckets(plan):
                writer.write(self.files.read(f"{bucket}.csv") or b"")
        return key

    def _write_repairs(self, plan: ImportPlan, repairs: list[dict[str, Any]]) -> str:
        key = f"{plan.target}repairs.csv"
        rows = [
            [each["field"], each["rule"], str(each["count"]), str(each["row"]), each["before"], each["after"]]
            for each in sorted(repairs, key=lambda each: (-each["count"], each["field"], each["rule"]))
        ]
        header = ["field", "rule", "count", "example_row", "example_before", "example_after"]
        self.files.write(key, BYTE_ORDER_MARK + csv_lines([header, *rows]))
        return key


def _add_repairs(repairs: dict[tuple[str, str], dict[str, Any]], more: Sequence[dict[str, Any]]) -> None:
    for each in more:
        key = (each["field"], each["rule"])
        if key in repairs:
            repairs[key]["count"] += each["count"]
        else:
            repairs[key] = dict(each)


def _reasons(rejected: Mapping[str, Any]) -> str:
    """The reason, and those of further cells."""
    return "; ".join([rejected["reason"], *(f"{more['field']}: {more['reason']}" for more in rejected["more"])])


def _original(rejected: Mapping[str, Any], header: Sequence[str]) -> list[str]:
    """The cells as they stood in the file: under the names of their columns, or one after the other where their number is wrong.

    A row without cells stands as text behind the last column, so that it is rejected again if nobody corrects it.
    """
    cells: Mapping[str, Any] | Sequence[str] = rejected["cells"]
    if text := rejected.get("text"):
        return [*[""] * len(header), text]
    if not header:
        return [json.dumps(cells, ensure_ascii=False)]
    return (
        [_text(cells.get(name)) for name in header] if isinstance(cells, Mapping) else [_text(each) for each in cells]
    )


def _text(cell: Any) -> str:
    return "" if cell is None else cell if isinstance(cell, str) else json.dumps(cell, ensure_ascii=False)
