"""``waypost demo`` and ``rehearse``: scenarios played on an embedded cloud of their own. Added to the commands of ``waypost``."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.markup import escape

from local.commands.output import EXPECTATION_FAILED, AsJson, print_json, step_on
from local.commands.tables import (
    RehearsalBar,
    StormBar,
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
    from local.rehearsal.scenario_file import ScenarioFile
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
        str,
        typer.Argument(
            metavar="[NAME|PATH]",
            help="A journey under statemachines/journeys/, or the path of a folder anywhere; all journeys by default.",
        ),
    ] = "",
    scenario: Annotated[str, typer.Option(help="Rehearse only the scenario of this name.")] = "",
    contacts: Annotated[
        str,
        typer.Option(
            metavar="NUMBER|FILE",
            help="Let so many contacts play the scenarios in turn, or those of a CSV or JSON lines file.",
        ),
    ] = "",
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
    until_red: Annotated[
        bool, typer.Option("--until-red", help="Play random event storms until an invariant breaks.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="The seed of the first storm.")] = 1,
    storms: Annotated[int, typer.Option(min=1, help="Play so many storms at the most.")] = 200,
    minutes: Annotated[int, typer.Option(min=1, help="Begin no further storms after so many minutes.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Rehearse scenarios.yaml of a journey, or of all, in virtual time and compare what follows with what is expected."""

    from local.project.content_copy import visiting  # noqa: PLC0415 - the language of journeys takes a second to load

    if (scenario or contacts or page or until_red) and not journey:
        raise LocalError("--scenario, --contacts, --page and --until-red are about one journey", "name the journey too")
    if until_red and (contacts or page or coverage or at_least is not None):
        raise LocalError(
            "--until-red plays its own contacts, and neither counts nor draws", "leave the other options out"
        )
    console = console_for(machine=as_json)
    with visiting(journey) if journey else nullcontext("") as name:
        files = _files(name, scenario=scenario, contacts=contacts, begins=begins)
        if until_red:
            red = _storm(console, name, files[name], first=seed, most=storms, minutes=minutes, as_json=as_json)
            raise typer.Exit(EXPECTATION_FAILED if red else 0)
        wrong = _rehearse(
            console,
            files,
            judged=not contacts or contacts.isdecimal(),
            show=_Shown(
                page_of=name if page else "",
                crowd=bool(contacts),
                whole=messages,
                coverage=coverage or at_least is not None,
                at_least=at_least or 0,
                as_json=as_json,
            ),
        )
    if wrong:
        raise typer.Exit(EXPECTATION_FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """What is shown of a rehearsal; ``page_of`` is the journey whose page is written."""

    page_of: str
    crowd: bool
    whole: bool
    coverage: bool
    at_least: int
    as_json: bool


def _files(journey: str, *, scenario: str, contacts: str, begins: str) -> "dict[str, ScenarioFile]":
    """What is rehearsed, by journey. Raises LocalError."""
    from local.rehearsal import journey_scenarios  # noqa: PLC0415 - it has a cloud of its own

    files = (
        {journey: journey_scenarios.read_journey_scenarios(journey, only=scenario)}
        if journey
        else journey_scenarios.read_all_scenarios()
    )
    if begins:
        day = _day(begins)
        files = {name: file.begun_on(day) for name, file in files.items()}
    if contacts.isdecimal():
        from local.rehearsal.many_contacts import crowd  # noqa: PLC0415 - the same
        from local.rehearsal.scenario_draws import Draws  # noqa: PLC0415 - the same

        files = {name: crowd(file, int(contacts), Draws.named(name)) for name, file in files.items()}
    elif contacts:
        files = {name: journey_scenarios.played_from(Path(contacts), file) for name, file in files.items()}
    return files


def _rehearse(console: Console, files: "Mapping[str, ScenarioFile]", *, judged: bool, show: _Shown) -> bool:
    """Rehearse and show it; whether anything is not as expected. Contacts that are not ``judged`` are only watched."""
    from local.cloud.local_cloud import default_zone  # noqa: PLC0415 - the same
    from local.rehearsal import journey_scenarios  # noqa: PLC0415 - it has a cloud of its own
    from local.rehearsal.coverage import refuse_percent  # noqa: PLC0415 - the same

    refuse_percent(show.at_least)
    bar = RehearsalBar(
        contacts=sum(len(file.scenarios) for file in files.values()), zone=default_zone(current_project())
    )
    with bar.progress:
        results = journey_scenarios.rehearse(files, step=bar.step, progress=bar)
    compared = [result for each in results.values() for result in each]
    covered = journey_scenarios.covered(results) if show.coverage else []
    if show.as_json:
        rehearsed = [{"journey": name, **result.to_dict()} for name, each in results.items() for result in each]
        shares = [each.to_dict() for each in covered]
        print_json({"scenarios": rehearsed, "coverage": shares} if covered else rehearsed)
    elif show.crowd:
        _show_crowd(console, results, judged=judged)
    else:
        _show_rehearsed(console, compared, whole=show.whole)
    if show.page_of:
        written = journey_scenarios.write_counts_page(show.page_of, files[show.page_of], compared)
        console.print(f"\nOpen {written} in a browser.")
    enough = _reach_enough(console, covered, at_least=show.at_least, shown=not show.as_json)
    return not enough or (judged and not all(result.as_expected for result in compared))


def _storm(
    console: Console, journey: str, file: "ScenarioFile", *, first: int, most: int, minutes: int, as_json: bool
) -> bool:
    """Play event storms and show the first that breaks an invariant; whether there is one."""
    from local.rehearsal import journey_scenarios  # noqa: PLC0415 - it has a cloud of its own

    bar = StormBar(storms=most)
    with bar.progress:
        red, played = journey_scenarios.until_red(
            journey,
            file,
            first=first,
            most=most,
            longest=timedelta(minutes=minutes),
            step=bar.step,
            played=bar.played,
        )
    if as_json:
        print_json({"journey": journey, "first": first, "storms": played, "red": red.to_dict() if red else None})
    elif red is None:
        console.print(
            f"[green]every invariant holds[/green] in {played:,} storms, seeds {first} to {first + played - 1}"
        )
    else:
        console.print(f"[red]the storm of seed {red.seed} breaks an invariant[/red]")
        for line in red.findings:
            console.print(f"  {escape(line)}", highlight=False)
        console.print(f"\nThe fewest events that still do, as a scenario:\n\n{escape(red.to_yaml())}", highlight=False)
        console.print(
            f"Again: waypost rehearse {escape(journey)} --until-red --seed {red.seed} --storms 1", highlight=False
        )
    return red is not None


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


def _show_crowd(console: Console, results: "Mapping[str, list[ScenarioResult]]", *, judged: bool) -> None:
    """What became of the contacts in numbers, and the first ones that did otherwise than expected."""
    from local.rehearsal.summary import summaries  # noqa: PLC0415 - the same

    for journey, summary in summaries(results).items():
        for table in summary_tables(journey, summary):
            console.print("", table)
    compared = [result for each in results.values() for result in each]
    if not judged:
        console.print(f"\n[bold]{len(compared):,} contacts of the file[/bold]")
        return
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
