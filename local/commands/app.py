"""The commands of ``waypost``. Run by ``local.cli``, which reports problems."""

from pathlib import Path
from typing import Annotated

import typer

from local.commands import components, explanations, personas, project, rehearsals, system
from local.commands.on_demand import on_demand
from local.project.current_project import choose_content

app = typer.Typer(
    name="waypost",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


_GROUPS = {
    "contacts": (
        "Contacts: take a file of them in, write them into a file.",
        on_demand("contact_files", "merges", "rebuilding"),
    ),
    "coupons": ("Coupon pools: what they have left; codes from a file of the shop.", on_demand("coupons")),
    "destinations": ("Other systems that receive events.", on_demand("destinations")),
    "journey": (
        "Journeys: make one from a template, check, draw, plan, forecast one, see if it is ready; try, hold, stop or change one in use, undo that; review it.",
        on_demand(
            "journeys",
            "journey_checks",
            "journey_control",
            "journey_costs",
            "journey_plans",
            "journey_reviews",
            "journey_templates",
            "launches",
            "live_changes",
        ),
    ),
    "message": ("Messages: check one, look at it as a contact would get it, send a test.", on_demand("messages")),
    "products": ("Products: what is recommended for one, and why.", on_demand("products")),
    "segment": (
        "Saved segments: check a file, count who is in it, ask why a contact is in it or not.",
        on_demand("segments", "audiences"),
    ),
    "staff": ("Members of staff: who there is; take a file of them in.", on_demand("staff")),
}
for _name, (_help, _group) in _GROUPS.items():
    app.add_typer(typer.Typer(cls=_group, help=_help, no_args_is_help=True), name=_name)
for _commands in (rehearsals, system, explanations, project, personas, components):
    app.add_typer(_commands.app)


@app.callback()
def choose_project(
    content: Annotated[
        Path | None,
        typer.Option(help="The project to work on; found from the cdk.json here or above by default."),
    ] = None,
) -> None:
    """Waypost on this machine: the whole system on an embedded cloud, with virtual time."""
    if content is not None:
        choose_content(content)
