"""``waypost components``: the parts that journeys are made of. Added to the commands of ``waypost``."""

import typer
from rich.table import Table

from local.commands.output import AsJson, print_json
from local.commands.tables import console_for

app = typer.Typer()


@app.command()
def components(as_json: AsJson = False) -> None:
    """List the triggers, waits, splits and actions of journeys; docs/components.md shows each with its example."""

    from waypost.authoring.components import components as all_components  # noqa: PLC0415 - the models load with it

    found = all_components()
    if as_json:
        print_json([each.to_dict() for each in found])
        return
    table = Table("class", "name", "part", "组件", "component")
    for each in found:
        entry = each.entry
        table.add_row(entry.class_, each.name, str(entry.part), entry.title.zh, entry.title.en)
    console_for().print(table)
