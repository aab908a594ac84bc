"""``waypost demo`` and ``rehearse``: scenarios played on an embedded cloud of their own. Added to the commands of ``waypost``."""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.markup import escape

from local.commands.output import EXPECTATION_FAILED, AsJson, print_json, step_on
from local.commands.tables import (
    RehearsalBar,
    VirtualTimeBar,
    console_for,
    coverage_lines,
    decisions_table,
    messages_shown,
    scenario_table,
    summary_tables,
)
from local.problems import LocalError
from local.project.current_project import current_project
from waypost.clock import clock

if TYPE_CHECKING:
    from local.rehearsal.coverage import Coverage
    from local.rehearsal.scenario_result import ScenarioResult

app = typer.Typer()

MOST_SHOWN: Final = 10
"""Contacts of a crowd whose differences are shown."""


@app.command()
def demo(as_json: AsJson = False) -> None:
    """Watch sample contacts live through the new-user journey: seven days in seconds."""

    from local.cloud.local_cloud import default_zone  # noqa: PLC0415 - the same
    from local.rehearsal import demo as demos  # noqa: PLC0415 - it has a cloud of its own

    console = console_for(machine=as_json)
    sample = demos.read_sample()
    console.print(f"[bold]{len(sample.scenarios)} people sign up.[/bold] {sample.description.strip()}\n")
    zone = default_zone(current_project())
    bar = VirtualTimeBar(console, start=sample.start, end=sample.start + demos.LENGTH, zone=zone)
    with bar.progress:
        played = demos.run_demo(sample, step=step_on(console), progress=bar)
        bar.finish()
    if as_json:
        print_json([result.to_dict() for result in played.results])
        return
    for result in played.results:
        console.print("", scenario_table(result))
    console.print("", decisions_table(played.decisions), "")
    for note in played.notes:
        console.print(f"note: {note}")
    _show_where_to_look_next(console, played.folder, messages=len(played.messages), decisions=len(played.decisions))


@app.command()
def rehearse(  # noqa: PLR0917 - options, each given by its name
    journey: Annotated[
        str, typer.Argument(help="The folder of the journey under statemachines/journeys/; all of them by default.")
    ] = "",
    scenario: Annotated[str, typer.Option(help="Rehearse only the scenario of this name.")] = "",
    contacts: Annotated[
        int, typer.Option(help="Let so many contacts play the scenarios in turn, each with an address of its own.")
    ] = 0,
    begins: Annotated[
        str,
        typer.Option(
            "--from", help="Begin on this day instead of the files' own, such as 2031-12-24; days move along."
        ),
    ] = "",
    page: Annotated[
        bool,
        typer.Option("--page", help="Write a page with the contacts on every way of the journey, and its messages."),
    ] = False,
    messages: Annotated[
        bool, typer.Option("--messages", help="Show the whole text of each message, not its subject and first lines.")
    ] = False,
    coverage: Annotated[
        bool, typer.Option("--coverage", help="Show which states, branches and guards no scenario reached.")
    ] = False,
    at_least: Annotated[
        int | None,
        typer.Option(help="Fail when fewer percent of the states or of the branches were reached; implies --coverage."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Rehearse scenarios.yaml of a journey, or of all, in virtual time and compare what follows with what is expected."""

    from local.cloud.local_cloud import default_zone  # noqa: PLC0415 - the same
    from local.rehearsal import journey_scenarios  # noqa: PLC0415 - it has a cloud of its own
    from local.rehearsal.coverage import refuse_percent  # noqa: PLC0415 - the same

    refuse_percent(at_least or 0)
    if (scenario or contacts or page) and not journey:
        raise LocalError("--scenario, --contacts and --page are about one journey", "name the journey too")
    console = console_for(machine=as_json)
    files = (
        {journey: journey_scenarios.read_journey_scenarios(journey, only=scenario)}
        if journey
        else journey_scenarios.read_all_scenarios()
    )
    if begins:
        day = _day(begins)
        files = {name: file.begun_on(day) for name, file in files.items()}
    if contacts:
        from local.rehearsal.many_contacts import crowd  # noqa: PLC0415 - the same
        from local.rehearsal.scenario_draws import Draws  # noqa: PLC0415 - the same

        files = {name: crowd(file, contacts, Draws.named(name)) for name, file in files.items()}
    bar = RehearsalBar(
        contacts=sum(len(file.scenarios) for file in files.values()), zone=default_zone(current_project())
    )
    with bar.progress:
        results = journey_scenarios.rehearse(files, step=bar.step, progress=bar)
    compared = [result for each in results.values() for result in each]
    covered = journey_scenarios.covered(results) if coverage or at_least is not None else []
    if as_json:
        rehearsed = [{"journey": name, **result.to_dict()} for name, each in results.items() for result in each]
        shares = [each.to_dict() for each in covered]
        print_json({"scenarios": rehearsed, "coverage": shares} if covered else rehearsed)
    elif contacts:
        _show_crowd(console, results)
    else:
        _show_rehearsed(console, compared, whole=messages)
    if page:
        console.print(f"\nOpen {journey_scenarios.write_counts_page(journey, files[journey], compared)} in a browser.")
    enough = _reach_enough(console, covered, at_least=at_least or 0, shown=not as_json)
    if not enough or not all(result.as_expected for result in compared):
        raise typer.Exit(EXPECTATION_FAILED)


def _day(text: str) -> date:
    """The day on which a rehearsal begins. Raises LocalError for none, and for one that is not to come."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise LocalError(f"--from {text} is no day", "write it as 2031-12-24") from None
    if day <= clock()().date():
        raise LocalError(f"--from {text} is not to come", "name a day in the future, such as 2031-12-24")
    return day


def _reach_enough(console: Console, covered: "Sequence[Coverage]", *, at_least: int, shown: bool) -> bool:
    """Whether every journey is reached to this percentage; with ``shown`` say what was reached, and what was not."""
    too_little = [each.journey for each in covered if not each.reaches(at_least)]
    if shown:
        for line in chain.from_iterable(map(coverage_lines, covered)):
            console.print(line, highlight=False)
        if too_little:
            console.print(f"\n[red]less than {at_least} % is reached of {escape(', '.join(too_little))}[/red]")
    return not too_little


def _show_rehearsed(console: Console, results: "list[ScenarioResult]", *, whole: bool) -> None:

    for each in results:
        console.print("", scenario_table(each))
        for message in messages_shown(each, whole=whole):
            console.print(message)
        mark = "[green]as expected[/green]" if each.as_expected else "[red]not as expected[/red]"
        console.print(f"{mark}: {escape(each.scenario.name)}")
        for difference in each.differences:
            console.print(f"  [red]{escape(difference)}[/red]", highlight=False)
    wrong = sum(not each.as_expected for each in results)
    console.print(f"\n[bold]{len(results)} scenarios, {wrong} not as expected[/bold]")


def _show_crowd(console: Console, results: "Mapping[str, list[ScenarioResult]]") -> None:
    """What became of the contacts in numbers, and the first ones that did otherwise than expected."""
    from local.rehearsal.summary import summaries  # noqa: PLC0415 - the same

    for journey, summary in summaries(results).items():
        for table in summary_tables(journey, summary):
            console.print("", table)
    compared = [result for each in results.values() for result in each]
    wrong = [result for result in compared if not result.as_expected]
    for each in wrong[:MOST_SHOWN]:
        console.print(f"[red]not as expected[/red]: {escape(each.scenario.name)}")
        for difference in each.differences:
            console.print(f"  [red]{escape(difference)}[/red]", highlight=False)
    console.print(f"\n[bold]{len(compared):,} contacts, {len(wrong):,} not as expected[/bold]")


def _show_where_to_look_next(console: Console, results: Path, *, messages: int, decisions: int) -> None:
    shown = results.relative_to(Path.cwd()) if results.is_relative_to(Path.cwd()) else results
    console.print(
        f"[bold]Where to look next[/bold]\n  {shown}/messages/        {messages} files: open a mail in the browser"
    )
    console.print(f"  {shown}/decisions.jsonl  {decisions} decisions, one JSON object each")
    console.print("  examples/new-user-nurture.yaml                     the people; change one and run it again")
    console.print("  statemachines/journeys/new-user-nurture/           the journey they went through")
    console.print("  waypost up, then waypost --help                    the same system, kept running for any client")
