"""Measure what Waypost costs in time and money, and fail when a goal is missed: ``python -m benchmarks``. Run by ``make bench``."""

import json
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks import (
    built_layers,
    bulk_scan,
    call_time,
    import_memory,
    import_rate,
    import_time,
    journey_cost,
    library_cost,
    rehearsal_time,
    rule_index,
    rule_speed,
    word_speed,
)
from benchmarks.bulk_scan import BulkSpeed, runs_table, scan_table
from benchmarks.call_time import CallTime, call_time_table
from benchmarks.goals import Verdict, goals_table, judge
from benchmarks.import_memory import JUDGED, ImportMemory, memory_table
from benchmarks.import_rate import ImportRate, rate_table
from benchmarks.import_time import ImportTimes
from benchmarks.journey_cost import JourneyCost
from benchmarks.library_cost import LibraryCost, library_table
from benchmarks.quotas import arithmetic, per_touch
from benchmarks.rehearsal_time import RehearsalTime, rehearsal_table
from benchmarks.report import dollars_table, import_table, passages_table, quotas_table
from benchmarks.rule_index import IndexCurve, index_table
from benchmarks.rule_speed import RuleSpeed, rule_table, sorting_table
from benchmarks.word_speed import WordSpeed, words_table
from infra.project import ROOT
from local.problems import LocalError

OUT: Final = ROOT / "out"
WIDTH = 190
"""Columns of the tables when they go to a file."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def bench(
    rounds: Annotated[int, typer.Option(min=1, help="How often each handler is started.")] = 21,
    import_rows: Annotated[int, typer.Option(min=1, help="Rows of the largest imported file.")] = 1_000_000,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON, for machines.")] = False,
) -> None:
    """Measure, write out/bench.json, and compare with the goals. Exit code 1: a goal is missed (benchmarks/goals.py)."""
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    try:
        with progress:
            imports = _imports(progress, rounds)
            speed = _speed(progress)
            curve = _index(progress)
            words = _words(progress)
            rate = _rate(progress, import_rows)
            memory = _memory(progress, import_rows)
            bulk = _bulk(progress)
            calls = _calls(progress)
            rehearsals = _rehearsals(progress)
            library = _library(progress)
            cost = _cost(progress)
    except LocalError as problem:
        sys.stderr.write(f"error: {problem.what} → {problem.advice}\n")
        raise typer.Exit(2) from problem
    figures = [
        each.figures() for each in (imports, calls, speed, curve, words, rate, memory, bulk, rehearsals, library, cost)
    ]
    small = {f"memory/{step}" for step in import_memory.STEPS} if import_rows < JUDGED else set()
    verdicts = judge({name: value for each in figures for name, value in each.items()}, left_out=small)
    _write(
        imports, calls, cost, curve, words, rate, memory, speed, bulk, rehearsals, library, verdicts, as_json=as_json
    )
    if missed := [each.figure for each in verdicts if not each.reached]:
        sys.stderr.write(f"error: {len(missed)} of {len(verdicts)} goals missed: {', '.join(missed)}\n")
        raise typer.Exit(1)


def _imports(progress: Progress, rounds: int) -> ImportTimes:
    folder = OUT / "bench"
    task = progress.add_task("building the layers for this machine", total=None)
    layers = built_layers.build(ROOT, folder)
    progress.update(task, description="starting every handler", total=rounds)
    return import_time.measure(
        built_layers.function_folders(ROOT, folder),
        layers=layers,
        site_packages=Path(sysconfig.get_path("purelib")),
        rounds=rounds,
        progress=lambda: progress.advance(task),
    )


def _calls(progress: Progress) -> CallTime:
    """On the layers that ``_imports`` has built."""
    task = progress.add_task("", total=None)
    folder = OUT / "bench"
    return call_time.measure(
        folder / "calls",
        layers=folder / "opt" / "python",
        functions=folder / "task",
        site_packages=Path(sysconfig.get_path("purelib")),
        progress=lambda step: progress.update(task, description=step),
    )


def _speed(progress: Progress) -> RuleSpeed:
    task = progress.add_task("asking one rule in every engine", total=rule_speed.ROUNDS)
    return rule_speed.measure(progress=lambda: progress.advance(task))


def _index(progress: Progress) -> IndexCurve:
    progress.add_task("routing events beside 10, 100 and 1,000 segments", total=None)
    return rule_index.measure()


def _words(progress: Progress) -> WordSpeed:
    progress.add_task("looking for 50,000 forbidden words", total=None)
    return word_speed.measure()


def _bulk(progress: Progress) -> BulkSpeed:
    task = progress.add_task("scanning a page of 1 MB in turn", total=bulk_scan.ROUNDS)
    return bulk_scan.measure(progress=lambda: progress.advance(task))


def _rate(progress: Progress, rows: int) -> ImportRate:
    task = progress.add_task("", total=None)
    return import_rate.measure(
        OUT / "bench" / "import",
        rows=min(rows, import_rate.ROWS),
        progress=lambda step: progress.update(task, description=step),
    )


def _memory(progress: Progress, rows: int) -> ImportMemory:
    task = progress.add_task("", total=None)
    return import_memory.measure(
        OUT / "bench" / "import", largest=rows, progress=lambda step: progress.update(task, description=step)
    )


def _rehearsals(progress: Progress) -> RehearsalTime:
    task = progress.add_task("", total=None)
    return rehearsal_time.measure(
        OUT / "bench" / "rehearsal", progress=lambda step: progress.update(task, description=step)
    )


def _library(progress: Progress) -> LibraryCost:
    task = progress.add_task("", total=None)
    return library_cost.measure(
        OUT / "bench" / "library", progress=lambda step: progress.update(task, description=step)
    )


def _cost(progress: Progress) -> JourneyCost:
    task = progress.add_task("", total=None)
    return journey_cost.measure(OUT / "bench" / "cloud", progress=lambda step: progress.update(task, description=step))


def _write(  # noqa: PLR0917 - a benchmark each
    imports: ImportTimes,
    calls: CallTime,
    cost: JourneyCost,
    curve: IndexCurve,
    words: WordSpeed,
    rate: ImportRate,
    memory: ImportMemory,
    speed: RuleSpeed,
    bulk: BulkSpeed,
    rehearsals: RehearsalTime,
    library: LibraryCost,
    verdicts: Sequence[Verdict],
    *,
    as_json: bool,
) -> None:
    quotas = arithmetic(per_touch(cost))
    figures: dict[str, Any] = {
        "import_time": imports.to_dict(),
        "call_time": calls.to_dict(),
        "journey_cost": cost.to_dict(),
        "quotas": [each.to_dict() for each in quotas],
        "rule_speed": speed.to_dict(),
        "rule_index": curve.to_dict(),
        "word_speed": words.to_dict(),
        "import_rate": rate.to_dict(),
        "import_memory": memory.to_dict(),
        "bulk_scan": bulk.to_dict(),
        "rehearsal_time": rehearsals.to_dict(),
        "library_cost": library.to_dict(),
        "goals": [each.to_dict() for each in verdicts],
    }
    path = OUT / "bench.json"
    path.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if as_json:
        sys.stdout.write(path.read_text(encoding="utf-8"))
        return
    console = Console()
    if not console.is_terminal:
        console.width = WIDTH
    for table in (
        import_table(imports),
        call_time_table(calls),
        rule_table(speed),
        sorting_table(speed),
        index_table(curve),
        words_table(words),
        rate_table(rate),
        memory_table(memory),
        scan_table(bulk),
        runs_table(bulk),
        rehearsal_table(rehearsals),
        library_table(library),
        passages_table(cost),
        dollars_table(cost),
        quotas_table(quotas),
        goals_table(verdicts),
    ):
        console.print(table, "")
    console.print(f"All figures: {path.relative_to(ROOT)}; what they mean: docs/benchmarks.md")


if __name__ == "__main__":
    app(prog_name="python -m benchmarks")
