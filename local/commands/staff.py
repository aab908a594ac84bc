"""``waypost staff``: who works with it, and members from a file or WeCom. Added to the commands of ``waypost``."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.table import Table

from local.cloud.local_cloud import client
from local.commands.output import AsJson, print_json
from local.commands.tables import console_for
from local.problems import LocalError
from local.project.current_project import current_project
from local.running import background
from local.running.file_operations import FileOperations
from local.running.operation_runs import run_operation
from waypost.authoring.authored_files import FileReader
from waypost.authoring.staff import staff
from waypost.aws.live_staff import DynamoLiveStaff
from waypost.aws.responses import DynamoResponses
from waypost.staff.directory import Member, StaffDirectory
from waypost.staff.live_directory import joined
from waypost.staff.responses import month_of

app = typer.Typer()
_MONTH: Final = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the members: those of staff/members.yaml, and those who came into the running system by an import or from WeCom."""

    reader = FileReader(current_project().statemachines)
    section = staff(reader)
    reader.raise_problems()
    access = background.access()
    store = DynamoLiveStaff(client("dynamodb", access["endpoint_url"]), access["contacts_table"])
    directory = joined(StaffDirectory.from_dict(section), store.newest())
    if as_json:
        print_json([_listed(directory, each) for each in directory.members.values()])
        return
    table = Table("id", "name", "department", "manager", "roles", "channels", "queues")
    for member in directory.members.values():
        shown = _listed(directory, member)
        cells = (", ".join(shown[name]) for name in ("roles", "channels", "queues"))
        table.add_row(member.id, member.name, member.department, member.manager, *cells)
    console_for().print(table)


@app.command("import")
def import_(
    file: Annotated[
        Path, typer.Argument(help="A CSV file with the columns id and name; docs/operating.md has the others.")
    ],
    dry_run: Annotated[bool, typer.Option(help="Say who would join, change and leave, and change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take the members of a file in place of those of the last one, as a whole or not at all."""

    access = background.access()
    key = FileOperations(access).upload(file)
    found = run_operation(access, "import-staff", {"file": key, "dry_run": dry_run})
    if as_json:
        print_json(found)
        return
    _print_changes(f"{found['rows']} rows", found)


@app.command()
def sync(
    dry_run: Annotated[bool, typer.Option(help="Say who would join, change and leave, and change nothing.")] = False,
    shrink: Annotated[
        bool, typer.Option(help="Take a list from which more than half of the members are gone.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take the members whom WeCom has now in place of those of the last sync; on AWS start the operation sync-staff."""

    found = run_operation(background.access(), "sync-staff", {"dry_run": dry_run, "shrink": shrink})
    if as_json:
        print_json(found)
        return
    _print_changes(f"{found['found']} members in WeCom, {found['left_out']} left out", found)
    for problem in found["problems"]:
        console_for().print(f"  {problem['member']}, {problem['field']}: {problem['reason']}")


@app.command()
def customers(
    member: Annotated[str, typer.Argument(help="The member: an id, a mail address or a userid of WeCom.")],
    as_json: AsJson = False,
) -> None:
    """Show whom a member has added in WeCom and when; on AWS start the operation show-customers."""

    found = run_operation(background.access(), "show-customers", {"member": member})
    if as_json:
        print_json(found)
        return
    title = f"{found['member']}: {found['customers']} customers, first of {found['first']}; {found['file']} has all"
    table = Table("since", "contact", "external_userid", "came by", "first", title=title, title_justify="left")
    for each in found["shown"]:
        table.add_row(
            each["since"],
            each["contact_id"] or "no contact",
            each["external_userid"],
            each["state"],
            "yes" if each["first"] else "",
        )
    console_for().print(table)


def _print_changes(opening: str, found: dict[str, Any]) -> None:
    """Who joined, changed and left, or would in a dry run."""
    would = "would have " if found["dry_run"] else ""
    counts = ", ".join(f"{would}{kind} {found[kind]}" for kind in ("joined", "changed", "left"))
    console_for().print(f"{opening}; {counts}.")
    for kind in ("joined", "changed", "left"):
        for member in found[f"{kind}_members"]:
            console_for().print(f"  {kind}: {member}")


@app.command()
def responses(
    month: Annotated[
        str, typer.Option(help="The month in which the tasks were given, such as 2031-03; this one without it.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Show how fast members answered their tasks, by journey and member."""

    wanted = month or month_of(datetime.now(UTC))
    if _MONTH.fullmatch(wanted) is None:
        raise LocalError(f"{wanted!r} is no month", "write it as 2031-03")
    access = background.access()
    store = DynamoResponses(client("dynamodb", access["endpoint_url"]), access["contacts_table"])
    found = [each.figures() for each in store.of_month(wanted)]
    if as_json:
        print_json(found)
        return
    table = Table("journey", "member", "given", "answered", "done", "late", "mean minutes")
    for each in found:
        counts = (str(each[name]) for name in ("assigned", "answered", "done", "late"))
        mean = "" if each["mean_minutes"] is None else str(each["mean_minutes"])
        table.add_row(each["journey"], each["member"], *counts, mean)
    console_for().print(table)


def _listed(directory: StaffDirectory, member: Member) -> dict[str, Any]:
    return {
        "id": member.id,
        "name": member.name,
        "department": member.department,
        "manager": member.manager,
        "roles": sorted(member.roles),
        "channels": list(member.channels),
        "queues": sorted(name for name, ids in directory.queues.items() if member.id in ids),
    }
