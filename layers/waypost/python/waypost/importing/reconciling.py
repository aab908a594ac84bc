"""Finds the rows of a file that are about the same person, and lets the last of them win. Called by reconcile_import.

Parts of a file are imported side by side. Where rows of two parts contradict each other, the one that was done later may
have won, although it stands earlier in the file: a row that says what is known already writes nothing, so that nobody sees
that it was there. Here, when all parts are done, what the rows of such a person say in the end is said once more.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from waypost.clock import Clock
from waypost.contacts import push_tokens
from waypost.contacts.identity import Wait
from waypost.contacts.identity_rules import BUILT_IN, IdentityRules
from waypost.contacts.ports import ContactStore
from waypost.errors import InvalidInput
from waypost.events.history import BulkEventHistory
from waypost.events.ports import EventQueue
from waypost.importing.applying import Importer, no_wait
from waypost.importing.csv_writing import csv_lines
from waypost.importing.persons import PersonRow, person_of, read_persons
from waypost.importing.plan import Division, ImportPlan, reconciled_key
from waypost.importing.ports import Files
from waypost.importing.rows import CleanRow, RejectedRow

_ADD_UP: Final = frozenset({"tags", "groups", push_tokens.ATTRIBUTE})
"""Of these, rows about one person add to each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReconciler:
    """Compares the rows of the persons in one bucket and writes down what it found."""

    files: Files
    contacts: ContactStore
    history: BulkEventHistory
    clock: Clock
    queue: EventQueue | None = None
    identity_rules: IdentityRules = BUILT_IN
    wait: Wait = no_wait

    def reconcile(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """``{run, bucket}`` → ``{duplicates, settled, repeated}``: rows about somebody whom an earlier row is about, and
        contacts that were changed because of them.

        Raises InvalidInput when a part is not done, RetryableError or FinalError; the same again changes nothing.
        """
        plan = ImportPlan.load(self.files, payload["run"])
        target = reconciled_key(plan, payload["bucket"])
        if (known := self.files.read(f"{target}.json")) is not None:
            return {**_answer(json.loads(known)), "repeated": True}
        is_again = not plan.dry_run and not self.files.write_once(f"{target}.begun", b"")
        result = self._reconcile(plan, payload["bucket"], is_again=is_again)
        self.files.write(f"{target}.csv", csv_lines(result.rows))
        self.files.write(f"{target}.json", json.dumps(result.to_dict()).encode())
        return {**_answer(result.to_dict()), "repeated": False}

    def _reconcile(self, plan: ImportPlan, bucket: int, *, is_again: bool) -> "_Found":
        last_row = Division.load(self.files, plan).last
        result = _Found()
        with Importer(
            contacts=self.contacts,
            history=self.history,
            clock=self.clock,
            queue=self.queue,
            identity_rules=self.identity_rules,
            wait=self.wait,
            mapping=plan.spec.name,
            is_again=is_again,
        ) as importer:
            for person in self._persons(plan, bucket):
                result.add(person)
                if plan.dry_run:  # parts that pretend do not see each other: a person in two of them was new in both
                    result.correct("created", "updated", max(0, person.outcomes["created"] - 1))
                elif person.is_in_several_parts and (last := person.last_word()) is not None:
                    applied = importer.apply(last, source=plan.source, at=plan.row_time(last.number, last_row))
                    if not isinstance(applied, RejectedRow) and applied.outcome != "unchanged":
                        result.settled += 1
                        result.correct("unchanged", "updated", min(1, person.outcomes["unchanged"]))
        return result

    def _persons(self, plan: ImportPlan, bucket: int) -> Iterator["_Person"]:
        """Whoever is in the file several times, by the number of the first row."""
        parts = list(self.files.listed(plan.persons))
        if len(parts) < sum(1 for _ in self.files.listed(plan.parts)):
            raise InvalidInput("parts", "are not all done; redrive the execution, or start the import again")
        lines: dict[bytes, list[tuple[int, bytes]]] = {}
        for part, file in enumerate(parts):
            for line in read_persons(self.files, file, bucket=bucket):
                lines.setdefault(person_of(line), []).append((part, line))
        for found in lines.values():
            if len(found) > 1:
                yield _Person(found)


@dataclass(slots=True)
class _Found:
    """What was found in a bucket: ``rows`` of the report of duplicates, and corrections of the parts' counts."""

    duplicates: int = 0
    settled: int = 0
    corrections: Counter[str] = field(default_factory=Counter)
    rows: list[list[str]] = field(default_factory=list)

    def add(self, person: "_Person") -> None:
        """Somebody who is in the file several times."""
        found = list(person.compared())
        self.duplicates += len(found)
        self.rows += found

    def correct(self, wrong: str, right: str, rows: int) -> None:
        """So many rows were counted wrong."""
        self.corrections[wrong] -= rows
        self.corrections[right] += rows

    def to_dict(self) -> dict[str, Any]:
        """The stored form; the rows are stored apart."""
        return {"duplicates": self.duplicates, "settled": self.settled, "corrections": dict(self.corrections)}


class _Person:
    """The rows about one contact, in their order."""

    def __init__(self, found: Sequence[tuple[int, bytes]]) -> None:
        self.rows = [PersonRow.load(line) for _, line in found]
        self.is_in_several_parts = len({part for part, _ in found}) > 1
        self.outcomes = Counter(row.outcome for row in self.rows)

    def compared(self) -> Iterator[list[str]]:
        """Of each row but the first: its number, the first one's, the kinds of identity that it shares with one before
        it, and the attributes in which it differs from them.
        """
        known: dict[str, Any] = {}
        told: set[tuple[str, str]] = set()
        for row in self.rows:
            values = _values(row)
            if row is not self.rows[0]:
                same = [kind for kind, value in row.identities.items() if (kind, value) in told]
                differs = [name for name, value in values.items() if known.get(name, value) != value]
                yield [str(row.number), str(self.rows[0].number), _joined(same), _joined(differs)]
            known |= values
            told |= row.identities.items()

    def last_word(self) -> CleanRow | None:
        """What the rows say in the end, where they contradict each other; None when they do not.

        Of a channel about which they say yes and no it is the no, as if they had been read in order.
        """
        said: dict[str, list[Any]] = {}
        answers: dict[str, set[bool]] = {}
        for row in self.rows:
            for name, value in _values(row).items():
                said.setdefault(name, []).append(value)
            for channel, answer in row.profile.get("consent", {}).items():
                answers.setdefault(channel, set()).add(answer)
        profile = {name: values[-1] for name, values in said.items() if any(each != values[-1] for each in values)}
        refused = {channel: False for channel, given in answers.items() if len(given) > 1}
        if refused:
            profile["consent"] = refused
        return CleanRow(self.rows[-1].number, {"contact_id": self.rows[0].contact_id}, profile) if profile else None


def _values(row: PersonRow) -> dict[str, Any]:
    return {name: value for name, value in row.profile.items() if name != "consent" and name not in _ADD_UP}


def _joined(names: Iterable[str]) -> str:
    return "; ".join(sorted(names))


def _answer(result: Mapping[str, Any]) -> dict[str, Any]:
    return {"duplicates": result["duplicates"], "settled": result["settled"]}
