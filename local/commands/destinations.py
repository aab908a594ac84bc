"""``waypost destinations``: the systems that receive events. Added to the commands of ``waypost``."""

from typing import Annotated, Any

import typer
from rich.table import Table

from local.cloud.local_cloud import client
from local.commands.output import AsJson, print_json
from local.commands.tables import console_for
from local.problems import LocalError
from local.project.current_project import current_project
from local.running import background
from waypost.authoring.discovery import discover
from waypost.authoring.problems import unknown
from waypost.aws.destinations import DynamoDestinationStates, SecretsManagerDestinations
from waypost.clock import format_instant

app = typer.Typer()


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the declared destinations, and which of them answered that they are gone."""

    found = [_looked_at(name, each) for name, each in _declared().items()]
    if as_json:
        print_json(found)
        return
    table = Table("destination", "kind", "events", "address", "gone since")
    for each in found:
        table.add_row(each["name"], each["kind"], ", ".join(each["events"]), each["url"], each["gone_since"] or "")
    console_for().print(table)


@app.command()
def enable(
    name: Annotated[str, typer.Argument(help="The name of its file under statemachines/contacts/destinations/.")],
    as_json: AsJson = False,
) -> None:
    """Deliver again to a destination that answered 410 Gone; what was set aside stays in its dead letters."""

    declared = _declared()
    if name not in declared:
        raise LocalError(unknown(name, declared, "no destination is called"), "waypost destinations list")
    access = background.access()
    DynamoDestinationStates(client("dynamodb", access["endpoint_url"]), access["contacts_table"]).enable(name)
    if as_json:
        print_json({"destination": name, "enabled": True})
        return
    console_for().print(f"{name} receives events again, within a minute.")


def _declared() -> dict[str, Any]:
    found: dict[str, Any] = dict(discover(current_project().statemachines).sections.get("destinations", {}))
    return found


def _looked_at(name: str, each: dict[str, Any]) -> dict[str, Any]:
    """A destination with its state; the address that the secret gives goes before the declared one."""
    access = background.access()
    url, gone = each["url"], None
    if each["kind"] == "standard_webhooks":
        prefix = f"waypost/{access['stage']}/destinations/"
        secret = SecretsManagerDestinations(client("secretsmanager", access["endpoint_url"]), prefix).read(name)
        url = str(secret.get("url") or url)
        states = DynamoDestinationStates(client("dynamodb", access["endpoint_url"]), access["contacts_table"])
        gone = states.disabled_since(name, url)
    since = format_instant(gone) if gone else None
    return {"name": name, "kind": each["kind"], "events": each["events"], "url": url, "gone_since": since}
