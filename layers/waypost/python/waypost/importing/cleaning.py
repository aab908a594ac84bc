"""Turns a row of a file into a contact's identities and profile, or gives the reason why it is rejected. Called by import_part for each row.

A row is stored whole or not at all: one cell that cannot be cleaned rejects the row, unless its column leaves such
cells out. Cleaning never raises, whatever a row holds.
"""

from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, assert_never

from waypost.contacts.attributes import AttributeSystem, load_attributes
from waypost.contacts.cleaning import Unusable
from waypost.contacts.file_columns import COMPUTED, CONTACT_ID, is_own_id
from waypost.importing import pinpoint
from waypost.importing.filling import Filling, load_filling
from waypost.importing.mapping import by_alias, unknown_column
from waypost.importing.rows import Cell, CleanRow, RawRow, RejectedRow, Repair, RowProblem
from waypost.importing.spec import Column, ImportSpec
from waypost.importing.steps import Step, step_for, tags_to_give

LONGEST_ROW: Final = 100_000
"""Characters of a row's values; a profile ends at 200,000 bytes and shares its item with consent and tags."""

MOST_REASONS: Final = 10
MOST_IGNORED: Final = 200
"""Names of members that are counted when nothing is declared for them; every row of a file may have others."""

_SHOWN: Final = 80
_MOST_NAMES: Final = 10_000
_IDENTITY_ATTRIBUTES: Final = ("email", "phone")
_REFUSED: Final = Column("attribute", "")
_NOT_DECLARED: Final = Unusable(
    "is not declared; name it under columns (ignore will do), or set unknown_columns: ignore"
)


@dataclass(slots=True)
class _Draft:
    """A row under construction."""

    identities: dict[str, str] = field(default_factory=dict)
    profile: dict[str, Any] = field(default_factory=dict)
    evidence: dict[str, str] = field(default_factory=dict)
    repairs: list[Repair] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)
    further: list[tuple[str, str]] = field(default_factory=list)
    is_export: bool = False
    size: int = 0


@dataclass(slots=True)
class RowCleaner:
    """Cleans the rows of one file; made once, because it caches the step of each column."""

    spec: ImportSpec
    attributes: AttributeSystem = field(default_factory=load_attributes)
    filling: Filling = field(default_factory=lambda: load_filling())  # noqa: PLW0108 - looked up when it is needed
    ignored: Counter[str] = field(default_factory=Counter)
    """Of each column that nothing was declared for, how many rows had something in it."""
    _steps: dict[str, Step | None] = field(default_factory=dict)
    _unknown: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._steps = {name: step_for(name, column, self.spec, self.attributes) for name, column in self.spec.columns}
        self._unknown = set(self.spec.unmapped)
        self.ignored = Counter(dict.fromkeys(self.spec.unmapped, 0))

    def clean(self, row: RawRow) -> CleanRow | RejectedRow:
        """The clean row, or why it is rejected."""
        cells = row.cells
        if not isinstance(cells, RowProblem) and self.spec.format == "pinpoint":
            cells = pinpoint.endpoint(cells)
        if isinstance(cells, RowProblem):
            return RejectedRow(row.number, cells.field, cells.reason)
        draft = _Draft(is_export=is_own_id(cells.get(CONTACT_ID)))
        fallbacks: list[tuple[Step, Cell]] = []
        for name, cell in cells.items():
            step = self._steps[name] if name in self._steps else self._new_step(name)
            if step is None:
                if name in self._unknown and cell not in ("", None):
                    self._ignore(name, draft)
            elif step.place.fallback:
                fallbacks.append((step, cell))
            else:
                self._read(step, cell, draft)
        for step, cell in sorted(fallbacks, key=lambda each: each[0].place.fallback):
            if step.place.name not in draft.identities and draft.profile.get(step.place.name) is None:
                self._read(step, cell, draft)
        if problems := draft.problems or self._missing(draft):
            (where, reason), *more = problems[:MOST_REASONS]
            return RejectedRow(row.number, where, reason, tuple(more), draft.identities)
        filled = {} if draft.is_export else self.filling.fill(draft.profile, draft.repairs)
        return CleanRow(
            row.number,
            draft.identities,
            draft.profile,
            draft.repairs,
            filled,
            draft.evidence,
            tuple(draft.further),
            tuple(self.filling.imputed(filled)),
        )

    def _read(self, step: Step, cell: Cell, draft: _Draft) -> None:
        if self._is_cleared(step, cell):
            self._clear(step, draft)
        elif cell != "" and cell is not None:
            self._take(step, cell, draft)

    def _ignore(self, name: str, draft: _Draft) -> None:
        if (name in self.ignored or len(self.ignored) < MOST_IGNORED) and not (draft.is_export and name in COMPUTED):
            self.ignored[name] += 1

    def _is_cleared(self, step: Step, cell: Cell) -> bool:
        if cell is None:
            return self.spec.format == "jsonl" and step.can_clear
        return bool(step.clears) and isinstance(cell, str) and step.is_clearing(cell)

    def _clear(self, step: Step, draft: _Draft) -> None:
        name = step.place.name
        if draft.profile.get(name) is not None:
            draft.problems.append((step.column[:60], f"is a second {name}; keep one of them"))
        draft.profile[name] = None

    def _take(self, step: Step, cell: Cell, draft: _Draft) -> None:
        value = step.value(cell, self.spec.empty)
        if value is None:
            return
        if isinstance(value, Unusable):
            if step.leaves_out:
                draft.repairs.append(Repair(step.field, "left_out", _shown(cell), ""))
            else:
                draft.problems.append((step.column[:60], value.reason))
            return
        self._note(step, cell, value, draft)
        place = step.place
        if place.goes_to == "tags":
            tags = tags_to_give(value, leaves_out=draft.is_export or step.leaves_out)
            if isinstance(tags, Unusable):
                draft.problems.append((step.column[:60], tags.reason))
                return
            value, left_out = tags
            draft.repairs += [Repair(step.field, reason, tag, "") for tag, reason in left_out.items()]
        if place.opt_out:
            if not value:
                return
            value = False
        if place.goes_to == "consent" and value and not place.evidence:
            draft.repairs.append(Repair(f"consent_{place.name}", "left_out: a yes needs evidence", _shown(cell), ""))
            return
        self._put(step, value, draft)

    def _note(self, step: Step, cell: Cell, value: Any, draft: _Draft) -> None:
        if value != cell and not _is_spelled(value, cell):
            draft.repairs.append(Repair(step.field, step.rule, _shown(cell), _shown(value)))
        if step.doubt is not None and (doubt := step.doubt(value)):
            draft.repairs.append(Repair(step.field, doubt, _shown(cell), _shown(value)))

    def _put(self, step: Step, value: Any, draft: _Draft) -> None:
        name, profile = step.place.name, draft.profile
        draft.size += (
            len(value) if isinstance(value, str) else sum(map(len, map(str, value))) if isinstance(value, list) else 8
        )
        match step.place.goes_to:
            case "identity":
                if step.place.account and draft.identities.get(name, value) != value:
                    draft.further.append((name, value))
                    return
                if draft.identities.get(name, value) != value:
                    draft.problems.append((step.column[:60], f"is a second {name}; a row has one of a kind"))
                draft.identities[name] = value
                if name in _IDENTITY_ATTRIBUTES:
                    profile[name] = value
            case "attribute":
                if self.spec.format == "jsonl" and profile.get(name, value) != value:
                    draft.problems.append((step.column[:60], f"is a second {name}; keep one of them"))
                profile.setdefault(name, list(value) if isinstance(value, list) else value)
            case "tags" | "groups" as kind:
                profile[kind] = list(dict.fromkeys((*profile.get(kind, ()), *value)))
            case "consent":
                profile.setdefault("consent", {})[name] = value
                draft.evidence |= {name: step.place.evidence} if step.place.evidence else {}
            case "ignore":
                pass
            case never:
                assert_never(never)

    def _missing(self, draft: _Draft) -> list[tuple[str, str]]:
        if draft.size > LONGEST_ROW:
            return [("row", f"should be at most {LONGEST_ROW:,} characters long")]
        missing = [kind for kind in self.spec.required if kind not in draft.identities]
        if missing:
            return [(kind, "is empty, and the mapping requires it") for kind in missing]
        if not draft.identities:
            return [("row", "has no user id, e-mail address, phone number or other identity, so it is nobody's")]
        return []

    def _new_step(self, name: str) -> Step | None:
        """The step of a column the header did not have: JSON rows may differ."""
        if self.spec.header and self.spec.format == "csv":
            return None  # the header was mapped as a whole
        if name == CONTACT_ID:
            return None
        spec = self.spec
        column = (
            pinpoint.column(name, self.attributes) if spec.format == "pinpoint" else by_alias(name, self.attributes)
        )
        step: Step | None
        if column is None and spec.format == "jsonl" and spec.unknown_columns == "refuse":
            step = Step(name, _REFUSED, "", lambda _value: _NOT_DECLARED)
        else:
            column = column or (unknown_column(name, spec) if spec.format == "jsonl" else None)
            step = step_for(name, column, spec, self.attributes) if column else None
        if len(self._steps) < _MOST_NAMES:
            self._steps[name] = step
            if column is None and spec.format == "jsonl":
                self._unknown.add(name)
        return step


def clean_row(row: RawRow, spec: ImportSpec) -> CleanRow | RejectedRow:
    """One row by the published declarations; a loop over many rows makes one ``RowCleaner`` and is faster."""
    return _cleaner(spec).clean(row)


@lru_cache(maxsize=8)
def _cleaner(spec: ImportSpec) -> RowCleaner:
    return RowCleaner(spec)


def _is_spelled(value: Any, cell: Cell) -> bool:
    """Whether the cell is the value, as text: a number that was read is no repair."""
    return isinstance(cell, str) and not isinstance(value, (str, list)) and str(value) == cell


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else str(value)
    text = text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
