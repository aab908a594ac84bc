"""``waypost segment card`` and ``waypost segment build``. Added to the commands of ``waypost segment``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from local.commands.output import AsJson, print_json
from local.commands.tables import console_for
from local.problems import LocalError
from local.running import background

app = typer.Typer()

FileOrName = Annotated[
    str, typer.Argument(metavar="FILE|NAME", help="A segment's file anywhere, or the name of a saved segment.")
]


@app.command()
def card(
    segment: FileOrName,
    language: Annotated[str, typer.Option(help="The language shown first: zh-CN or en.")] = "zh-CN",
    open_: Annotated[bool, typer.Option("--open/--no-open", help="Show the card in the browser.")] = True,
    as_json: AsJson = False,
) -> None:
    """Draw the persona card of a segment: who they are, compared with everybody. Writes out/personas/NAME.html."""

    from local.running.audience_operations import AudienceOperations  # noqa: PLC0415 - boto3 is for the running system alone

    operations = AudienceOperations(background.access())
    output = operations.preview({**_asked(segment), "language": language})
    path = operations.fetch_card(output)
    if as_json:
        print_json(output | {"file": str(path)})
        return
    console = console_for()
    console.print(_table(output))
    console.print(f"card: {path}")
    if open_ and console.is_terminal:
        typer.launch(path.as_uri())


@app.command()
def build(
    segment: FileOrName,
    audience: Annotated[
        str, typer.Option(help="What the audience is called; the name of the segment by default.")
    ] = "",
    limit: Annotated[
        int | None, typer.Option(help="Only so many people, always the same ones: 100 for a test.", min=1)
    ] = None,
    hold_out: Annotated[
        str, typer.Option(metavar="SALT:PERCENT", help="Keep that many percent out for comparison, as may:10.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Freeze the audience of a segment in the running system: files of contact ids, a manifest, a card."""

    from local.running.audience_operations import AudienceOperations  # noqa: PLC0415 - boto3 is for the running system alone

    given = _asked(segment)
    given |= {"audience": audience} if audience else {}
    given |= {"limit": limit} if limit else {}
    given |= {"hold_out": _hold_out(hold_out)} if hold_out else {}
    operations = AudienceOperations(background.access())
    output = operations.build(given)
    path = operations.fetch_card(output)
    if as_json:
        print_json(output | {"file": str(path)})
        return
    console = console_for()
    console.print(_table(output))
    console.print(f"manifest: s3://{operations.bucket}/{output['manifest']}\ncard: {path}")


def _asked(given: str) -> dict[str, Any]:
    """The request for a saved segment by its name, for another file by its rule. Raises LocalError."""
    from local.project import segment_files  # noqa: PLC0415 - the language of rules takes longer to load than the rest

    checked = segment_files.segment_called(given)
    is_saved = Path(checked.file).resolve().parent == segment_files.saved_segments().resolve()
    return {"segment": checked.name} if is_saved else {"rule": checked.rule, "audience": checked.name}


def _hold_out(text: str) -> dict[str, Any]:
    salt, _, percent = text.rpartition(":")
    try:
        return {"salt": salt, "percent": float(percent)}
    except ValueError as wrong:
        raise LocalError(f"--hold-out {text!r} is not SALT:PERCENT", "write may:10 for ten percent") from wrong


def _table(output: Mapping[str, Any]) -> Table:
    """The count, and the sample with what is known of it."""
    title = f"{output['count']:,} of {output['contacts']:,} contacts are in {output['audience']} ({output['share']:.1%} match)"
    table = Table("contact", "who", "tags", title=title, title_justify="left")
    for each in output["sample"]:
        who = " ".join(str(each[name]) for name in ("gender", "age", "city", "level", "lifecycle") if name in each)
        table.add_row(each["contact_id"], who, ", ".join(each.get("tags", ())))
    return table
