"""Finds the rows of a file that are about the same person, and lets the last of them win. Called by reconcile_import.

Parts of a file are imported side by side. Where rows of two parts contradict each other, the one that was done later may
have won, although it stands earlier in the file: a row that says what is known already writes nothing, so that nobody sees
that it was there. Here, when all parts are done, what the rows of such a person say in the end is said once more.
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
"""Of these, rows about one person add to each other."""

_ROWS_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileImport:
    """Compares the rows of the persons in one bucket and writes down what it found."""

    files: Files
    importer: Importer

    def reconcile(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """``{run, bucket}`` → ``{duplicates, settled, repeated}``: rows about somebody whom an earlier row is about, and
        contacts that were changed because of them.

        Raises InvalidInput when a part is not done, RetryableError or FinalError; the same again changes nothing.
        """
        plan = load_import(self.files, payload["run"])
        target = reconciled_key(plan, payload["bucket"])
        if (known := self.files.read(f"{target}.json")) is not None:
            return {**_answer(json.loads(known)), "repeated": True}
        is_again = not plan.dry_run and not self.files.write_once(f"{target}.begun", b"")
        with self.files.writer(f"{target}.csv") as duplicates:
            result = self._reconcile(plan, payload["bucket"], duplicates, is_again=is_again)
        self.files.write(f"{target}.json", json.dumps(result.to_dict()).encode())
        return {**_answer(result.to_dict()), "repeated": False}

    def _reconcile(self, plan: ImportPlan, bucket: int, duplicates: FileWriter, *, is_again: bool) -> "_Found":
        last_row = Division.load(self.files, plan).last
        result = _Found()
        with replace(self.importer, is_again=is_again) as importer:
            for lines in self._of_several_rows(plan, bucket):
                person = _Person()
                for some in batched((PersonRow.load(line) for _, line in lines), _ROWS_AT_ONCE):
                    found = list(filter(None, map(person.hear, some)))
                    result.duplicates += len(found)
                    duplicates.write(csv_lines(found))
                if plan.dry_run:  # parts that pretend do not see each other: a person in two of them was new in both
                    result.correct("created", "updated", max(0, person.outcomes["created"] - 1))
                elif lines[0][0] != lines[-1][0]:
                    changed = 0
                    for last in person.last_words():
                        applied = importer.apply(last, source=plan.source, at=plan.row_time(last.number, last_row))
                        changed += not isinstance(applied, RejectedRow) and applied.outcome != "unchanged"
                    result.settled += changed > 0
                    result.correct("unchanged", "updated", min(changed, person.outcomes["unchanged"]))
        return result

    def _of_several_rows(self, plan: ImportPlan, bucket: int) -> Iterator[list[tuple[int, bytes]]]:
        """The rows of whoever is in the file several times, each with its part; by the number of the first row."""
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
        """So many rows were counted wrong."""
        self.corrections[wrong] -= rows
        self.corrections[right] += rows


@dataclass(slots=True)
class _Person:
    """What the rows about one contact have said so far. A placeholder of an address may have most rows of a file."""

    first: int = 0
    last: int = 0
    contact_id: str = ""
    outcomes: Counter[str] = field(default_factory=Counter)
    known: dict[str, Any] = field(default_factory=dict)
    said_by: dict[str, int] = field(default_factory=dict)
    told: set[tuple[str, str]] = field(default_factory=set)
    contradicted: set[str] = field(default_factory=set)
    answers: dict[str, set[bool]] = field(default_factory=dict)

    def hear(self, row: PersonRow) -> list[str]:
        """Take the next row; its number, the first row's, the kinds of identity that it shares with one before it, and
        the attributes in which it differs from them. Nothing for the first row.
        """
        values = {name: value for name, value in row.profile.items() if name != "consent" and name not in _ADD_UP}
        same = [kind for kind, value in row.identities.items() if (kind, value) in self.told]
        differs = [name for name, value in values.items() if self.known.get(name, value) != value]
        is_first = not self.contact_id
        if is_first:
            self.first, self.contact_id = row.number, row.contact_id
        self.last = row.number
        self.outcomes[row.outcome] += 1
        self.known |= values
        self.said_by |= dict.fromkeys(values, row.number)
        self.told |= row.identities.items()
        self.contradicted.update(differs)
        for channel, answer in row.profile.get("consent", {}).items():
            self.answers.setdefault(channel, set()).add(answer)
        return [] if is_first else [str(row.number), str(self.first), _joined(same), _joined(differs)]

    def last_words(self) -> Iterator[CleanRow]:
        """What the rows say in the end, where they contradict each other: of each row what it was the last to say.

        Of a channel about which they say yes and no it is the no, as if they had been read in order.
        """
        said: dict[int, dict[str, Any]] = {}
        for name in sorted(self.contradicted):
            said.setdefault(self.said_by[name], {})[name] = self.known[name]
        if refused := {channel: False for channel, given in self.answers.items() if len(given) > 1}:
            said.setdefault(self.last, {})["consent"] = refused
        for number, profile in sorted(said.items()):
            yield CleanRow(number, {"contact_id": self.contact_id}, profile)


def _joined(names: Iterable[str]) -> str:
    return "; ".join(sorted(names))


def _answer(result: Mapping[str, Any]) -> dict[str, Any]:
    return {"duplicates": result["duplicates"], "settled": result["settled"]}
