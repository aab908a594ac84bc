"""Reads JSON lines: one object a line, flattened to cells. Used by ``reading``."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Final

from waypost.contacts.file_columns import is_undeclared
from waypost.importing.csv_rows import LONGEST_CELL
from waypost.importing.lines import Line, read_lines
from waypost.importing.rows import Cell, RowProblem
from waypost.importing.spec import ImportSpec

MOST_CELLS: Final = 1000
DEEPEST: Final = 8
"""Levels of objects in a row; a segment export needs three."""

LONGEST_NAME: Final = 200
"""Characters of a member's path; attribute names end at 100."""

_NO_OBJECT: Final = RowProblem("should be a JSON object on one line")
_REPEATED: Final = "is given twice; keep one of them"


def read_objects(
    stream: BinaryIO, spec: ImportSpec, *, is_start: bool
) -> Iterator[tuple[int, dict[str, Cell] | RowProblem | None]]:
    """The offset of each line with its cells, or the problem; None for an empty line."""
    for line in read_lines(stream, spec, is_start=is_start):
        yield line.offset, _cells(line)


def _cells(line: Line) -> dict[str, Cell] | RowProblem | None:
    if line.text is None:
        return RowProblem(line.reason)
    text = line.text.removeprefix("\ufeff").strip()  # files of a folder lie behind each other, each with its mark
    if not text:
        return None
    value = parsed(text)
    cells = value if isinstance(value, RowProblem) else flattened(value)
    return cells.of(text) if isinstance(cells, RowProblem) else cells


def parsed(text: str) -> dict[str, Any] | RowProblem:
    """The JSON object in ``text``."""
    # needed only where JSON lines are read
    import orjson  # noqa: PLC0415

    try:
        value = orjson.loads(text)
        json.loads(text, object_pairs_hook=_given_once)  # orjson takes the last of two members with one name
    except _SaidTwice as twice:
        return RowProblem(_REPEATED, field=_shown(str(twice)))
    except (ValueError, RecursionError):  # also too deep a nesting, half surrogates and numbers that are none
        return _NO_OBJECT
    return value if isinstance(value, dict) else _NO_OBJECT


class _SaidTwice(Exception):
    """An object has two members with this name."""


def _given_once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(members)
    if len(value) < len(members):
        raise _SaidTwice(next(name for place, (name, _) in enumerate(members) if name in dict(members[:place])))
    return value


def flattened(value: Mapping[str, Any]) -> dict[str, Cell] | RowProblem:
    """An object's members by their path (``address.city``); lists stay lists of texts, numbers and booleans.

    The member of an undeclared attribute, as an export names it, is kept whole.
    """
    cells: dict[str, Cell] = {}
    todo: list[tuple[str, Any, int]] = [("", value, 0)]
    while todo:
        path, each, depth = todo.pop()
        if isinstance(each, dict) and not is_undeclared(path):
            if depth > DEEPEST or len(each) > MOST_CELLS:
                return RowProblem(f"should have at most {MOST_CELLS} members, nested at most {DEEPEST} levels deep")
            todo.extend(
                (f"{path}.{name}" if path else name, member, depth + 1) for name, member in reversed(each.items())
            )
            continue
        if path in cells:  # {"a.b": 1, "a": {"b": 2}}
            return RowProblem(_REPEATED, field=_shown(path))
        if not is_undeclared(path) and (reason := _objection(each)):
            return RowProblem(reason, field=_shown(path))
        if len(path) > LONGEST_NAME:
            return RowProblem(f"should have no name of more than {LONGEST_NAME} characters", field=_shown(path))
        if len(cells) == MOST_CELLS:
            return RowProblem(f"should have at most {MOST_CELLS} members, nested at most {DEEPEST} levels deep")
        cells[path] = each
    return cells


def _objection(value: Any) -> str:
    """What is wrong with a member that is no object, or ""."""
    if isinstance(value, list) and any(isinstance(element, (dict, list)) for element in value):
        return "should be a list of texts or numbers"
    if isinstance(value, str) and len(value) > LONGEST_CELL:
        return f"should be at most {LONGEST_CELL:,} characters long"
    return ""


def _shown(path: str) -> str:
    return path if len(path) <= 60 else path[:57] + "…"
