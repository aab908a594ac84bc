"""``waypost segment``: what the saved segments are, whom they select, and why. Added to the commands of ``waypost``."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from local.commands.output import EXPECTATION_FAILED, AsJson, print_json
from local.commands.tables import console_for
from local.running import background

if TYPE_CHECKING:
    from waypost.segments.explain import Explanation

app = typer.Typer()

FileOrName = Annotated[
    str, typer.Argument(metavar="FILE|NAME", help="A segment's file anywhere, or the name of a saved segment.")
]


@app.command("list")
def list_segments(as_json: AsJson = False) -> None:
    """List the saved segments of this project, and what each of them looks at."""

    from local.project import segment_files  # noqa: PLC0415 - the language of rules takes longer to load than the rest
    from waypost.authoring.segments import PLACE  # noqa: PLC0415 - the same
    from waypost.segments.dependencies import reads  # noqa: PLC0415 - the same

    segments = segment_files.declared_sections().get(PLACE, {})
    if as_json:
        print_json([{"name": name, **each} for name, each in sorted(segments.items())])
        return
    table = Table("name", "who", "owner", "refresh", "looks at", title="Saved segments", title_justify="left")
    for name, each in sorted(segments.items()):
        looks_at = segment_files.asked_by(reads(each["rule"]))
        table.add_row(name, each["description"], each["owner"], each["refresh"], looks_at)
    console_for().print(table)


@app.command()
def check(
    file: Annotated[str, typer.Argument(metavar="FILE|NAME", help="The file to check, or a saved segment.")],
    as_json: AsJson = False,
) -> None:
    """Check a segment's file: what is wrong with it, and what will perhaps not do what was meant."""

    from local.project import segment_files  # noqa: PLC0415 - the language of rules takes longer to load than the rest

    checked = segment_files.check(segment_files.path_of(file))
    if as_json:
        print_json(checked.to_dict())
    else:
        console = console_for()
        for problem in checked.problems:
            console.print(Text(f"✗ {problem}", "red"))
        for warning in checked.warnings:
            console.print(Text(f"! {warning}", "yellow"))
        if not checked.problems:
            console.print(
                f"[green]✓[/green] {checked.name} looks at {segment_files.asked_by(checked.reads) or 'nothing'}"
            )
    if checked.problems:
        raise typer.Exit(EXPECTATION_FAILED)


@app.command()
def count(segment: FileOrName, as_json: AsJson = False) -> None:
    """Count the contacts of the running system that a segment selects, and name ten of them."""

    from local.project import segment_files  # noqa: PLC0415 - the language of rules takes longer to load than the rest
    from local.running.segment_members import count_members  # noqa: PLC0415 - boto3 is for the running system alone

    checked = segment_files.segment_called(segment)
    console = console_for(machine=as_json)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("contacts", total=None)
        counted = count_members(
            checked,
            background.access(),
            progress=lambda seen, total: progress.update(task, completed=seen, total=total),
        )
    if as_json:
        print_json(counted.to_dict())
        return
    console.print(
        f"[bold]{counted.members:,}[/bold] of {counted.contacts:,} contacts ({counted.share:.1%}) are in {checked.name};"
        f" for {counted.histories_read:,} of them the events were read"
    )
    for contact_id in counted.sample:
        console.print(f"  {contact_id}  [dim]waypost segment why {segment} {contact_id}[/dim]")


@app.command()
def why(
    segment: FileOrName,
    contact: Annotated[str, typer.Argument(help="A user id, an e-mail address, a phone number or a contact id.")],
    as_json: AsJson = False,
) -> None:
    """Say why a contact of the running system is in a segment or not: each condition and the value that decided."""

    from local.project import segment_files  # noqa: PLC0415 - the language of rules takes longer to load than the rest
    from local.running.segment_members import explain_member  # noqa: PLC0415 - boto3 is for the running system alone
    from waypost.authoring.segments import PLACE  # noqa: PLC0415 - as segment_files

    checked = segment_files.segment_called(segment)
    explained = explain_member(checked, contact, background.access())
    if as_json:
        print_json(explained.to_dict())
        return
    verdict = "[green]is in[/green]" if explained.member else "[red]is not in[/red]"
    console = console_for()
    tree = Tree(f"{escape(contact)} ({explained.contact_id}) {verdict} [bold]{checked.name}[/bold]")
    _grow(tree, explained.explanation)
    console.print(tree)
    if checked.name in segment_files.declared_sections().get(PLACE, {}) and explained.kept != explained.member:
        kept = "a member" if explained.kept else "no member"
        console.print(
            f"[yellow]![/yellow] its profile still says {kept}: the next event or the next refresh corrects that"
        )


def _grow(tree: Tree, explanation: "Explanation") -> None:
    mark, style = ("✓", "green") if explanation.holds else ("✗", "red")
    line = Text.assemble((f"{mark} ", style), explanation.label)
    if explanation.values:
        line.append(f"  {explanation.values}", "dim")
    branch = tree.add(line)
    for child in explanation.children:
        _grow(branch, child)
