"""Shows what happened to contacts as tables. Used by the CLI for the demo, rehearsals and timelines."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from local.rehearsal.scenario_result import ScenarioResult
    from waypost.reports.timeline import Entry, MessageDecision

_STYLES = {
    "event": "cyan",
    "entry": "blue",
    "message": "green",
    "pause": "dim",
    "passed": "dim",
    "moved": "blue",
    "end": "magenta",
}
_OUTCOMES = {"sent": "green", "deferred": "yellow", "skipped": "yellow", "rejected": "red", "unknown": "red"}
WIDTH_OF_FILES = 140


def console_for(*, machine: bool = False) -> Console:
    """Standard output, or standard error while standard output is for a ``machine``; wide when it is no terminal."""
    plain = Console(stderr=machine)
    return plain if plain.is_terminal else Console(stderr=machine, width=WIDTH_OF_FILES)


def timeline_table(entries: "Iterable[Entry]", *, title: str) -> Table:
    """One line for each thing that happened, in the contact's local time."""
    table = Table(title=title, title_justify="left", title_style="bold", expand=False)
    table.add_column("local time", no_wrap=True)
    table.add_column("what", no_wrap=True)
    table.add_column("")
    table.add_column("journey, run")
    table.add_column("why, until, with what")
    for entry in entries:
        local = datetime.fromisoformat(entry.local_time)
        style = _STYLES.get(entry.kind, "")
        run = f"{entry.journey} #{entry.run}" if entry.run else entry.journey
        table.add_row(
            f"{local:%a %d %b %Y %H:%M:%S %z}",
            Text(entry.kind, style),
            Text(entry.title, style),
            Text(run, style),
            Text(entry.detail),
        )
    return table


def scenario_table(result: "ScenarioResult") -> Table:
    """The timeline of one scenario."""
    name = result.scenario.contact.model_dump().get("first_name") or result.scenario.contact.user_id
    return timeline_table(
        result.timeline, title=f"{name}: {result.scenario.name} ({result.zone.key}; journey: {result.ends})"
    )


def decisions_table(decisions: "Iterable[tuple[str, MessageDecision]]") -> Table:
    """Every decision on every message: (who, decision) pairs."""
    table = Table(title="Every decision, and why", title_justify="left", title_style="bold")
    for column in ("who", "step", "message", "channel", "local time", "outcome", "reason"):
        table.add_column(column, no_wrap=column in {"who", "local time", "outcome", "channel"})
    for who, decision in decisions:
        local = datetime.fromisoformat(decision.local_time) if decision.local_time else None
        table.add_row(
            who,
            decision.step,
            decision.message,
            decision.channel or "–",
            f"{local:%a %d %b %H:%M %z}" if local else "",
            Text(decision.outcome, _OUTCOMES.get(decision.outcome, "")),
            decision.reason,
        )
    return table


class VirtualTimeBar:
    """A progress bar over virtual time, from ``start`` to ``end``, shown in ``zone``."""

    def __init__(self, console: Console, *, start: datetime, end: datetime, zone: ZoneInfo) -> None:
        self._start, self._end, self._zone = start, end, zone
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
        )
        self.progress = Progress(*columns, console=console)
        self._task = self.progress.add_task("", total=(end - start).total_seconds())
        self.arrived(start)

    def arrived(self, instant: datetime) -> None:
        """Virtual time has moved."""
        day = (instant.astimezone(self._zone).date() - self._start.astimezone(self._zone).date()).days + 1
        passed = min(instant, self._end) - self._start
        shown = f"day {day}, {instant.astimezone(self._zone):%a %d %b %Y %H:%M}"
        self.progress.update(self._task, completed=passed.total_seconds(), description=f"{shown:<30}")

    def finish(self) -> None:
        """Everything has happened."""
        self.progress.update(self._task, completed=(self._end - self._start).total_seconds())
