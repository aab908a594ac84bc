"""Counts what became of all rows of a file and writes the files a person looks at. Called by finish_import."""

import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import merge
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, Final, TypeAlias

from waypost.clock import format_instant
from waypost.errors import InvalidInput
from waypost.importing.csv_writing import BYTE_ORDER_MARK, CONTENT_TYPE, csv_lines
from waypost.importing.part import NEW, PERSON
from waypost.importing.plan import ImportPlan, beside, result_key
from waypost.importing.ports import Files, StoredFile

ROWS_PER_PASS: Final = 2_000_000
"""Rows whose persons are compared at once (about 25 MB); a larger file is gone through several times."""

ROWS_COMPARED: Final = 50_000
"""Rows whose values are held at once (about 100 MB); with more duplicates the parts are read several times."""

_Said: TypeAlias = tuple[dict[str, str], dict[str, str]]

OUTCOMES: Final = ("created", "updated", "unchanged", "merged", "rejected")

_ROWS_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReporter:
    """Makes the report of a run whose parts are all done; the same again writes the same files."""

    files: Files
    rows_per_pass: int = ROWS_PER_PASS
    rows_at_once: int = ROWS_COMPARED

    def report(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """``{run}`` → the report. Raises InvalidInput when a part is not done."""
        plan = ImportPlan.load(self.files, payload["run"])
        parts = list(self.files.listed(plan.parts))
        outcomes, kept, repairs = Counter[str](), Counter[str](), dict[tuple[str, str], dict[str, Any]]()
        for part in parts:
            result = self._result(part)
            outcomes.update(result["outcomes"])
            kept.update(result["kept_consents"])
            _add_repairs(repairs, result["repairs"])
        duplicates, new_twice = self._write_duplicates(plan, parts, rows=sum(outcomes.values()))
        if plan.dry_run:  # parts that pretend do not see each other: a person in two of them was new in both
            outcomes["created"] -= new_twice
            outcomes["updated"] += new_twice
        report = {
            "run": plan.run,
            "file": plan.sources[0].key,
            "mapping": plan.spec.name,
            "format": plan.spec.format,
            "encoding": plan.spec.encoding,
            "dry_run": plan.dry_run,
            "as_of": format_instant(plan.as_of),
            "rows": sum(outcomes.values()),
            **{outcome: outcomes[outcome] for outcome in OUTCOMES},
            "duplicates": duplicates,
            "repairs": sum(each["count"] for each in repairs.values()),
            "kept_consents": dict(sorted(kept.items())),
            "ignored_columns": list(plan.spec.unmapped),
            "bucket": self.files.bucket,
            "files": {
                "rejected": self._write_rejected(plan, parts) if outcomes["rejected"] else None,
                "duplicates": _duplicates_key(plan) if duplicates else None,
                "repairs": self._write_repairs(plan, list(repairs.values())) if repairs else None,
            },
        }
        self.files.write(f"{plan.target}report.json", json.dumps(report, ensure_ascii=False, indent=1).encode())
        return report

    def _result(self, part: StoredFile) -> dict[str, Any]:
        stored = self.files.read(result_key(part.key))
        if stored is None:
            raise InvalidInput("parts", f"{part.key} is not done; redrive the execution, or start the import again")
        result: dict[str, Any] = json.loads(stored)
        return result

    def _write_rejected(self, plan: ImportPlan, parts: Sequence[StoredFile]) -> str:
        """Row number, field, reason, and the cells as they stood in the file, so that they can be corrected in place."""
        key = f"{plan.target}rejected.csv"
        header = list(plan.spec.header)
        with self.files.writer(key, content_type=CONTENT_TYPE) as writer:
            writer.write(BYTE_ORDER_MARK + csv_lines([["row", "field", "reason", *(header or ["original"])]]))
            rows: list[list[str]] = []
            for each in self._rejected(parts):
                cells = each["cells"]
                original = (
                    [_text(cells.get(name)) for name in header] if header else [json.dumps(cells, ensure_ascii=False)]
                )
                rows.append([str(each["row"]), each["field"], _reasons(each), *original])
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

    def _write_duplicates(self, plan: ImportPlan, parts: Sequence[StoredFile], *, rows: int) -> tuple[int, int]:
        """How many rows are about somebody whom an earlier row is about, and how many of those say they made the contact."""
        passes = 1 + rows // self.rows_per_pass
        duplicates = new_twice = 0
        with self.files.writer(_duplicates_key(plan), content_type=CONTENT_TYPE) as writer:
            writer.write(BYTE_ORDER_MARK + csv_lines([["row", "same_person_as_row", "same", "differs_in"]]))
            for turn in range(passes):
                person = _Person(0)
                rows_of_persons = self._of_several_rows(parts, turn, passes)
                while some := list(islice(rows_of_persons, self.rows_at_once)):
                    said = self._said(parts, {number for _, number, _ in some})
                    found = []
                    for first, number, is_new in some:
                        if first != person.first:
                            person = _Person(first)
                        compared = person.compared(*said.get(number, ({}, {})))
                        new_twice += is_new and person.is_new
                        person.is_new |= is_new
                        if number != first:
                            found.append([str(number), str(first), *compared])
                    duplicates += len(found)
                    writer.write(csv_lines(found))
        return duplicates, new_twice

    def _said(self, parts: Sequence[StoredFile], numbers: set[int]) -> dict[int, _Said]:
        """The hashed values and identities of these rows; only the parts they stand in are read."""
        firsts = [_first_row(part) for part in parts]
        wanted = sorted({bisect_right(firsts, number) - 1 for number in numbers})
        said: dict[int, _Said] = {}
        for place in wanted:
            for line in (self.files.read(beside(parts[place].key, "values", ".jsonl")) or b"").splitlines():
                if int(line[1 : line.index(b",")]) in numbers:
                    number, values, identities = json.loads(line)
                    said[number] = values, identities
        return said

    def _of_several_rows(self, parts: Sequence[StoredFile], turn: int, passes: int) -> Iterator[tuple[int, int, bool]]:
        """The rows of each person who has more than one: the person's first, the row, and whether it made the contact."""
        contents = [self._persons(part, turn, passes) for part in parts]
        persons = merge(*map(PERSON.iter_unpack, contents))
        for _, rows in groupby(persons, key=itemgetter(0)):
            numbers = sorted((number & ~NEW, number >= NEW) for _, number in rows)
            if len(numbers) > 1:
                for number, is_new in numbers:
                    yield numbers[0][0], number, is_new

    def _persons(self, part: StoredFile, turn: int, passes: int) -> bytes:
        content = self.files.read(beside(part.key, "persons", ".bin")) or b""
        if passes == 1:
            return content
        each = (content[at : at + PERSON.size] for at in range(0, len(content), PERSON.size))
        return b"".join(person for person in each if int.from_bytes(person[:8]) % passes == turn)

    def _write_repairs(self, plan: ImportPlan, repairs: list[dict[str, Any]]) -> str:
        key = f"{plan.target}repairs.csv"
        rows = [
            [each["field"], each["rule"], str(each["count"]), str(each["row"]), each["before"], each["after"]]
            for each in sorted(repairs, key=lambda each: (-each["count"], each["field"], each["rule"]))
        ]
        header = ["field", "rule", "count", "example_row", "example_before", "example_after"]
        self.files.write(key, BYTE_ORDER_MARK + csv_lines([header, *rows]))
        return key


def _duplicates_key(plan: ImportPlan) -> str:
    return f"{plan.target}duplicates.csv"


def _first_row(part: StoredFile) -> int:
    return int(part.key.rpartition("/")[2].removesuffix(".json"))


@dataclass(slots=True)
class _Person:
    """What the rows of one person have said so far."""

    first: int
    is_new: bool = False
    known: dict[str, str] = field(default_factory=dict)
    told: set[tuple[str, str]] = field(default_factory=set)

    def compared(self, values: Mapping[str, str], identities: Mapping[str, str]) -> tuple[str, str]:
        """The kinds of identity a row shares with one before it, and the attributes in which it differs from them."""
        same = [kind for kind, value in identities.items() if (kind, value) in self.told]
        differs = [name for name, value in values.items() if self.known.get(name, value) != value]
        self.known |= values
        self.told |= identities.items()
        return "; ".join(sorted(same)), "; ".join(sorted(differs))


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


def _text(cell: Any) -> str:
    return "" if cell is None else cell if isinstance(cell, str) else json.dumps(cell, ensure_ascii=False)
