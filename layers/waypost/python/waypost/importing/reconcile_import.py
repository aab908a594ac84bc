"""Finds the rows of a file that are about the same person, and lets the last of them win. Called by reconcile_import.

Parts of a file are imported in parallel. Where rows of two parts contradict each other, the part that was done later has
won, even when its row comes first in the file: a row that changes nothing writes nothing and leaves no timestamp. Here,
when all parts are done, the final values of such a person are applied again.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from waypost.batches import batched
from waypost.codec import JsonForm
from waypost.contacts import push_tokens
from waypost.errors import InvalidInput
from waypost.files.csv_writing import csv_lines
from waypost.files.ports import Files, FileWriter
from waypost.importing.applying import Importer
from waypost.importing.persons import PersonRow, person_of, read_persons
from waypost.importing.plan import Division, ImportPlan, load_import, reconciled_key
from waypost.importing.rows import CleanRow, RejectedRow

_ADD_UP: Final = frozenset({"tags", "groups", push_tokens.ATTRIBUTE})
"""Of these, rows about one person are added up."""

_ROWS_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileImport:
    """Compares the rows of the persons in one bucket and writes a report of the duplicates."""

    files: Files
    importer: Importer

    def reconcile(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """``{run, bucket}`` → ``{duplicates, settled, repeated}``: rows about the person of an earlier
        row, and contacts whose values were corrected.

        Raises InvalidInput when a part is not done, RetryableError or FinalError; a repeated call changes nothing.
        """
        plan = load_import(self.files, payload["run"])
        target = reconciled_key(plan, payload["bucket"])
        if (known := self.files.read(f"{target}.json")) is not None:
            return {**_answer(json.loads(known)), "repeated": True}
        is_rerun = not plan.dry_run and not self.files.write_once(f"{target}.begun", b"")
        with self.files.writer(f"{target}.csv") as duplicates:
            result = self._reconcile(plan, payload["bucket"], duplicates, is_rerun=is_rerun)
        self.files.write(f"{target}.json", json.dumps(result.to_dict()).encode())
        return {**_answer(result.to_dict()), "repeated": False}

    def _reconcile(self, plan: ImportPlan, bucket: int, duplicates: FileWriter, *, is_rerun: bool) -> "_Found":
        last_row = Division.load(self.files, plan).last
        result = _Found()
        with replace(self.importer, is_rerun=is_rerun) as importer:
            for lines in self._of_several_rows(plan, bucket):
                person = _Person()
                for some in batched((PersonRow.load(line) for _, line in lines), _ROWS_AT_ONCE):
                    found = list(filter(None, map(person.add, some)))
                    result.duplicates += len(found)
                    duplicates.write(csv_lines(found))
                if plan.dry_run:  # dry parts do not see each other's contacts: a person in two of them was new in both
                    result.correct("created", "updated", max(0, person.outcomes["created"] - 1))
                elif lines[0][0] != lines[-1][0]:
                    changed = 0
                    for last in person.final_rows():
                        applied = importer.apply(last, source=plan.source, at=plan.row_time(last.number, last_row))
                        changed += not isinstance(applied, RejectedRow) and applied.outcome != "unchanged"
                    result.settled += changed > 0
                    result.correct("unchanged", "updated", min(changed, person.outcomes["unchanged"]))
        return result

    def _of_several_rows(self, plan: ImportPlan, bucket: int) -> Iterator[list[tuple[int, bytes]]]:
        """The rows of each person with several, each with its part; in the order of the first rows."""
        parts = list(self.files.listed(plan.persons))
        if len(parts) < sum(1 for _ in self.files.listed(plan.parts)):
            raise InvalidInput("parts", "are not all done; redrive the execution, or start the import again")
        lines: dict[bytes, list[tuple[int, bytes]]] = {}
        for part, file in enumerate(parts):
            for line in read_persons(self.files, file, bucket=bucket):
                lines.setdefault(person_of(line), []).append((part, line))
        yield from (found for found in lines.values() if len(found) > 1)


@dataclass(slots=True)
class _Found(JsonForm):
    """What was found in a bucket; ``corrections`` are those of the parts' counts."""

    duplicates: int = 0
    settled: int = 0
    corrections: Counter[str] = field(default_factory=Counter)

    def correct(self, wrong: str, right: str, rows: int) -> None:
        """Move ``rows`` from one outcome to another."""
        self.corrections[wrong] -= rows
        self.corrections[right] += rows


@dataclass(slots=True)
class _Person:
    """The values of the rows about one contact so far. Most rows of a file may share one placeholder of an address."""

    first: int = 0
    last: int = 0
    contact_id: str = ""
    outcomes: Counter[str] = field(default_factory=Counter)
    known: dict[str, Any] = field(default_factory=dict)
    row_of: dict[str, int] = field(default_factory=dict)
    identities: set[tuple[str, str]] = field(default_factory=set)
    contradicted: set[str] = field(default_factory=set)
    consents: dict[str, set[bool]] = field(default_factory=dict)

    def add(self, row: PersonRow) -> list[str]:
        """Add the next row. Return its number, the first row's, the kinds of identity it shares with an earlier one, and
        the attributes in which it differs; an empty list for the first row.
        """
        values = {name: value for name, value in row.profile.items() if name != "consent" and name not in _ADD_UP}
        same = [kind for kind, value in row.identities.items() if (kind, value) in self.identities]
        differs = [name for name, value in values.items() if self.known.get(name, value) != value]
        is_first = not self.contact_id
        if is_first:
            self.first, self.contact_id = row.number, row.contact_id
        self.last = row.number
        self.outcomes[row.outcome] += 1
        self.known |= values
        self.row_of |= dict.fromkeys(values, row.number)
        self.identities |= row.identities.items()
        self.contradicted.update(differs)
        for channel, answer in row.profile.get("consent", {}).items():
            self.consents.setdefault(channel, set()).add(answer)
        return [] if is_first else [str(row.number), str(self.first), _joined(same), _joined(differs)]

    def final_rows(self) -> Iterator[CleanRow]:
        """Rows with the final values of what the rows contradict each other in, each value in the row it comes from.

        Of a channel with a yes and a no it is the no, as if the rows had been read in order.
        """
        final: dict[int, dict[str, Any]] = {}
        for name in sorted(self.contradicted):
            final.setdefault(self.row_of[name], {})[name] = self.known[name]
        if refused := {channel: False for channel, given in self.consents.items() if len(given) > 1}:
            final.setdefault(self.last, {})["consent"] = refused
        for number, profile in sorted(final.items()):
            yield CleanRow(number, {"contact_id": self.contact_id}, profile)


def _joined(names: Iterable[str]) -> str:
    return "; ".join(sorted(names))


def _answer(result: Mapping[str, Any]) -> dict[str, Any]:
    return {"duplicates": result["duplicates"], "settled": result["settled"]}
