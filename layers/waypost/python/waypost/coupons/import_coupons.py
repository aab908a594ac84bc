"""Takes the codes of a shop's file into a pool. Called by import_coupons, part by part.

A code is in one pool and with one contact at most, whatever was imported before: a file that is taken twice, or a call that is
repeated, adds nothing twice.
"""

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, assert_never

from waypost.batches import batched
from waypost.bulk.run_slice import RESERVE, Remaining
from waypost.clock import Clock, format_instant
from waypost.codec import JsonForm
from waypost.coupons.codes import code_digest, code_problem
from waypost.coupons.coupon import Added, CouponStore, FreeCode
from waypost.coupons.pool import CouponPool, CouponPools
from waypost.errors import InvalidInput
from waypost.files.ports import Files
from waypost.files.uploads import uploaded_text

MOST_CODES: Final = 100_000
"""Rows of one file: two writes each."""
LARGEST: Final = 16 * 1024**2
"""Bytes of one file: 160 for each of its rows."""
NAMED: Final = 500
"""Rejected rows that an answer names; the others are counted. An execution's output may be 256 KiB."""
BATCH: Final = 100
EXAMPLE: Final = "imports/codes.csv"
TAKEN: Final = "is in another pool, or a contact has it already"
_FIELDS: Final = frozenset({"pool", "file", "at", "tag", "position", "added", "there", "taken", "taken_rows"})
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


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was not taken: which field is wrong, and why."""

    row: int
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class CouponImport(JsonForm):
    """An import and how far it has come: ``position`` good rows are done, of which ``taken`` were another's: the first by row."""

    pool: str
    file: str
    at: datetime
    tag: str
    position: int = 0
    added: int = 0
    there: int = 0
    taken: int = 0
    taken_rows: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportCoupons:
    """Imports codes; every call reads and checks the whole file, and adds the next part of it."""

    store: CouponStore
    pools: Callable[[], CouponPools]
    files: Files
    clock: Clock
    side_by_side: Callable[..., Iterable[Any]] = map

    def take(self, payload: Mapping[str, Any], *, remaining: Remaining) -> dict[str, Any]:
        """``{pool, file}``, or what the last call answered → the same, with ``done`` and the report of what was done.

        The report: ``rows``, ``added``, ``there``, ``rejected``, and ``rejections`` (the first 500: row, field, reason).
        Raises InvalidInput that names the field or the file's column, and RetryableError.
        """
        pool = self._pool(payload)
        file = uploaded_text(payload.get("file"), self.files, example=EXAMPLE, largest=LARGEST)
        rows = read_codes(file.text)
        begun = {"at": format_instant(self.clock()), "tag": file.tag}
        running = CouponImport.from_dict({**begun, **{name: payload[name] for name in payload if name in _FIELDS}})
        if running.tag != file.tag:
            raise InvalidInput("file", f"{file.key} was replaced during its import; start the import again")
        good, rejected = checked_rows(rows, now=running.at)
        for batch in batched(good[running.position :], BATCH):
            running = self._add(running, pool, batch)
            if remaining() < RESERVE:
                break
        found = [*rejected, *(Rejected(row, "code", TAKEN) for row in running.taken_rows)]
        return {
            **running.to_dict(),
            "done": running.position == len(good),
            "rows": len(rows),
            "rejected": len(rejected) + running.taken,
            "rejections": [asdict(each) for each in sorted(found, key=lambda each: each.row)[:NAMED]],
        }

    def _pool(self, payload: Mapping[str, Any]) -> CouponPool:
        if unknown := payload.keys() - _FIELDS - {"done", "rows", "rejected", "rejections"}:
            raise InvalidInput(min(unknown), "is not known; expected pool and file")
        name = payload.get("pool")
        if not isinstance(name, str) or not name:
            raise InvalidInput("pool", "is missing; expected the name of a pool under statemachines/coupons/")
        pool = self.pools().chain(name)[0]
        if pool.codes != "imported":
            raise InvalidInput("pool", f"{name} generates its codes; write codes: imported in its file to import them")
        return pool

    def _add(self, running: CouponImport, pool: CouponPool, batch: Sequence[tuple[int, FreeCode]]) -> CouponImport:
        def add(row: tuple[int, FreeCode]) -> Added:
            return self.store.add(pool.name, row[1], at=running.at)

        added, there, taken = running.added, running.there, list[int]()
        for (row, _), result in zip(batch, self.side_by_side(add, batch), strict=True):
            match result:
                case "added":
                    added += 1
                case "there":
                    there += 1
                case "taken":
                    taken.append(row)
                case _:
                    assert_never(result)
        position = running.position + len(batch)
        return replace(
            running,
            position=position,
            added=added,
            there=there,
            taken=running.taken + len(taken),
            taken_rows=(*running.taken_rows, *taken)[:NAMED],
        )


def checked_rows(rows: Sequence[CodeRow], *, now: datetime) -> tuple[list[tuple[int, FreeCode]], list[Rejected]]:
    """The codes that can be taken, with their rows, and the rows that cannot. Of a code that stands twice the first counts."""
    good: list[tuple[int, FreeCode]] = []
    rejected: list[Rejected] = []
    seen: dict[str, int] = {}
    for each in rows:
        code = _code(each, now)
        if isinstance(code, tuple):
            rejected.append(Rejected(each.row, *code))
        elif (first := seen.setdefault(code_digest(each.code), each.row)) != each.row:
            rejected.append(Rejected(each.row, "code", f"is row {first} already"))
        else:
            good.append((each.row, code))
    return good, rejected


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
