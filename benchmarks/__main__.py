"""Measure what Waypost costs in time and money: ``python -m benchmarks``. Run by ``make bench``."""

import json
import sys
import sysconfig
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks import built_layers, import_time, journey_cost
from benchmarks.import_time import ImportTimes
from benchmarks.journey_cost import JourneyCost
from benchmarks.report import dollars_table, import_table, passages_table
from infra.local.cloud import OUT, ROOT
from infra.local.problems import LocalError

WIDTH = 190
"""Columns of the tables when they go to a file."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def bench(
    rounds: Annotated[int, typer.Option(min=1, help="How often each handler is started.")] = 21,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON, for machines.")] = False,
) -> None:
    """Measure import times, and count what a message of the new-user journey costs. Writes out/bench.json."""
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
            cost = _cost(progress)
    except LocalError as problem:
        sys.stderr.write(f"error: {problem.what} → {problem.advice}\n")
        raise typer.Exit(2) from problem
    _tell(imports, cost, as_json=as_json)


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


def _cost(progress: Progress) -> JourneyCost:
    task = progress.add_task("", total=None)
    return journey_cost.measure(OUT / "bench" / "cloud", progress=lambda step: progress.update(task, description=step))


def _tell(imports: ImportTimes, cost: JourneyCost, *, as_json: bool) -> None:
    figures: dict[str, Any] = {"import_time": imports.to_dict(), "journey_cost": cost.to_dict()}
    path = OUT / "bench.json"
    path.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if as_json:
        sys.stdout.write(path.read_text(encoding="utf-8"))
        return
    console = Console()
    if not console.is_terminal:
        console.width = WIDTH
    for table in (import_table(imports), passages_table(cost), dollars_table(cost)):
        console.print(table, "")
    console.print(f"All figures: {path.relative_to(ROOT)}; what they mean: docs/benchmarks.md")


if __name__ == "__main__":
    app(prog_name="python -m benchmarks")
