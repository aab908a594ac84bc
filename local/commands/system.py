"""``waypost up`` and what is asked of the system that it keeps running. Added to the commands of ``waypost``."""

from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from local.commands.output import AsJson, print_json, step_on
from local.commands.tables import TravelBar, actions_table, console_for, timeline_table
from local.problems import LocalError
from local.running import background

app = typer.Typer()

Fresh = Annotated[bool, typer.Option("--fresh", help="Forget all contacts, journeys and messages of the last time.")]


@app.command()
def up(fresh: Fresh = False, as_json: AsJson = False) -> None:
    """Start the embedded cloud and keep it running; out/local.json then says how to reach it."""

    console = console_for(machine=as_json)
    already = background.is_running()
    found = background.start(fresh=fresh, step=step_on(console))
    if as_json:
        print_json(found)
        return
    console.print("[bold]It is running already.[/bold]" if already else "[bold]It is running.[/bold]")
    _show_access(console, found)


@app.command()
def down(fresh: Fresh = False, as_json: AsJson = False) -> None:
    """Stop the embedded cloud. Contacts and journeys are kept for the next start."""

    ran = background.stop(fresh=fresh)
    if as_json:
        print_json({"stopped": ran})
        return
    kept = "everything is forgotten" if fresh else "waypost up goes on where it was"
    console_for().print(f"Stopped; {kept}." if ran else f"Nothing was running; {kept}.")


@app.command()
def status(as_json: AsJson = False) -> None:
    """Say whether the embedded cloud runs, what time it is there and what comes next."""

    found = background.access()
    state = background.control("GET", "/status")
    if as_json:
        print_json({**found, **state})
        return
    console = console_for()
    _show_access(console, found)
    table = Table("when (UTC)", "what comes next", title=f"It is {state['now']} there", title_justify="left")
    for schedule in sorted(state["schedules"], key=lambda each: str(each["due"]))[:10]:
        table.add_row(schedule["due"], schedule["name"])
    console.print(table)


@app.command("send-event")
def send_event(
    user_id: Annotated[str, typer.Argument(help="Whose event it is.")],
    event: Annotated[str, typer.Argument(help="What happened, for example registered or order_placed.")],
    properties: Annotated[
        list[str] | None,
        typer.Option("--property", "-p", metavar="NAME=VALUE", help="A property of the event; may be repeated."),
    ] = None,
    traits: Annotated[
        list[str] | None,
        typer.Option(
            "--trait", "-t", metavar="NAME=VALUE", help="Something to know of the contact first, e.g. email=…"
        ),
    ] = None,
    tags: Annotated[
        list[str] | None,
        typer.Option("--tag", metavar="NAME", help="A tag that the contact gets first; may be repeated."),
    ] = None,
    consents: Annotated[
        list[str] | None,
        typer.Option(
            "--consent",
            metavar="CHANNEL[=false]",
            help="What the contact agrees to first: email, sms; =false withdraws. May be repeated.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Send an event to the running system, as an app or a shop would.

    A dotted name goes into a mapping (-p booking.starts_at=…), a value that reads as JSON is JSON. Consent to a topic is an event:
    send-event lin consent_granted -p channel=email -p topic=offers.
    """

    from local.running import event_sending  # noqa: PLC0415 - a client of the webhooks, for this command alone
    from local.running.tracking import Tracking  # noqa: PLC0415 - the same
    from waypost.clock import parse_instant  # noqa: PLC0415 - the same

    known = event_sending.traits_of(traits=traits or [], tags=tags or [], consents=consents or [])
    content = event_sending.values_of(properties or [], "--property")
    found = background.access()
    now = parse_instant(background.control("GET", "/status")["now"])
    tracking = Tracking(found["api_url"], found["server_key"], found["webhook_sources"])
    sent = event_sending.send_event(tracking, user_id, event, properties=content, traits=known, at=now)
    if as_json:
        print_json(sent.to_dict())
        return
    console = console_for()
    for each in sent.warnings:
        console.print(f"[yellow]left out[/yellow] {escape(each)}")
    console.print(
        f"{sent.outcome.value.capitalize()}. [dim]waypost timeline {escape(user_id)}[/dim] shows what follows."
    )


@app.command()
def act(
    channel: Annotated[str, typer.Argument(help="The channel: wecom, wechat; all of them when left out.")] = "",
    action: Annotated[str, typer.Argument(help="What somebody does there; left out: what they can do.")] = "",
    values: Annotated[
        list[str] | None,
        typer.Option("--value", "-v", metavar="NAME=VALUE", help="A value of the action; may be repeated."),
    ] = None,
    times: Annotated[int, typer.Option(min=1, help="How often the callback is posted, as for one not answered.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Do what a person does in WeChat, WeCom and the like; the provider's fake then posts its callback to the running system.

    It is signed and encrypted as the provider's own. Without an action, show what can be done.
    """

    if not action:
        known = background.control("GET", "/actions")
        shown = {name: actions for name, actions in known.items() if channel in {"", name}}
        if as_json:
            print_json(shown)
        else:
            console_for().print(actions_table(shown))
        return
    from local.running.event_sending import texts_of  # noqa: PLC0415 - a client of the webhooks, for this command alone

    request = {"channel": channel, "action": action, "values": texts_of(values or [], "--value"), "times": times}
    answers = background.control("POST", "/actions", request)
    if as_json:
        print_json(answers)
        return
    for each in answers:
        console_for().print(f"Posted; answered {each['status']} {escape(each['body'])}")
    if not answers:
        console_for().print("Done; the provider posts nothing about it.")


@app.command()
def timeline(
    contact: Annotated[str, typer.Argument(help="A user id, an e-mail address, a phone number or a contact id.")],
    page: Annotated[
        bool, typer.Option("--page", help="Write a page with the contact's way through its journeys.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what happened to a contact of the running system, and why. What is over its time is in the archive (docs/events.md)."""

    from local.running.contact_lookup import timeline_of  # noqa: PLC0415 - boto3 is for the commands that read tables

    if page:
        _write_contact_page(contact)
        return
    contact_id, entries = timeline_of(contact, background.access())
    if as_json:
        print_json([entry.to_dict() for entry in entries])
        return
    console_for().print(timeline_table(entries, title=f"{contact} ({contact_id})"))


def _write_contact_page(contact: str) -> None:
    from local.running.contact_pages import write_contact_page  # noqa: PLC0415 - boto3 and pages are for this alone
    from waypost.clock import parse_instant  # noqa: PLC0415 - the same

    now = parse_instant(background.control("GET", "/status")["now"])
    console_for().print(f"Open {write_contact_page(contact, background.access(), now=now)} in a browser.")


@app.command()
def travel(
    when: Annotated[
        str, typer.Argument(help="How far (90m, 36h, 7d, 2w) or to which instant (2031-03-05T10:00:00+08:00).")
    ],
    as_json: AsJson = False,
) -> None:
    """Let time pass in the running system: everything that is due on the way happens at its time.

    It waits while work advances; on a terminal it shows the virtual time, what is worked off and how much of it is left.
    """

    from local.cloud.time_travel import duration  # noqa: PLC0415 - what moves the clock, for this command alone
    from local.running.travelling import travel as let_time_pass  # noqa: PLC0415 - the same

    try:
        duration(when)
        request = {"by": when}
    except ValueError:
        request = {"to": _instant(when)}
    bar = TravelBar()
    with bar.progress:
        answer = let_time_pass(request, progress=bar.show)
    if as_json:
        print_json(answer)
        return
    console_for().print(f"It is {answer['now']} there now; {answer['fired']} schedules fired on the way.")


def _show_access(console: Console, found: dict[str, Any]) -> None:
    table = Table(show_header=False, box=None)
    table.add_row("webhooks", f"{found['api_url']}/v1/…")
    table.add_row("write key (pages)", found["write_key"])
    table.add_row("server key", found["server_key"])
    for source, secret in found["webhook_sources"].items():
        table.add_row(f"secret of {source}", secret)
    table.add_row("AWS endpoint", f"{found['endpoint_url']} ({found['region']}, any credentials)")
    table.add_row("what goes out", found["messages"])
    table.add_row("all of it", "out/local.json")
    console.print(table)
    for note in found.get("notes", []):
        console.print(f"note: {note}")


def _instant(text: str) -> str:
    try:
        if datetime.fromisoformat(text).tzinfo is not None:
            return text
    except ValueError:
        pass
    raise LocalError(f"{text!r} is neither a duration nor an instant", "write 7d, or 2031-03-05T10:00:00+08:00")
