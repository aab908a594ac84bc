"""``waypost journey check``: journeys one by one, before they are rehearsed. Added to the commands of ``waypost``."""

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from local.commands.output import EXPECTATION_FAILED, AsJson, print_json
from local.commands.tables import console_for
from local.project.current_project import current_project

app = typer.Typer()


@app.command()
def check(
    journey: Annotated[
        str,
        typer.Argument(
            metavar="[NAME|PATH]",
            help="A journey under statemachines/journeys/, or the path of a folder anywhere; all journeys by default.",
        ),
    ] = "",
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Fail also for what works and may not be meant, and for the marketing lint."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check a journey with its messages and scenarios, or each of them. Exit status 1 when one is wrong."""

    from local.project.content_copy import visiting  # noqa: PLC0415 - the language of journeys takes a second to load
    from local.project.journey_check import check_journeys  # noqa: PLC0415 - the same

    with visiting(journey) if journey else nullcontext("") as name:
        at = Path(journey) if Path(journey).name != journey else None
        checked = check_journeys(current_project(), name, shown_at=at)
    if as_json:
        print_json(checked.to_dict())
    else:
        console = console_for()
        for each in checked.journeys:
            mark, style = ("✗", "red") if each.problems else ("✓", "green")
            counts = "" if each.problems else f": {each.messages} messages, {each.scenarios} scenarios"
            console.print(Text(f"{mark} {each.name}", style).append(counts, "default"))
            for problem in each.problems:
                console.print(Text(f"  {problem}"), soft_wrap=True)
            for warning in (*each.warnings, *each.lint):
                console.print(Text(f"  ! {warning}", "yellow"), soft_wrap=True)
        for problem in checked.elsewhere:
            console.print(Text(problem), soft_wrap=True)
    if not (checked.is_clean if strict else checked.is_right):
        raise typer.Exit(EXPECTATION_FAILED)
