"""``waypost journey ready``: the go/no-go list before a launch. Added to the commands of ``waypost``."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from local.commands.output import EXPECTATION_FAILED, AsJson, print_json
from local.commands.rehearsed_journey import rehearsed_journey
from local.commands.tables import console_for
from local.journeys.chosen_stage import StageName, chosen_stage
from local.project.current_project import current_project
from local.running import background

if TYPE_CHECKING:
    from local.launch.go_no_go import CountSegment, GoNoGo

app = typer.Typer()

_MARKS: Final = {"go": ("✓", "green"), "look": ("!", "yellow"), "no-go": ("✗", "red")}


@app.command()
def ready(
    journey: Annotated[str, typer.Argument(help="The folder of the journey under statemachines/journeys/.")],
    entrants: Annotated[
        int, typer.Option(min=1, help="How many contacts you expect: coupon pools and the forecast are judged by it.")
    ] = 1_000,
    stage: StageName = "",
    links: Annotated[bool, typer.Option("--links/--no-links", help="Try every link of the messages.")] = True,
    rehearse: Annotated[bool, typer.Option("--rehearse", help="Rehearse every scenario; takes half a minute.")] = False,
    as_json: AsJson = False,
) -> None:
    """Go through what must be right before a journey meets real people. Exit status 1 when something speaks against it."""

    from local.commands.messages import previewer  # noqa: PLC0415 - the language of journeys takes a second to load
    from local.launch.go_no_go import LaunchCheck  # noqa: PLC0415 - the same
    from local.launch.message_links import broken_links  # noqa: PLC0415 - the same
    from local.messages.message_folder import sending_rules  # noqa: PLC0415 - the same

    console = console_for(machine=as_json)
    asked = chosen_stage(stage) if stage or background.is_running() else None
    check = LaunchCheck(
        entrants=entrants,
        previewer=previewer(sending_rules(current_project())),
        stage=asked,
        count_segment=_count_segment() if asked is not None and not stage else None,
        rehearsed=_unexpected if rehearse else None,
        broken_links=broken_links if links else None,
    )
    found = check.of(journey)
    if as_json:
        print_json(found.to_dict())
    else:
        _show(console, found)
    if not found.is_go:
        raise typer.Exit(EXPECTATION_FAILED)


def _count_segment() -> "CountSegment":
    """Counts a saved segment in the system that runs."""
    from local.project.segment_files import segment_called  # noqa: PLC0415 - the same
    from local.running.segment_members import count_members  # noqa: PLC0415 - the same

    access = background.access()
    return lambda name: count_members(segment_called(name), access, progress=_unseen).members


def _unseen(done: int, of: int | None) -> None:
    """No bar: the list is made in one go."""


def _unexpected(journey: str) -> Sequence[str]:
    return [each.scenario.name for each in rehearsed_journey(journey) if not each.as_expected]


def _show(console: Console, found: "GoNoGo") -> None:
    table = Table(title=f"{found.journey}, {found.entrants:,} entrants", title_justify="left", title_style="bold")
    for column in ("", "point", "found", "way out"):
        table.add_column(column)
    for each in found.points:
        mark, style = _MARKS[each.verdict]
        table.add_row(Text(mark, style), Text(each.name, style), Text(each.finding), Text(each.way_out))
    console.print(table)
    console.print(Text("go" if found.is_go else "no-go", _MARKS["go" if found.is_go else "no-go"][1]))
