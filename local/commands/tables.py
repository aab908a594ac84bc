"""Shows what happened to contacts as tables. Used by the CLI for the demo, rehearsals and timelines."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from local.rehearsal.progress import Unseen

if TYPE_CHECKING:
    from local.cloud.time_travel import Work
    from local.rehearsal.coverage import Coverage
    from local.rehearsal.scenario_result import ScenarioResult
    from local.rehearsal.summary import RehearsalSummary
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


def actions_table(known: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Table:
    """A line for each action of people at each channel's provider, with the values it takes."""
    table = Table("channel", "action", "what happens", "--value")
    for channel, actions in known.items():
        for name, action in actions.items():
            values = "\n".join(f"{key}={value}" for key, value in action["values"].items())
            table.add_row(channel, Text(name), Text(action["summary"]), Text(values))
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


class VirtualTimeBar(Unseen):
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


FIRST_LINES: Final = 2
"""Lines of a message's text that are shown beside its subject."""


def messages_shown(result: "ScenarioResult", *, whole: bool) -> "Iterator[Text]":
    """Each message that went out, as its reader got it: subject and first lines, or the ``whole`` text."""
    for decision, content in result.messages:
        local = datetime.fromisoformat(decision.local_time)
        shown = Text(f"✉ {decision.message}", "green")
        shown.append(f"  {decision.channel}, {local:%a %d %b %H:%M}", "dim")
        if content.subject:
            shown.append(f"  {content.subject}", "bold")
        lines = [line.strip() for line in content.text.splitlines() if line.strip()]
        read = content.text.strip().splitlines() if whole else lines[:FIRST_LINES]
        for line in read:
            shown.append(f"\n    {line}")
        if not whole and len(lines) > FIRST_LINES:
            shown.append(" …", "dim")
        yield shown


def summary_tables(journey: str, summary: "RehearsalSummary") -> "Iterator[Table]":
    """How many contacts ended how and reached which state, and their messages, also those that were held back."""
    yield _counted(f"{journey}: how {summary.contacts:,} contacts ended", "end", summary.ends)
    if summary.states:
        yield _counted("states reached", "state", summary.states, ordered=False)
    if summary.sent:
        yield _counted("messages sent", "message", summary.sent)
    if summary.held_back:
        held = {f"{message} {outcome}: {reason}": n for (message, outcome, reason), n in summary.held_back.items()}
        yield _counted("messages held back", "message and reason", held)


def coverage_lines(coverage: "Coverage") -> "Iterator[Text]":
    """The shares of a journey that were reached, and a line for all that was not."""
    states, branches = coverage.states, coverage.branches
    yield Text(f"\n{coverage.journey}: coverage", style="bold")
    yield Text(f"  states    {states.reached} of {states.of} ({states.percent} %)")
    for name in coverage.missing_states:
        yield Text(f"    never reached: {name}", style="red")
    yield Text(f"  branches  {branches.reached} of {branches.of} ({branches.percent} %)")
    for each in coverage.missing_branches:
        yield Text(f"    never taken: {each.source} → {each.target} ({each.on})", style="red")
    if coverage.only_failures:
        yield Text(f"  not counted, only a failure leads there: {', '.join(coverage.only_failures)}")
    held = ", ".join(f"{reason} {count}" for reason, count in coverage.guards) or "nothing"
    yield Text(f"  guards    held back: {held}")
    yield Text(f"            never: {', '.join(coverage.silent_guards)}")


def _counted(title: str, what: str, counts: "Mapping[str, int]", *, ordered: bool = True) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column(what)
    table.add_column("count", justify="right", no_wrap=True)
    for name, count in sorted(counts.items(), key=lambda pair: -pair[1]) if ordered else counts.items():
        table.add_row(Text(name), f"{count:,}")
    return table


class RehearsalBar:
    """A Progress on standard error, while that is a terminal: the contacts that are through, virtual time, work left."""

    def __init__(self, *, contacts: int, zone: ZoneInfo) -> None:
        self._zone = zone
        self._at = ""
        self._pace = Pace()
        console = Console(stderr=True)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("contacts"),
            TimeElapsedColumn(),
            TextColumn("left:"),
            TimeRemainingColumn(),
        )
        self.progress = Progress(*columns, console=console, disable=not console.is_terminal, transient=True)
        self._task = self.progress.add_task("", total=contacts)

    def step(self, name: str) -> None:
        """The cloud starts."""
        self.progress.update(self._task, description=name)

    def arrived(self, instant: datetime) -> None:
        """See Progress."""
        self._at = f"{instant.astimezone(self._zone):%a %d %b %Y %H:%M}"
        self.progress.update(self._task, description=self._at)

    def contacts(self, through: int, *, of: int) -> None:
        """See Progress."""
        self.progress.update(self._task, completed=through, total=of)

    def working(self, work: "Work") -> None:
        """See Progress."""
        left = f"{work_left(work.kinds)}{self._pace.shown(work.left, work.seconds)}"
        self.progress.update(self._task, description=f"{self._at}, {left}")

    def compared(self, number: int, *, of: int) -> None:
        """See Progress."""
        self.progress.update(self._task, completed=number, total=of, description="comparing with what is expected")


class StormBar:
    """The storms that were played, on standard error while that is a terminal."""

    def __init__(self, *, storms: int) -> None:
        console = Console(stderr=True)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("storms"),
            TimeElapsedColumn(),
        )
        self.progress = Progress(*columns, console=console, disable=not console.is_terminal, transient=True)
        self._task = self.progress.add_task("", total=storms)

    def step(self, name: str) -> None:
        """The cloud starts."""
        self.progress.update(self._task, description=name)

    def played(self, number: int) -> None:
        """So many are played, and every invariant held."""
        self.progress.update(self._task, completed=number, description="every invariant holds")


class TravelBar:
    """How far a travel is, on standard error while that is a terminal: virtual time, what is left to work off, seconds."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        self.progress = Progress(*columns, console=console, disable=not console.is_terminal, transient=True)
        self._task = self.progress.add_task("", total=1.0)
        self._pace = Pace()

    def show(self, found: "Mapping[str, Any]") -> None:
        """Show what the control API says of a travel."""
        begun, now, target = (datetime.fromisoformat(found[name]) for name in ("begun", "now", "target"))
        way = (target - begun).total_seconds()
        share = (now - begun).total_seconds() / way if way > 0 else 1.0
        self.progress.update(self._task, completed=share, description=travel_line(found, self._pace))


def travel_line(found: "Mapping[str, Any]", pace: "Pace") -> str:
    """``it is Mon 03 Mar 2031 02:00 (UTC), 1,204 executions, about 40 s left``."""
    at = f"it is {datetime.fromisoformat(found['now']):%a %d %b %Y %H:%M} (UTC)"
    if not found["work"]:
        return at
    return f"{at}, {work_left(found['work'])}{pace.shown(sum(found['work'].values()), found['seconds'])}"


class Pace:
    """How fast work gets less, since there was most of it, and so how long the rest takes."""

    def __init__(self) -> None:
        self._most, self._since, self._seconds = 0, 0.0, 0.0

    def shown(self, left: int, seconds: float) -> str:
        """``, about 40 s left``, or "" while there is no telling; ``seconds`` count from the beginning of the step."""
        if left >= self._most or seconds < self._seconds:
            self._most, self._since = left, seconds
        self._seconds = seconds
        if left >= self._most:
            return ""
        return f", about {left * (seconds - self._since) / (self._most - left):.0f} s left"


WORK: Final = {
    "executions": "executions",
    "queues": "messages in queues",
    "batches": "batches",
    "functions": "calls of functions",
    "asynchronous": "asynchronous calls",
    "requests": "requests",
    "retrying": "retries",
    "providers": "reports of providers",
}
"""Kinds of work under way, in the order in which they are named, and what people call them."""


def work_left(kinds: "Mapping[str, int]") -> str:
    """What is left to work off: ``1,204 executions, 37 messages in queues``; the kind that says most comes first."""
    named = [f"{kinds[kind]:,} {name}" for kind, name in WORK.items() if kinds.get(kind)]
    return ", ".join(named[:2]) or "working"
