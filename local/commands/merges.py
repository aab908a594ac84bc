"""``waypost contacts show``, ``merge``, ``unmerge``, ``lift-suppression`` and ``mark-test``. Added to the commands of ``waypost``."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from local.commands.output import EXPECTATION_FAILED, AsJson, print_json
from local.commands.tables import console_for
from local.journeys.stage import operator
from local.running import background
from local.running.contact_lookup import contact_id_of, profile_of
from local.running.operation_runs import run_operation
from waypost.contacts.profile import Contact

app = typer.Typer()

OPERATION: Final = "merge-contacts"
LIFT_OPERATION: Final = "lift-suppression"
MARK_OPERATION: Final = "mark-test-contact"

Who = Annotated[
    str, typer.Argument(help="A contact id, or any identity: a user id, an e-mail address, account:openid, …")
]
Reason = Annotated[str, typer.Option(help="Why; it is kept with the merge.")]


@app.command()
def show(contact: Who, as_json: AsJson = False) -> None:
    """Show the profile of a contact of the running system, its identities, and who was merged into it."""

    found = profile_of(contact, background.access())
    if as_json:
        print_json(found)
        return
    console = console_for()
    profile = found["profile"]
    table = Table(
        title=f"{contact} ({profile['contact_id']})", title_justify="left", title_style="bold", show_header=False
    )
    for name in ("created_at", "lifecycle", "points"):
        table.add_row(name, str(profile[name]))
    for kind, values in profile["identities"].items():
        table.add_row(f"identity: {kind}", ", ".join(values))
    for name, value in profile["attributes"].items():
        table.add_row(name, str(value))
    for name in ("tags", "groups", "segments"):
        table.add_row(name, ", ".join(profile[name]))
    for key, answer in profile["consents"].items():
        state = "granted" if answer["granted"] else "withdrawn"
        table.add_row(f"consent: {key}", f"{state}, {answer['at']}, by {answer['source']}")
    for channel, reason in Contact.from_dict(profile).closed.items():
        table.add_row(f"suppressed: {channel}", reason)
    console.print(table)
    if found["merges"]:
        console.print("", _merges_table(found["merges"]))


@app.command()
def merge(
    one: Who,
    other: Who,
    preview: Annotated[
        bool, typer.Option("--preview", help="Only show what it would do, or why it cannot be.")
    ] = False,
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Merge two contacts of the running system. With --preview: exit status 1 when they cannot be merged."""

    access = background.access()
    contacts = [{"contact_id": contact_id_of(each, access)} for each in (one, other)]
    action = "preview" if preview else "merge"
    found = run_operation(access, OPERATION, {"action": action, "contacts": contacts, "reason": reason})
    forbidden = preview and not found["allowed"]
    if as_json:
        print_json(found)
    else:
        _show_merge(console_for(), found, preview=preview)
    if forbidden:
        raise typer.Exit(EXPECTATION_FAILED)


@app.command()
def unmerge(
    contact: Who,
    merge_id: Annotated[str, typer.Option("--merge", help="Which merge; without it the latest.")] = "",
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Undo a merge: both contacts live again, and no event merges them again."""

    access = background.access()
    who = {"contact_id": contact_id_of(contact, access)}
    found = run_operation(access, OPERATION, {"action": "undo", "contact": who, "merge_id": merge_id, "reason": reason})
    if as_json:
        print_json(found)
        return
    done = "Parted" if found["undone"] else "They were parted before"
    console_for().print(f"{done}: {found['survivor']} stays, {found['restored']} lives again ({found['merge_id']}).")


@app.command("lift-suppression")
def lift_suppression(
    contact: Who,
    channel: Annotated[str, typer.Argument(help="The channel: email, sms.")],
    reason: Annotated[str, typer.Option(help="Why; it stands on the contact's timeline, with who asked for it.")] = "",
    preview: Annotated[bool, typer.Option("--preview", help="Only show what closed the address.")] = False,
    as_json: AsJson = False,
) -> None:
    """Open the address that a contact uses on a channel again; on AWS start the operation lift-suppression."""

    access = background.access()
    who = {"contact_id": contact_id_of(contact, access)}
    action = "preview" if preview else "lift"
    request = {"action": action, "contact": who, "channel": channel, "by": operator(), "reason": reason}
    found = run_operation(access, LIFT_OPERATION, request)
    if as_json:
        print_json(found)
        return
    state = f"suppressed ({found['suppression']}, {found['suppressed_at']})" if found["suppression"] else "open"
    console_for().print(f"{contact} on {channel}: {state}")


@app.command("mark-test")
def mark_test(
    contact: Who,
    reason: Annotated[str, typer.Option(help="Why; it stands on the contact's timeline, with who asked for it.")],
    no_longer: Annotated[bool, typer.Option("--no-longer", help="Make it a usual contact again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make a contact a test contact, who lives journeys in minutes; on AWS start the operation mark-test-contact."""

    access = background.access()
    who = {"contact_id": contact_id_of(contact, access)}
    request = {"contact": who, "test": not no_longer, "by": operator(), "reason": reason}
    found = run_operation(access, MARK_OPERATION, request)
    if as_json:
        print_json(found)
        return
    console_for().print(f"{contact} is {'a test contact' if found['test'] else 'no test contact any more'}")


def _show_merge(console: Console, found: Mapping[str, Any], *, preview: bool) -> None:
    if "merge_id" not in found:
        console.print(
            f"[yellow]{'They cannot be merged' if preview else 'Nothing to do'}:[/yellow] {found['explanation']}."
        )
        return
    would = "would become part of" if preview else "is now part of"
    console.print(f"[bold]{found['from']}[/bold] {would} [bold]{found['into']}[/bold] ({found['merge_id']})")
    table = Table("what", "of the survivor", "of the other", "afterwards")
    for name, values in found["attributes"].items():
        table.add_row(name, *(_shown(values[side]) for side in ("into", "from", "after")))
    for key, values in found["consents"].items():
        table.add_row(f"consent: {key}", values["into"], values["from"], values["after"])
    table.add_row("points", *(str(found["points"][side]) for side in ("into", "from", "after")))
    for kind, values in found["identities"].items():
        table.add_row(f"identity: {kind}", "", "", ", ".join(values))
    for name in ("tags", "groups"):
        table.add_row(name, "", "", ", ".join(found[name]))
    console.print(table)


def _merges_table(merges: list[dict[str, Any]]) -> Table:
    table = Table("merge", "when", "who", "why", "undone", title="Merged into it", title_justify="left")
    for each in merges:
        why = f"{each['ground']}: {each['cause']}" if each["cause"] else each["ground"]
        table.add_row(each["merge_id"], each["at"], each["from"], why, each["undone_at"] or "")
    return table


def _shown(value: Any) -> str:
    return "–" if value is None else str(value)
