"""``waypost personas``: group the contacts of the running system by what they do. Added to the commands of ``waypost``."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from local.commands.output import AsJson, print_json
from local.commands.tables import console_for
from local.problems import LocalError
from local.running import background

if TYPE_CHECKING:
    from personas.running import Found
    from waypost.contacts.profile import Contact

EXTRA = "requirements/personas.txt"

app = typer.Typer()


@app.command()
def personas(
    fewest: Annotated[int, typer.Option(help="The fewest personas that are tried.", min=2)] = 3,
    most: Annotated[int, typer.Option(help="The most personas that are tried.", max=30)] = 8,
    seed: Annotated[int, typer.Option(help="Of chance; the same seed gives the same personas.")] = 20270301,
    cards: Annotated[Path | None, typer.Option(help="A folder for a page about each persona.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing into the profiles.")] = False,
    as_json: AsJson = False,
) -> None:
    """Group the contacts of the running system by what they do, and note in each profile which persona it is."""

    if importlib.util.find_spec("sklearn") is None:
        raise LocalError("scikit-learn is not installed", f"pip install --require-hashes -r {EXTRA}")
    from local.cloud.local_cloud import client  # noqa: PLC0415 - boto3 is for the commands that read tables
    from personas.clustering import KMeansGrouper  # noqa: PLC0415 - needs the extra, which most machines do without
    from personas.files import write_cards  # noqa: PLC0415 - and so the rest of it only when it is asked for
    from personas.ports import Bounds  # noqa: PLC0415
    from personas.running import PersonaRun  # noqa: PLC0415
    from waypost.aws.contacts import DynamoContacts  # noqa: PLC0415 - the same
    from waypost.aws.profile_scan import DynamoProfileScan  # noqa: PLC0415 - the same
    from waypost.clock import parse_instant  # noqa: PLC0415 - the same

    access = background.access()
    database, table = client("dynamodb", access["endpoint_url"]), access["contacts_table"]
    scan = DynamoProfileScan(database, table)

    def profiles() -> "Iterator[Contact]":
        for page in scan.slice(0, 1):
            yield from page

    found = PersonaRun(
        profiles=profiles,
        grouper=KMeansGrouper(),
        store=None if dry_run else DynamoContacts(database, table),
        now=parse_instant(background.control("GET", "/status")["now"]),
        bounds=Bounds(fewest, most, seed),
    ).run()
    pages = [] if cards is None else write_cards(found, cards)
    if as_json:
        print_json(found.to_dict() | {"cards": [str(path) for path in pages]})
        return
    console = console_for()
    console.print(_shown(found))
    for path in pages:
        console.print(f"card: {path}")


def _shown(found: "Found") -> Table:
    """The personas, largest first, with the features in which they differ most."""
    table = Table("persona", "contacts", "differs in (standard deviations)", title="Personas", title_justify="left")
    for each in found.personas:
        far = sorted(each.centre.items(), key=lambda centre: -abs(centre[1]))[:4]
        table.add_row(each.name, str(each.contacts), ", ".join(f"{name} {distance:+.1f}" for name, distance in far))
    return table
