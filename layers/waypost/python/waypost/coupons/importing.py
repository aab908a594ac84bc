"""Takes the codes of a shop's file into a pool. Used by the command that imports codes.

A code is in one pool and with one contact at most, whatever was imported before: a file that is taken twice adds nothing.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, assert_never

from waypost.coupons.codes import code_digest, code_problem
from waypost.coupons.coupon import CouponStore, FreeCode
from waypost.coupons.pool import CouponPool
from waypost.errors import InvalidInput

MOST_CODES: Final = 100_000
"""Rows of one file: two writes each."""
_COLUMNS: Final = ("code", "valid_until")


@dataclass(frozen=True, slots=True)
class CodeRow:
    """One row of the file; the header is row 1."""

    row: int
    code: str
    valid_until: str = ""


def read_codes(text: str) -> list[CodeRow]:
    """The rows of a CSV file with the column ``code``, and ``valid_until`` if codes have ends of their own.

    Raises InvalidInput naming the column.
    """
    reader = csv.DictReader(text.splitlines())
    columns = [(name or "").strip().lower() for name in reader.fieldnames or ()]
    if "code" not in columns:
        raise InvalidInput("code", f"expected a column of this name; the file has {', '.join(columns) or 'none'}")
    if strangers := [name for name in columns if name not in _COLUMNS]:
        raise InvalidInput(strangers[0], f"unknown column; expected {' and '.join(_COLUMNS)}")
    reader.fieldnames = columns
    rows = [
        CodeRow(reader.line_num, (each.get("code") or "").strip(), (each.get("valid_until") or "").strip())
        for each in reader
    ]
    if len(rows) > MOST_CODES:
        raise InvalidInput("code", f"expected at most {MOST_CODES:,} rows in a file, got {len(rows):,}; split it")
    return rows


def import_codes(store: CouponStore, pool: CouponPool, rows: Sequence[CodeRow], *, now: datetime) -> dict[str, Any]:
    """``{added, there, rejected: [{row, field, reason}]}``. Raises InvalidInput for a pool that generates its codes."""
    if pool.codes != "imported":
        raise InvalidInput("pool", f"{pool.name} generates its codes; write codes: imported in its file to import them")
    added, there = 0, 0
    rejected: list[dict[str, Any]] = []
    seen: dict[str, int] = {}

    for each in rows:
        digest, code = code_digest(each.code), _code(each, now)
        if isinstance(code, tuple):
            rejected.append({"row": each.row, "field": code[0], "reason": code[1]})
            continue
        if (first := seen.setdefault(digest, each.row)) != each.row:
            rejected.append({"row": each.row, "field": "code", "reason": f"is row {first} already"})
            continue
        result = store.add(pool.name, code, at=now)
        match result:
            case "added":
                added += 1
            case "there":
                there += 1
            case "taken":
                reason = "is in another pool, or a contact has it already"
                rejected.append({"row": each.row, "field": "code", "reason": reason})
            case _:
                assert_never(result)
    return {"added": added, "there": there, "rejected": rejected}


def _code(row: CodeRow, now: datetime) -> FreeCode | tuple[str, str]:
    """The code, or the field that is wrong and why."""
    if reason := code_problem(row.code):
        return "code", reason
    if not row.valid_until:
        return FreeCode(row.code)
    try:
        ends = datetime.fromisoformat(row.valid_until)
    except ValueError:
        return "valid_until", "expected an instant with its offset, such as 2027-12-31T23:59:59+08:00"
    if ends.tzinfo is None:
        return "valid_until", "expected an instant with its offset, such as 2027-12-31T23:59:59+08:00"
    if ends <= now:
        return "valid_until", "is over already"
    return FreeCode(row.code, ends.astimezone(UTC))
