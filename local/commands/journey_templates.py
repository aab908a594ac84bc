"""``waypost journey new``, ``archive`` and ``templates``: journeys made from others. Added to the commands of ``waypost``."""

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from local.commands.output import EXPECTATION_FAILED, AsJson, print_json
from local.commands.tables import console_for
from local.project.current_project import current_project
from waypost.clock import clock

app = typer.Typer()


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="The name of the new journey: its folder under statemachines/journeys/.")],
    template: Annotated[
        str, typer.Option("--from", help="An archived template, a journey of the project, or a shipped one.")
    ],
    scenario: Annotated[str, typer.Option(help="Its scenario label; that of the template by default.")] = "",
    owner: Annotated[str, typer.Option(help="Who answers for it; as in the template by default.")] = "",
) -> None:
    """Make a journey from a template, with scenarios of its own, and check it. Exit status 1 when something is wrong with it."""

    from local.project.journey_check import check_journeys  # noqa: PLC0415 - the language of journeys takes a second to load
    from local.project.journey_templates import new_journey  # noqa: PLC0415 - the same

    console, project = console_for(), current_project()
    folder = new_journey(project, name, template=template, scenario=scenario, owner=owner)
    console.print(
        f"{folder}: made from {template}; it starts as that one does until you change its trigger",
        highlight=False,
        soft_wrap=True,
    )
    [checked] = check_journeys(project, name).journeys
    for problem in checked.problems:
        console.print(Text(f"  {problem}"), soft_wrap=True)
    if checked.problems:
        raise typer.Exit(EXPECTATION_FAILED)
    console.print(f"next: change its files, then waypost rehearse {name}", highlight=False)


@app.command()
def archive(
    journey: Annotated[str, typer.Argument(help="The folder of the journey under statemachines/journeys/.")],
    name: Annotated[str, typer.Option(help="The name of the template; that of the journey by default.")] = "",
    scenario: Annotated[str, typer.Option(help="The scenario label of the template; the journey's by default.")] = "",
) -> None:
    """Keep a journey as a template under statemachines/templates/, with its scenario label. The journey itself stays."""

    from local.project.journey_templates import archive_journey  # noqa: PLC0415 - the same

    folder = archive_journey(current_project(), journey, name=name, scenario=scenario, today=clock()().date())
    console_for().print(f"{folder}: waypost journey new <name> --from {folder.name}", highlight=False, soft_wrap=True)


@app.command()
def templates(as_json: AsJson = False) -> None:
    """List what a journey can be made from: archived templates, the journeys of the project, and the shipped ones."""

    from local.project import journey_templates  # noqa: PLC0415 - the same

    found = journey_templates.templates(current_project())
    if as_json:
        print_json([{"name": each.name, "scenario": each.scenario, "origin": each.origin} for each in found])
        return
    table = Table()
    for column in ("template", "scenario", "from"):
        table.add_column(column)
    for each in found:
        table.add_row(each.name, each.scenario, each.origin)
    console_for().print(table)
