"""``waypost contacts rebuild``. Added to the commands of ``waypost``."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.table import Table

from local.cloud.local_cloud import client
from local.commands.output import EXPECTATION_FAILED, AsJson, print_json
from local.commands.tables import console_for
from local.problems import LocalError
from local.running import background
from local.running.contact_lookup import contact_id_of
from waypost.aws.contacts import DynamoContacts
from waypost.aws.event_archive import S3EventArchive
from waypost.aws.history import DynamoHistory
from waypost.aws.queue import SqsEventQueue
from waypost.clock import parse_instant
from waypost.contacts.rebuilding import Rebuilder, Rebuilt
from waypost.errors import ConcurrentUpdate, InvalidInput
from waypost.files.folders import EVENTS, Folders

app = typer.Typer()


@app.command()
def rebuild(
    contact: Annotated[str, typer.Argument(help="A contact id, or any identity: a user id, an e-mail address …")],
    write: Annotated[
        bool, typer.Option("--write", help="Write the rebuilt profile where the stored one differs.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a profile again from its events and compare. Exit status 1 when it differs and is not written."""

    access = background.access()
    contact_id = contact_id_of(contact, access)
    rebuilder = _rebuilder(access)
    try:
        found = rebuilder.repair(contact_id) if write else rebuilder.compare(contact_id)
    except (ConcurrentUpdate, InvalidInput) as error:
        raise LocalError(str(error), "nothing was written") from error
    if as_json:
        print_json({**found.to_dict(), "written": write and bool(found.differences)})
    else:
        _show(found, written=write)
    if found.differences and not write:
        raise typer.Exit(EXPECTATION_FAILED)


def _rebuilder(access: Mapping[str, Any]) -> Rebuilder:
    url, table = access["endpoint_url"], access["contacts_table"]
    now = parse_instant(background.control("GET", "/status")["now"])
    return Rebuilder(
        contacts=DynamoContacts(client("dynamodb", url), table),
        table=DynamoHistory(client("dynamodb", url), table, clock=lambda: now),
        archive=S3EventArchive(client("s3", url), access["outputs"]["FilesBucket"], Folders(reads=(EVENTS,))),
        queue=SqsEventQueue(client("sqs", url), access["outputs"]["EventsQueueUrl"]),
        clock=lambda: now,
    )


def _show(found: Rebuilt, *, written: bool) -> None:
    console = console_for()
    made = f"made again from {found.events} events, {found.archived} of them in the archive alone"
    if not found.differences:
        console.print(f"The profile of {found.stored.contact_id} is right: {made}.")
        return
    table = Table("field", "name", "stored", "from the events", title=made, title_justify="left")
    for difference in found.differences:
        table.add_row(difference.field, difference.name, str(difference.stored), str(difference.rebuilt))
    console.print(table)
    console.print("Written." if written else "Nothing was written; [dim]--write[/dim] repairs the profile.")
