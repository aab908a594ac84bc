"""``waypost contacts import`` and ``waypost contacts export``. Added to the commands of ``waypost``."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from local.commands.output import EXPECTATION_FAILED, AsJson, print_json
from local.commands.tables import console_for
from local.problems import LocalError
from local.project.current_project import current_project
from local.running import background
from local.running.file_operations import FileOperations
from local.running.file_operations import Progress as Advance

app = typer.Typer()

_COUNTS: Final = {
    "created": "new contacts",
    "updated": "contacts that changed",
    "merged": "contacts that proved to be one",
    "unchanged": "rows that changed nothing",
    "not_found": "rows about nobody who is known, not imported",
    "rejected": "rows kept out",
    "duplicates": "rows about a contact that an earlier row is about",
    "repairs": "cells that were put right",
}


@app.command("import")
def import_contacts(  # noqa: PLR0917 - options, each given by its name
    file: Annotated[Path, typer.Argument(help="A CSV file, JSON lines, or an Amazon Pinpoint export; .gz too.")],
    mapping: Annotated[
        str, typer.Option(help="How its columns are read: statemachines/contacts/imports/<name>.yaml.")
    ] = "",
    format_: Annotated[
        str, typer.Option("--format", help="csv, jsonl or pinpoint; detected in the file by default.")
    ] = "",
    encoding: Annotated[
        str, typer.Option(help="cp1252, cp1251, shift-jis, big5, gbk …; Unicode and GB18030 are detected.")
    ] = "",
    consent: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CHANNEL=EVIDENCE", help="What everybody in the file has agreed to, and where; may be repeated."
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing, and report all the same.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Import a file that was imported before once more, as of now.")
    ] = False,
    update_only: Annotated[
        bool, typer.Option("--update-only", help="Change the contacts there are, and create none.")
    ] = False,
    clear: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TEXT",
            help="A cell that reads so takes the value away, such as '#N/A'; '' is an empty cell. May be repeated.",
        ),
    ] = None,
    as_of: Annotated[
        str, typer.Option("--as-of", help="When the rows were true, 2026-03-02T09:00:00+08:00; newer values stay.")
    ] = "",
    full_list: Annotated[
        str,
        typer.Option(
            metavar="tag:NAME|group:NAME",
            help="The file is this whole list: its contacts get the tag or group, and who is not in it loses it.",
        ),
    ] = "",
    most_leaving: Annotated[
        int | None,
        typer.Option(
            min=0, help="How many may leave a full list; a fifth of it by default. A dry run says how many would."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take a file of contacts into the running system. Exit status 1 when rows were kept out."""

    operations = FileOperations(background.access())
    console = console_for(machine=as_json)
    given: dict[str, Any] = {"file": operations.upload(file), "dry_run": dry_run}
    given |= {"again": True} if again else {}
    given |= {"mode": "update"} if update_only else {}
    given |= {"clear": clear} if clear else {}
    given |= {"full_list": full_list} if full_list else {}
    given |= {} if most_leaving is None else {"most_leaving": most_leaving}
    given |= {
        name: value
        for name, value in (("mapping", mapping), ("format", format_), ("encoding", encoding), ("as_of", as_of))
        if value
    }
    if consent:
        given["consent"] = dict(map(_agreed, consent))
    with _bar(console, "rows imported") as advance:
        report = operations.import_file(given, advance)
    folder = current_project().out / "imports" / report["run"]
    fetched = {
        name: str(operations.download(key, folder / Path(key).name)) for name, key in report["files"].items() if key
    }
    if as_json:
        print_json({**report, "downloaded": fetched})
    else:
        _show_report(console, report, fetched)
    if report["rejected"] or (report.get("full_list") or {}).get("held_back"):
        raise typer.Exit(EXPECTATION_FAILED)


@app.command("export")
def export_contacts(
    out: Annotated[Path, typer.Argument(help="The file to write.")],
    segment: Annotated[str, typer.Option(help="Only who is in this saved segment.")] = "",
    audience: Annotated[str, typer.Option(help="Only an audience that was built: its folder under audiences/.")] = "",
    format_: Annotated[str, typer.Option("--format", help="csv or jsonl.")] = "csv",
    columns: Annotated[str, typer.Option(help="The columns, parted by commas; all of them by default.")] = "",
    as_json: AsJson = False,
) -> None:
    """Write contacts of the running system into a file, which can be imported again."""

    operations = FileOperations(background.access())
    console = console_for(machine=as_json)
    given: dict[str, Any] = {"format": format_}
    given |= {name: value for name, value in (("segment", segment), ("audience", audience)) if value}
    if columns:
        given["columns"] = [name.strip() for name in columns.split(",")]
    with _bar(console, "pieces written") as advance:
        answer = operations.export(given, advance)
    keys = answer["files"]
    targets = [
        out if len(keys) == 1 else out.with_stem(f"{out.stem}-{number:03d}") for number in range(1, len(keys) + 1)
    ]
    written = [str(operations.download(key, target)) for key, target in zip(keys, targets, strict=True)]
    if as_json:
        print_json({**answer, "downloaded": written})
        return
    console.print(
        f"[bold]{answer['contacts']:,}[/bold] contacts, {len(answer['columns'])} columns: {', '.join(written)}"
    )


def _agreed(text: str) -> tuple[str, str]:
    channel, separator, evidence = text.partition("=")
    if not (separator and evidence.strip()):
        raise LocalError(
            f"--consent {text!r} is not CHANNEL=EVIDENCE", 'for example --consent "email=sign-up form, 2026"'
        )
    return channel, evidence


@contextmanager
def _bar(console: Console, what: str) -> Iterator[Advance]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _show_report(console: Console, report: dict[str, Any], fetched: dict[str, str]) -> None:
    what = "would be imported (dry run)" if report["dry_run"] else "imported"
    read = f"{report['format']}, {report['encoding']}" + (f", mapping {report['mapping']}" if report["mapping"] else "")
    taken = report["rows"] - report["rejected"] - report["not_found"]
    rows = f"{taken:,} of {report['rows']:,} rows" if taken < report["rows"] else f"{taken:,} rows"
    if report.get("imported_before"):
        before = f"this file was imported before, {report['imported_before']}: nothing was done now; --again imports it once more"
        console.print(Text(before, "yellow"), soft_wrap=True)
    table = Table(title=f"{rows} {what}; read as {read}", title_justify="left", show_header=False)
    for name, meaning in _COUNTS.items():
        if report[name] or name in {"created", "rejected"}:
            style = "red" if name == "rejected" and report[name] else ""
            table.add_row(Text(f"{report[name]:,}", style, justify="right"), meaning)
    for channel, number in report["kept_consents"].items():
        table.add_row(
            Text(f"{number:,}", justify="right"),
            f"contacts who had withdrawn their consent to {channel}, and keep it so",
        )
    console.print(table)
    for name, path in fetched.items():
        console.print(Text(f"{_COUNTS[name]}: {path}"), soft_wrap=True)
    if report.get("full_list"):
        _show_list(console, report["full_list"], is_dry=report["dry_run"])
    if report.get("cleared"):
        console.print(Text(f"values cleared: {_counted(report['cleared'])}"), soft_wrap=True)
    if report.get("ignored_values"):
        console.print(
            Text(f"unknown columns, not imported (rows with a value): {_counted(report['ignored_values'])}"),
            soft_wrap=True,
        )


def _show_list(console: Console, full_list: dict[str, Any], *, is_dry: bool) -> None:
    name = next(f"{kind} {full_list[kind]}" for kind in ("tag", "group") if kind in full_list)
    on_it = f"{name}: {full_list['members']:,} contacts have it, {full_list['leaving']:,} of them are not in the file"
    if full_list["held_back"]:
        console.print(Text(f"{on_it}; nobody loses it: {full_list['held_back']}", "red"), soft_wrap=True)
    else:
        done = "they would lose it" if is_dry else f"{full_list['left']:,} lost it"
        console.print(Text(f"{on_it}; {done}"), soft_wrap=True)


def _counted(numbers: dict[str, int]) -> str:
    """``city (3), 备注 (1,200)``."""
    return ", ".join(f"{name} ({number:,})" for name, number in numbers.items())
