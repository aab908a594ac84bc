"""That no step of an import needs more memory for a larger file. Run by ``benchmarks``.

A messy member list (GB18030, ``messy_members``) of growing length goes through a whole run: looked at, split, all parts
imported, rows of the same persons compared, report written. Each step is a process of its own, as on Lambda, with the
attributes and fill rules that are shipped; files lie in a folder, and the store of contacts keeps nothing.
"""

import io
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO, Final

from rich.table import Table

from benchmarks.goals import goal_of
from benchmarks.import_rate import NOW, ROOT, Forgetful, Nobody
from benchmarks.messy_members import write_members
from benchmarks.peak_memory import peak_mb
from waypost.contacts.profile import Contact
from waypost.files.ports import StoredFile

STEPS: Final = ("inspect", "split", "parts", "compare", "report")
SIZES: Final = (10_000, 100_000)
"""Rows of the smaller files."""

JUDGED: Final = 1_000_000
"""Rows of the largest file from which on growth is judged: below, the buckets of persons are not yet full in one of the two
files that are compared (20,000 rows of 25,000 at 100,000 rows, 24,400 at a million)."""

FILE: Final = "imports/members.csv"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of one run: processor seconds, and the peak memory of its process in MB."""

    name: str
    seconds: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Run:
    """A whole run and what its report counts."""

    rows: int
    duplicates: int
    rejected: int
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class ImportMemory:
    """Runs over files of growing length."""

    runs: tuple[Run, ...]

    def growth(self, step: int) -> float:
        """Peak memory of a step with the largest file, over the file before it."""
        return self.runs[-1].steps[step].peak_mb / self.runs[-2:][0].steps[step].peak_mb

    @property
    def is_flat(self) -> bool:
        """Whether the last, tenfold growth of the file grew no step."""
        return all(goal_of(f"memory/{name}").reached(self.growth(step)) for step, name in enumerate(STEPS))

    def figures(self) -> dict[str, float]:
        """What has a goal: nothing when the largest file is too small to tell."""
        if self.runs[-1].rows < JUDGED:
            return {}
        return {f"memory/{name}": self.growth(step) for step, name in enumerate(STEPS)}

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "runs": [
                {
                    "rows": run.rows,
                    "duplicates": run.duplicates,
                    "rejected": run.rejected,
                    "peak_mb": {step.name: round(step.peak_mb, 1) for step in run.steps},
                    "seconds": {step.name: round(step.seconds, 2) for step in run.steps},
                }
                for run in self.runs
            ],
            "memory_growth": {name: round(self.growth(step), 3) for step, name in enumerate(STEPS)},
            "memory_is_flat": self.is_flat,
        }


def memory_table(memory: ImportMemory) -> Table:
    """Peak memory of each step, by the length of the file."""
    verdict = "No step grows" if memory.is_flat else "[red]A step grows[/red]"
    table = Table(
        title="A whole import of a messy member list: peak memory of each step's process, MB",
        title_justify="left",
        caption=f"{verdict} from the file before the last to the last.",
        caption_justify="left",
    )
    for name in ("rows", *STEPS, "rows twice", "kept out"):
        table.add_column(name, justify="right")
    for run in memory.runs:
        peaks = (f"{step.peak_mb:.0f}" for step in run.steps)
        table.add_row(f"{run.rows:,}", *peaks, f"{run.duplicates:,}", f"{run.rejected:,}")
    return table


def measure(folder: Path, *, largest: int, progress: Callable[[str], None]) -> ImportMemory:
    """Write files into ``folder``, import them, and remove everything; ``largest`` is the rows of the largest file."""
    sizes = sorted({*(size for size in SIZES if size < largest), largest})
    return ImportMemory(tuple(_run(folder / str(rows), rows, progress) for rows in sizes))


def _run(folder: Path, rows: int, progress: Callable[[str], None]) -> Run:
    from waypost.authoring.publishing import publish  # not for the steps, whose memory it would be part of

    (folder / FILE).parent.mkdir(parents=True)
    try:
        progress(f"writing {rows:,} rows")
        write_members(folder / FILE, rows)
        layer = publish(ROOT / "statemachines", folder / "layer").parent
        path = os.pathsep.join(filter(None, [str(layer), os.environ.get("PYTHONPATH", "")]))
        steps = []
        for name in STEPS:
            progress(f"importing {rows:,} rows: {name}")
            command = [sys.executable, "-m", "benchmarks.import_memory", name, str(folder)]
            finished = subprocess.run(
                command, cwd=ROOT, env=os.environ | {"PYTHONPATH": path}, check=True, capture_output=True, text=True
            )
            steps.append(Step(**json.loads(finished.stdout)))
        [report] = folder.glob("imports/*/report.json")
        counts = json.loads(report.read_text(encoding="utf-8"))
        return Run(counts["rows"], counts["duplicates"], counts["rejected"], tuple(steps))
    finally:
        shutil.rmtree(folder)


def step(name: str, folder: Path) -> Step:
    """Take one step in this process; the answer of the step before lies in the folder."""
    files, answer = FolderFiles(folder), folder / "answer.json"
    given = json.loads(answer.read_text(encoding="utf-8")) if answer.is_file() else {"input": {"file": FILE}}
    started = time.process_time()
    answered = {"inspect": _inspect, "split": _split, "parts": _parts, "compare": _compare, "report": _report}[name](
        files, given
    )
    seconds = time.process_time() - started
    answer.write_text(json.dumps({**given, **answered}), encoding="utf-8")
    return Step(name, seconds, peak_mb())


def _inspect(files: "FolderFiles", given: Mapping[str, Any]) -> Mapping[str, Any]:
    from waypost.importing.inspect_import import InspectImport

    return InspectImport(files=files, clock=lambda: NOW).inspect(given)


def _split(files: "FolderFiles", given: Mapping[str, Any]) -> Mapping[str, Any]:
    from waypost.importing.split_import import SplitImport

    answer = SplitImport(files=files).divide(given)
    while not answer["done"]:
        answer = SplitImport(files=files).divide(answer)
    return answer


def _parts(files: "FolderFiles", given: Mapping[str, Any]) -> Mapping[str, Any]:
    from waypost.importing.import_part import ImportPart

    importer = ImportPart(files=files, contacts=_Base(), importer=_rows())
    for each in files.listed(given["parts"]):
        importer.import_part({"run": given["run"], "part": each.key})
    return {}


def _compare(files: "FolderFiles", given: Mapping[str, Any]) -> Mapping[str, Any]:
    from waypost.importing.reconcile_import import ReconcileImport

    reconciler = ReconcileImport(files=files, importer=_rows())
    for bucket in given["buckets"]:
        reconciler.reconcile({"run": given["run"], "bucket": bucket})
    return {}


def _report(files: "FolderFiles", given: Mapping[str, Any]) -> Mapping[str, Any]:
    from waypost.importing.finish_import import FinishImport

    FinishImport(files=files).report({"run": given["run"]})
    return {}


def _rows() -> Any:
    from waypost.importing.applying import Importer

    return Importer(contacts=_Base(), history=Forgetful(), clock=lambda: NOW)


class _Base(Nobody):
    """A base that knows nobody by identity and everybody by contact id, and keeps nothing."""

    def load(self, contact_id: str) -> Contact:
        return Contact(contact_id=contact_id, created_at=NOW, version=1)

    def resolve_many(self, identities: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
        return [{} for _ in identities]

    def load_many(self, contact_ids: Collection[str]) -> dict[str, Contact]:
        return {each: self.load(each) for each in contact_ids}


class FolderFiles:
    """Files in a folder, read and written as from S3."""

    bucket = "benchmark"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, key: str) -> StoredFile | None:
        """See Files."""
        path = self._folder / key
        return StoredFile(key, path.stat().st_size, str(path.stat().st_mtime_ns)) if path.is_file() else None

    def listed(self, prefix: str) -> Iterator[StoredFile]:
        """See Files."""
        keys = (path.relative_to(self._folder).as_posix() for path in (self._folder / prefix).rglob("*"))
        return (file for key in sorted(keys) if (file := self.find(key)) is not None)

    def read(self, key: str) -> bytes | None:
        """See Files."""
        path = self._folder / key
        return path.read_bytes() if path.is_file() else None

    def stream(self, file: StoredFile, *, start: int = 0, end: int | None = None) -> BinaryIO:
        """See Files."""
        stop = file.size if end is None else min(end, file.size)
        return io.BufferedReader(_Stretch(self._folder / file.key, start, stop))

    def write(self, key: str, content: bytes) -> None:
        """See Files."""
        with self.writer(key) as writer:
            writer.write(content)

    def write_once(self, key: str, content: bytes) -> bool:
        """See Files."""
        if self.find(key) is not None:
            return False
        self.write(key, content)
        return True

    @contextmanager
    def writer(self, key: str, *, content_type: str = "") -> Iterator[Any]:  # noqa: ARG002 - a folder has no types
        """See Files."""
        path = self._folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            yield file

    def link(self, key: str, *, life: timedelta) -> str:  # noqa: ARG002 - a file on disk has no end
        """See Files."""
        return (self._folder / key).absolute().as_uri()


class _Stretch(io.RawIOBase):
    """A file between two places."""

    def __init__(self, path: Path, start: int, stop: int) -> None:
        super().__init__()
        self._file = path.open("rb")
        self._start, self._length = start, stop - start
        self._file.seek(start)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._file.tell() - self._start

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self.tell(), io.SEEK_END: self._length}[whence]
        self._file.seek(self._start + origin + offset)
        return self.tell()

    def readinto(self, buffer: Any) -> int:
        left = max(0, self._length - self.tell())
        taken = self._file.read(min(len(buffer), left))
        buffer[: len(taken)] = taken
        return len(taken)

    def close(self) -> None:
        self._file.close()
        super().close()


if __name__ == "__main__":
    done = step(sys.argv[1], Path(sys.argv[2]))
    sys.stdout.write(json.dumps({"name": done.name, "seconds": done.seconds, "peak_mb": done.peak_mb}))
