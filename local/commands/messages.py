"""``waypost message``: what is wrong with a message, how it looks for one contact, and a test of it. Added to the commands of ``waypost``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.panel import Panel
from rich.text import Text

from local.commands.output import EXPECTATION_FAILED, AsJson, print_json
from local.commands.tables import console_for
from local.problems import LocalError
from local.project.current_project import current_project
from local.running import background

if TYPE_CHECKING:
    from local.messages.message_folder import PlacedMessage
    from local.messages.preview import Previewer, Viewer
    from waypost.authoring.sending_policy import SendingRules

app = typer.Typer()

MessageName = Annotated[
    str, typer.Argument(metavar="MESSAGE", help="The folder of a message, or its id: new-user-nurture/welcome.")
]


@app.command()
def lint(message: MessageName, as_json: AsJson = False) -> None:
    """Check a message: what publishing refuses, and what mailbox providers have against its mails. Exit status 1 for errors."""

    from local.messages.lint import lint_message  # noqa: PLC0415 - compiling MJML takes long to load
    from local.messages.message_folder import message_called  # noqa: PLC0415 - the same

    place = message_called(message, current_project())
    linted = lint_message(place, previewer(place.sending))
    if as_json:
        print_json(linted.to_dict())
    else:
        console = console_for()
        for each in linted.findings:
            mark, style = ("✗", "red") if each.level == "error" else ("!", "yellow")
            where = ":".join(filter(None, [each.file, str(each.line or "")])) + (f" {each.field}" if each.field else "")
            console.print(Text(f"{mark} {where}: ", style).append(each.reason, "default"), soft_wrap=True)
            console.print(Text(f"    → {each.way_out}"), soft_wrap=True)
            console.print(Text(f"    {each.source}", "dim"), soft_wrap=True)
        if not linted.findings:
            console.print(Text(f"✓ {linted.message}", "green"))
    if not linted.is_right:
        raise typer.Exit(EXPECTATION_FAILED)


@app.command()
def preview(
    message: MessageName,
    contact: Annotated[
        str,
        typer.Option(
            help="A contact of the running system: a user id, an e-mail address, a phone number or a contact id."
        ),
    ] = "",
    contact_file: Annotated[
        Path | None,
        typer.Option(help="A JSON file with the contact's attributes and the event, instead of a running system."),
    ] = None,
    locale: Annotated[str, typer.Option(help="The language to show; the contact's own by default.")] = "",
    out: Annotated[Path | None, typer.Option(help="Where the files go; out/preview/<message> by default.")] = None,
    pictures: Annotated[
        bool, typer.Option(help="Make pictures of mails at phone and desktop width, light and dark.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Show a message as a contact would get it on each channel, with pictures of its mail and what providers have against it."""

    from local.messages import preview as previews  # noqa: PLC0415 - compiling MJML takes long to load
    from local.messages.message_folder import message_called  # noqa: PLC0415 - the same

    project = current_project()
    place = message_called(message, project)
    published, problems = place.read()
    if published is None:
        raise LocalError("\n".join(map(str, problems)), f"waypost message lint {message}")
    shown = previewer(place.sending).preview(place, published, _viewer(place, contact, contact_file), locale)
    folder = out or project.out / "preview" / place.id.replace("/", "-")
    if as_json:
        files = previews.keep(shown, folder, pictures=pictures)
        print_json(
            {
                "message": place.id,
                "channels": [_as_dict(each) for each in shown],
                "files": [str(each) for each in files],
            }
        )
        return
    console = console_for()
    for each in shown:
        title = f"{each.channel} · {each.locale}"
        text = Text(each.refused, "red") if each.refused else Text(previews.as_text(each.content).strip())
        console.print(Panel(text, title=title, title_align="left"))
        for finding in each.findings:
            mark, style = ("✗", "red") if finding.level == "error" else ("!", "yellow")
            console.print(Text(f"{mark} {finding.rule}: ", style).append(finding.reason, "default"), soft_wrap=True)
            console.print(Text(f"    → {finding.way_out}"), soft_wrap=True)
            console.print(Text(f"    {finding.source}", "dim"), soft_wrap=True)
    for file in previews.keep(shown, folder, pictures=pictures):
        console.print(Text(f"» {file}", "dim"), soft_wrap=True)


@app.command()
def publish(
    message: MessageName,
    by: Annotated[str, typer.Option(help="Who publishes it: a member of staff, by the id in staff/members.yaml.")] = "",
    approver: Annotated[str, typer.Option(help="Who is asked to approve it; without one it stays a draft.")] = "",
    note: Annotated[str, typer.Option(help="What changed, for the approver.")] = "",
    begun: Annotated[bool, typer.Option(help="Leave contacts who are under way the version they began with.")] = False,
    to: Annotated[
        Path | None, typer.Option(help="Write the checked version to this file instead, to be uploaded to AWS.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Hand a new version of a message in and ask a second person to approve it; it goes out without a deployment.

    On AWS, write it with --to, upload it to library/inbox/ in the bucket of files and start the operation publish-message.
    """

    from local.messages.message_folder import message_called  # noqa: PLC0415 - compiling MJML takes long to load
    from local.messages.version import hand_in, packed  # noqa: PLC0415 - the same
    from local.running.operation_runs import run_operation  # noqa: PLC0415 - boto3 is for the running system alone

    place = message_called(message, current_project())
    content = packed(place)
    if to is not None:
        to.write_bytes(content)
        console_for().print(Text(f"» {to}"), soft_wrap=True)
        return
    access = background.access()
    given = {
        "action": "publish",
        "message": place.id,
        "file": hand_in(content, access),
        "by": by,
        "under_way": "begun" if begun else "newest",
        "note": note,
        **({"approver": approver} if approver else {}),
    }
    result = run_operation(access, "publish-message", given)
    if as_json:
        print_json(result)
    elif approver:
        text = f"version {result['version']} waits for {approver} until {result['expires_at']} (notice: {result['notice']})"
        console_for().print(Text(text), soft_wrap=True)
    else:
        console_for().print(Text(f"version {result['version']} is a draft"), soft_wrap=True)


@app.command("test-send")
def send_to_staff(
    message: MessageName,
    to: Annotated[str, typer.Option(help="The member of staff who gets it, by the id in staff/members.yaml.")],
    contact: Annotated[str, typer.Option(help="The contact whose values are shown; the member's own by default.")] = "",
    channel: Annotated[
        str, typer.Option(help="The channel; the first on which the member has an address by default.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Send a message to a member of staff, through the sender of the running system; on AWS start the operation send-test.

    It goes to the member's own address and to nobody else.
    """

    from local.messages.message_folder import message_called  # noqa: PLC0415 - compiling MJML takes long to load
    from local.running.contact_lookup import contact_id_of  # noqa: PLC0415 - boto3 is for the running system alone
    from local.running.operation_runs import run_operation  # noqa: PLC0415 - the same

    access = background.access()
    given: dict[str, Any] = {"message": message_called(message, current_project()).id, "to": to}
    if contact:
        given["as"] = {"contact_id": contact_id_of(contact, access)}
    if channel:
        given["channel"] = channel
    result = run_operation(access, "send-test", given)
    if as_json:
        print_json(result)
    else:
        text = f"{result['outcome']} on {result['channel']} to {to}: {result['reason']} ({result['message_key']})"
        console_for().print(Text(text), soft_wrap=True)
    if result["outcome"] != "sent":
        raise typer.Exit(EXPECTATION_FAILED)


def _as_dict(shown: Any) -> dict[str, Any]:
    return {
        "channel": shown.channel,
        "locale": shown.locale,
        "content": shown.content,
        "refused": shown.refused,
        "findings": [each.to_dict() for each in shown.findings],
    }


def previewer(sending: "SendingRules") -> "Previewer":
    """What shows messages of the project as the sender renders them."""
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - with the rest

    from local.messages.preview import Previewer, sender_of  # noqa: PLC0415 - compiling MJML takes long to load
    from waypost.clock import clock  # noqa: PLC0415 - with the rest

    project = current_project()
    return Previewer(
        sender=sender_of(project.choices),
        default_locale=sending.default_locale,
        default_zone=ZoneInfo(sending.default_time_zone),
        statemachines=project.statemachines,
        now=clock()(),
    )


def _viewer(place: "PlacedMessage", contact: str, contact_file: Path | None) -> "Viewer":
    from local.messages.preview import NOBODY_IN_PARTICULAR, viewer_in  # noqa: PLC0415 - compiling MJML takes long to load

    if contact and contact_file:
        raise LocalError("a contact and a file of one are both given", "give --contact or --contact-file")
    if contact_file is not None:
        if not contact_file.is_file():
            raise LocalError(f"there is no file {contact_file}", "give the path of a JSON file")
        return viewer_in(contact_file.read_text(encoding="utf-8"), str(contact_file))
    if contact:
        from local.messages.known_viewer import viewer_of  # noqa: PLC0415 - boto3 is for the running system alone

        return viewer_of(contact, place.trigger(), background.access())
    return NOBODY_IN_PARTICULAR
