"""Checks the first rows of a file: does each column hold what its name says? Called by detecting.

A phone column that holds e-mail addresses would reject every row for the same reason, or be stored as free text. It is one
mistake and is reported once.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

from waypost.contacts.attributes import AttributeSystem
from waypost.contacts.cleaning import Unusable, email, phone
from waypost.contacts.cleaning.text import is_empty, plain
from waypost.errors import InvalidInput
from waypost.importing.mapping import by_alias
from waypost.importing.rows import RawRow, RowProblem
from waypost.importing.spec import Column, ImportSpec
from waypost.importing.steps import Step, step_for

_ADDRESSES: Final = {"email": "e-mail addresses", "phone": "phone numbers"}
_MOSTLY: Final = 0.5
_FEWEST_TO_REFUSE: Final = 10
_MOST_WRONG: Final = 0.9
_TYPED: Final = frozenset({"number", "boolean", "date", "datetime", "region", "values", "email", "phone"})
_LETTERS: Final = re.compile(r"[A-Za-z@\u4e00-\u9fff]")


def check_sample(rows: Sequence[RawRow], spec: ImportSpec, attributes: AttributeSystem) -> ImportSpec:
    """The specification, if the first rows fit it. Raises InvalidInput, naming the column."""
    _check_header(spec)
    if spec.format == "pinpoint":
        return spec
    columns = dict(spec.columns)
    if spec.format == "jsonl":
        columns |= _columns_of_objects(rows, spec, attributes)
    _check_identities(columns, spec)
    for name, column in columns.items():
        step = step_for(name, column, spec, attributes)
        if step is None or column.goes_to not in {"identity", "attribute"}:
            continue
        values = _values(rows, name, spec)
        if column.goes_to == "identity" and column.name in _ADDRESSES:
            _check_kind(step, values, spec)
            others = [
                other for other in _names(rows) if columns.get(other) is None or columns[other].name != column.name
            ]
            _check_swapped(step, values, {other: _values(rows, other, spec) for other in others}, spec)
        _check_values(step, values)
    return spec


def _columns_of_objects(rows: Sequence[RawRow], spec: ImportSpec, attributes: AttributeSystem) -> dict[str, Column]:
    declared = dict(spec.columns)
    found = {name: by_alias(name, attributes) for name in _names(rows) if name not in declared}
    return {name: column for name, column in found.items() if column is not None}


def _check_header(spec: ImportSpec) -> None:
    """A header that holds addresses is the first row of a file without one."""
    for name in spec.header:
        if _is_email(name) or _is_phone(name, spec):
            raise InvalidInput(
                "header", "holds an address instead of column names; put the names of the columns into the first row"
            )


def _check_identities(columns: dict[str, Column], spec: ImportSpec) -> None:
    kinds = {column.name for column in columns.values() if column.goes_to == "identity"}
    missing = [kind for kind in spec.required if kind not in kinds]
    if spec.format != "jsonl" and missing:
        raise InvalidInput(
            "columns", f"have none for {missing[0]}, which the mapping requires; declare which column it is"
        )
    if spec.format != "jsonl" and not kinds:
        names = ", ".join(name[:40] for name in spec.header[:30])
        raise InvalidInput(
            "columns",
            f"have no user id, e-mail or phone number, so rows would be nobody's; declare which of {names} is one",
        )


def _check_kind(step: Step, values: list[str], spec: ImportSpec) -> None:
    """A column that is mostly full of addresses of the other kind."""
    kind = step.place.name
    other = "phone" if kind == "email" else "email"
    if _share(values, other, spec) > _MOSTLY:
        raise InvalidInput(
            f"column {step.column}",
            f"is mapped to {kind} but holds {_ADDRESSES[other]}; are two columns swapped? correct the header or the mapping",
        )


def _check_swapped(step: Step, values: list[str], others: dict[str, list[str]], spec: ImportSpec) -> None:
    """A column without a single address of its kind, beside one that is mostly full of them."""
    kind = step.place.name
    if not values or _share(values, kind, spec):
        return
    for name, found in others.items():
        if _share(found, kind, spec) > _MOSTLY:
            raise InvalidInput(
                f"column {step.column}",
                f"is mapped to {kind} but holds none, and the column {name} does; are they swapped? correct the header or the mapping",
            )


def _share(values: list[str], kind: str, spec: ImportSpec) -> float:
    """How many of the values are addresses of this kind, 0 to 1."""
    found = sum(_is_email(value) if kind == "email" else _is_phone(value, spec) for value in values)
    return found / len(values) if values else 0.0


def _names(rows: Sequence[RawRow]) -> list[str]:
    """Every column of the first rows."""
    return list(dict.fromkeys(name for row in rows if not isinstance(row.cells, RowProblem) for name in row.cells))


def _check_values(step: Step, values: list[str]) -> None:
    """A column of which all but nothing can be read."""
    if step.leaves_out or step.rule not in _TYPED or len(values) < _FEWEST_TO_REFUSE:
        return
    wrong = [value for value in (step.clean(value) for value in values) if isinstance(value, Unusable)]
    if len(wrong) > len(values) * _MOST_WRONG:
        raise InvalidInput(
            f"column {step.column}",
            f"{wrong[0].reason} (as {step.field}); {len(wrong)} of the first {len(values)} values are not: correct the mapping",
        )


def _values(rows: Sequence[RawRow], name: str, spec: ImportSpec) -> list[str]:
    cells: list[Any] = [row.cells.get(name) for row in rows if not isinstance(row.cells, RowProblem)]
    texts = [plain(cell) for cell in cells if isinstance(cell, str)]
    return [text for text in texts if not is_empty(text, spec.empty)]


def _is_email(text: str) -> bool:
    return "@" in text and isinstance(email(text), str)


def _is_phone(text: str, spec: ImportSpec) -> bool:
    return not _LETTERS.search(text) and isinstance(phone(text, region=spec.phone_region), str)
