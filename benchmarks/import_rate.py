"""How many rows a second one core imports. Run by ``benchmarks``.

Every figure comes from a fresh process of its own, which reads a messy member list (GB18030, ``messy_members``) up to one
of four stages. The rival is what one would write in an afternoon: ``csv.DictReader``, and for each row email-validator and
phonenumbers, cleaning two of the twelve columns and nothing else.

``written`` goes through the real import of a row (identity, event, profile, history) with a store that keeps nothing and
knows nobody, so every row is a new contact, which is the most work. The time of a row against DynamoDB is not in it.
"""

import csv
import json
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final, TypeVar

from rich.table import Table

from benchmarks.messy_members import ENCODING, write_members
from benchmarks.peak_memory import peak_mb

STAGES: Final = ("rival", "read", "cleaned", "written")
RIVAL: Final = "csv.DictReader + email-validator + phonenumbers"
ROWS: Final = 100_000

ROOT: Final = Path(__file__).parents[1]
Row = TypeVar("Row")
NOW: Final = datetime(2026, 11, 21, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Pass:
    """One file read up to a stage: rows, processor seconds, peak memory of the process in MB, and rows kept out."""

    stage: str
    rows: int
    seconds: float
    peak_mb: float
    rejected: int = 0

    @property
    def rate(self) -> float:
        """Rows per second of one core."""
        return self.rows / self.seconds

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "stage": self.stage,
            "rows": self.rows,
            "rows_per_second": round(self.rate),
            "peak_mb": round(self.peak_mb, 1),
            "rejected": self.rejected,
        }


@dataclass(frozen=True, slots=True)
class ImportRate:
    """Each stage over the same file."""

    stages: tuple[Pass, ...]

    def ratio(self, stage: str) -> float:
        """Rows per second of a stage, over the rival's."""
        rates = {each.stage: each.rate for each in self.stages}
        return rates[stage] / rates["rival"]

    def figures(self) -> dict[str, float]:
        """What has a goal."""
        return {f"import/{stage}": self.ratio(stage) for stage in ("cleaned", "written")}

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "rival": RIVAL,
            "stages": [{**each.to_dict(), "ratio": round(self.ratio(each.stage), 3)} for each in self.stages],
        }


def rate_table(rate: ImportRate) -> Table:
    """Rows per second of each stage."""
    table = Table(
        title=f"Import of a messy member list, one core; the rival is {RIVAL}",
        title_justify="left",
        caption="The time of the store is not in it.",
        caption_justify="left",
    )
    table.add_column("up to")
    for name in ("rows", "rows/s", "of the rival's", "peak MB", "kept out"):
        table.add_column(name, justify="right")
    for each in rate.stages:
        table.add_row(
            each.stage,
            f"{each.rows:,}",
            f"{each.rate:,.0f}",
            f"{rate.ratio(each.stage):.2f}",
            f"{each.peak_mb:.0f}",
            f"{each.rejected:,}",
        )
    return table


def measure(folder: Path, *, rows: int, progress: Callable[[str], None]) -> ImportRate:
    """Write a file into ``folder``, pass it up to each stage, and remove it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"members-{rows}.csv"
    progress(f"writing {rows:,} rows")
    write_members(path, rows)
    try:
        return ImportRate(tuple(_passed(stage, path, progress) for stage in STAGES))
    finally:
        path.unlink()


def _passed(stage: str, path: Path, progress: Callable[[str], None]) -> Pass:
    progress(f"importing {path.stem}: {stage}")
    command = [sys.executable, "-m", "benchmarks.import_rate", stage, str(path)]
    finished = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return Pass(**json.loads(finished.stdout))


def _pass(stage: str, path: Path) -> Pass:
    """Run in the process of its own; what is imported and declared is there before the clock starts."""
    work = {"rival": _rival, "read": _read, "cleaned": _clean, "written": _write}[stage](path)
    started = time.process_time()
    outcomes = _counted(work)
    seconds = time.process_time() - started
    return Pass(stage, sum(outcomes.values()), seconds, peak_mb(), outcomes[False])


def _counted(outcomes: Iterable[bool]) -> Mapping[bool, int]:
    counts = {True: 0, False: 0}
    for outcome in outcomes:
        counts[outcome] += 1
    return counts


def _rival(path: Path) -> Iterator[bool]:
    import phonenumbers
    from email_validator import EmailNotValidError, validate_email

    def outcome(row: dict[str, str]) -> bool:
        try:
            if row["邮箱"] not in {"", "无"}:
                row["邮箱"] = validate_email(row["邮箱"], check_deliverability=False).normalized
            number = phonenumbers.parse(row["手机号（必填）"], "CN")
        except (EmailNotValidError, phonenumbers.NumberParseException):
            return False
        if not phonenumbers.is_valid_number(number):
            return False
        row["手机号（必填）"] = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        return True

    file = path.open(encoding=ENCODING, newline="")
    return _closing(file, map(outcome, csv.DictReader(file)))


def _read(path: Path) -> Iterator[bool]:
    from waypost.importing.file_reading import read_rows
    from waypost.importing.rows import RowProblem

    spec, _ = _prepared(path)
    stream = path.open("rb")
    return _closing(stream, (not isinstance(row.cells, RowProblem) for row in read_rows(stream, spec)))


def _clean(path: Path) -> Iterator[bool]:
    return (row is not None for row in _clean_rows(path))


def _clean_rows(path: Path) -> Iterator[Any]:
    from waypost.importing.file_reading import read_rows
    from waypost.importing.rows import CleanRow

    spec, cleaner = _prepared(path)
    stream = path.open("rb")
    rows = map(cleaner.clean, read_rows(stream, spec))
    return _closing(stream, (row if isinstance(row, CleanRow) else None for row in rows))


def _write(path: Path) -> Iterator[bool]:
    from waypost.importing.applying import Importer

    with Importer(contacts=Nobody(), history=Forgetful(), clock=lambda: NOW) as importer:
        for row in _clean_rows(path):
            if row is not None:
                importer.apply(row, source="import:benchmark", at=NOW)
            yield row is not None


def _closing(file: IO[Any], rows: Iterator[Row]) -> Iterator[Row]:
    with file:
        yield from rows


def _prepared(path: Path) -> tuple[Any, Any]:
    """The shipped mapping, attributes and fill rules, and the file's columns."""
    from waypost.authoring.attributes import attributes
    from waypost.authoring.authored_files import FileReader
    from waypost.authoring.filling import filling
    from waypost.authoring.imports import imports
    from waypost.contacts.attributes import AttributeSystem
    from waypost.importing.cleaning import RowCleaner
    from waypost.importing.detecting import HEAD, resolve
    from waypost.importing.filling import Filling
    from waypost.importing.spec import ImportSpec

    reader = FileReader(ROOT / "statemachines")
    system = AttributeSystem.from_dict(attributes(reader))
    shipped = ImportSpec.from_dict(imports(reader)["shop-members"])
    with path.open("rb") as stream:
        spec = resolve(stream.read(HEAD), replace(shipped, columns=()), attributes=system)
    return spec, RowCleaner(spec, system, Filling.from_dict(filling(reader)))


class Nobody:
    """A contact store that knows nobody and keeps nothing."""

    def resolve(self, identities: Mapping[str, str]) -> dict[str, str]:
        return {}

    def load(self, contact_id: str) -> Any:
        return None

    def save(self, contact: Any, *, claim: Mapping[str, str], counting: str = "") -> bool:
        contact.to_dict()  # what is stored is made, and sent nowhere
        return True

    def release(self, kind: str, value: str, contact_id: str) -> None:
        raise NotImplementedError("nothing leads to a contact that is not stored")

    def has_counted(self, contact_id: str, event_id: str) -> bool:
        return False

    def merge(self, merge: Any) -> bool:
        return False

    def merges(self, contact_id: str) -> list[Any]:
        return []

    def unmerge(self, merge: Any, survivor: Any, absorbed: Any, *, rewritten: Sequence[Any] = ()) -> bool:
        return False


class Forgetful:
    """A history that keeps nothing."""

    def is_routed(self, contact_ids: Collection[str], event_id: str) -> bool:
        return False

    def mark_routed(
        self, contact_id: str, event: Any, *, at: datetime, decisions: Sequence[Any], left_out: Sequence[str] = ()
    ) -> None:
        return None

    def record(self, contact_id: str, event: Any, *, routed_at: datetime, version: int = 0) -> None:
        event.to_dict()

    def record_many(self, events: Sequence[Any]) -> None:
        for each in events:
            each.event.to_dict()

    def since(self, contact_id: str, instant: datetime, *, types: Sequence[str] = ()) -> list[Any]:
        return []


if __name__ == "__main__":
    result = _pass(sys.argv[1], Path(sys.argv[2]))
    figures = {"stage": result.stage, "rows": result.rows, "seconds": result.seconds, "peak_mb": result.peak_mb}
    sys.stdout.write(json.dumps({**figures, "rejected": result.rejected}))
