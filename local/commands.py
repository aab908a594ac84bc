"""The commands of ``waypost``. Run by ``local.cli``, which also says what went wrong."""

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from local import persona_commands, project_commands, running
from local.on_demand import on_demand
from local.places import choose_content, current_project
from local.problems import LocalError
from local.story import VirtualTimeBar, console_for, decisions_table, timeline_table, told_table

if TYPE_CHECKING:
    from local.scenario_result import Told

EXPECTATION_FAILED = 1

app = typer.Typer(
    name="waypost",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON, for machines.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Forget all contacts, journeys and messages of the last time.")]

_GROUPS = {
    "contacts": (
        "Contacts: take a file of them in, write them into a file.",
        on_demand("file_commands", "merge_commands", "rebuild_commands"),
    ),
    "destinations": ("Other systems that are told what happens.", on_demand("destination_commands")),
    "segment": (
        "Saved segments: check a file, count who is in it, ask why somebody is or is not.",
        on_demand("segment_commands", "audience_commands"),
    ),
}
for _name, (_help, _group) in _GROUPS.items():
    app.add_typer(typer.Typer(cls=_group, help=_help, no_args_is_help=True), name=_name)
app.add_typer(persona_commands.app)
app.add_typer(project_commands.app)


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


@app.command()
def demo(as_json: AsJson = False) -> None:
    """Watch sample contacts live through the new-user journey: seven days in seconds."""

    from local import demo as demos  # noqa: PLC0415 - it has a cloud of its own
    from local.cloud import default_zone  # noqa: PLC0415 - the same

    console = console_for(machine=as_json)
    sample = demos.read_sample()
    console.print(f"[bold]{len(sample.scenarios)} people sign up.[/bold] {sample.description.strip()}\n")
    zone = default_zone(current_project())
    bar = VirtualTimeBar(console, start=sample.start, end=sample.start + demos.LENGTH, zone=zone)
    with bar.progress:
        played = demos.run_demo(sample, step=_step(console), arrived=bar.arrived)
        bar.finish()
    if as_json:
        _print_json([told.to_dict() for told in played.told])
        return
    for told in played.told:
        console.print("", told_table(told))
    console.print("", decisions_table(played.decisions), "")
    for note in played.notes:
        console.print(f"note: {note}")
    _show_where_to_look_next(console, played.folder, messages=len(played.messages), decisions=len(played.decisions))


@app.command()
def rehearse(
    journey: Annotated[
        str, typer.Argument(help="The folder of the journey under statemachines/journeys/; all of them by default.")
    ] = "",
    scenario: Annotated[str, typer.Option(help="Rehearse only the scenario of this name.")] = "",
    as_json: AsJson = False,
) -> None:
    """Rehearse scenarios.yaml of a journey, or of all, in virtual time and compare what follows with what is expected."""

    from local import rehearsing  # noqa: PLC0415 - it has a cloud of its own

    if scenario and not journey:
        raise LocalError("--scenario names one of a journey's scenarios", "name the journey too")
    console = console_for(machine=as_json)
    files = (
        {journey: rehearsing.read_journey_scenarios(journey, only=scenario)}
        if journey
        else rehearsing.read_all_scenarios()
    )
    results = rehearsing.rehearse(files, console=console)
    compared = [result for each in results.values() for result in each]
    if as_json:
        _print_json([{"journey": name, **result.to_dict()} for name, each in results.items() for result in each])
    else:
        _show_rehearsed(console, compared)
    if not all(result.as_expected for result in compared):
        raise typer.Exit(EXPECTATION_FAILED)


@app.command()
def up(fresh: Fresh = False, as_json: AsJson = False) -> None:
    """Start the embedded cloud and keep it running; out/local.json then says how to reach it."""

    console = console_for(machine=as_json)
    already = running.is_running()
    found = running.start(fresh=fresh, step=_step(console))
    if as_json:
        _print_json(found)
        return
    console.print("[bold]It is running already.[/bold]" if already else "[bold]It is running.[/bold]")
    _show_access(console, found)


@app.command()
def down(fresh: Fresh = False, as_json: AsJson = False) -> None:
    """Stop the embedded cloud. Contacts and journeys are kept for the next start."""

    ran = running.stop(fresh=fresh)
    if as_json:
        _print_json({"stopped": ran})
        return
    kept = "everything is forgotten" if fresh else "waypost up goes on where it was"
    console_for().print(f"Stopped; {kept}." if ran else f"Nothing was running; {kept}.")


@app.command()
def status(as_json: AsJson = False) -> None:
    """Say whether the embedded cloud runs, what time it is there and what comes next."""

    found = running.access()
    state = running.control("GET", "/status")
    if as_json:
        _print_json({**found, **state})
        return
    console = console_for()
    _show_access(console, found)
    table = Table("when (UTC)", "what comes next", title=f"It is {state['now']} there", title_justify="left")
    for due in sorted(state["schedules"], key=lambda each: str(each["due"]))[:10]:
        table.add_row(due["due"], due["name"])
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
    as_json: AsJson = False,
) -> None:
    """Send an event to the running system, as an app or a shop would."""

    from local.tracking import Tracking  # noqa: PLC0415 - a client of the webhooks, for this command alone
    from waypost.clock import parse_instant  # noqa: PLC0415 - the same

    found = running.access()
    now = parse_instant(running.control("GET", "/status")["now"])
    tracking = Tracking(found["api_url"], found["write_key"], found["webhook_sources"])
    answers = []
    if traits:
        answers.append(tracking.identify(user_id, _pairs(traits, "--trait"), at=now))
    answers.append(tracking.track(user_id, event, _pairs(properties or [], "--property"), at=now))
    for answer in answers:
        if answer.status >= 300:
            raise LocalError(
                f"refused with {answer.status}: {answer.body.decode(errors='replace')}", "correct the event"
            )
    if as_json:
        _print_json({"status": answers[-1].status, "answer": answers[-1].json()})
        return
    console_for().print(f"Accepted. [dim]waypost timeline {user_id}[/dim] shows what follows.")


@app.command()
def timeline(
    contact: Annotated[str, typer.Argument(help="A user id, an e-mail address, a phone number or a contact id.")],
    as_json: AsJson = False,
) -> None:
    """Show what happened to a contact of the running system, and why."""

    from local.inspecting import timeline_of  # noqa: PLC0415 - boto3 is for the commands that read tables

    contact_id, entries = timeline_of(contact, running.access())
    if as_json:
        _print_json([entry.to_dict() for entry in entries])
        return
    console_for().print(timeline_table(entries, title=f"{contact} ({contact_id})"))


@app.command()
def travel(
    when: Annotated[
        str, typer.Argument(help="How far (90m, 36h, 7d, 2w) or to which instant (2031-03-05T10:00:00+08:00).")
    ],
    as_json: AsJson = False,
) -> None:
    """Let time pass in the running system: everything that is due on the way happens at its time."""

    from local.time_travel import duration  # noqa: PLC0415 - what moves the clock, for this command alone

    try:
        duration(when)
        request = {"by": when}
    except ValueError:
        request = {"to": _instant(when)}
    answer = running.control("POST", "/travel", request, timeout=600)
    if as_json:
        _print_json(answer)
        return
    console_for().print(f"It is {answer['now']} there now; {answer['fired']} schedules fired on the way.")


def _step(console: Console) -> Any:
    return lambda text: console.print(f"[dim]·[/dim] {text}")


def _print_json(content: Any) -> None:
    sys.stdout.write(json.dumps(content, ensure_ascii=False, indent=2) + "\n")


def _show_access(console: Console, found: dict[str, Any]) -> None:
    table = Table(show_header=False, box=None)
    table.add_row("webhooks", f"{found['api_url']}/v1/…")
    table.add_row("write key", found["write_key"])
    for source, secret in found["webhook_sources"].items():
        table.add_row(f"secret of {source}", secret)
    table.add_row("AWS endpoint", f"{found['endpoint_url']} ({found['region']}, any credentials)")
    table.add_row("what goes out", found["messages"])
    table.add_row("all of it", "out/local.json")
    console.print(table)
    for note in found.get("notes", []):
        console.print(f"note: {note}")


def _show_rehearsed(console: Console, told: "list[Told]") -> None:

    for each in told:
        console.print("", told_table(each))
        mark = "[green]as expected[/green]" if each.as_expected else "[red]not as expected[/red]"
        console.print(f"{mark}: {each.scenario.name}")
        for difference in each.differences:
            console.print(f"  [red]{difference}[/red]", markup=True, highlight=False)
    wrong = sum(not each.as_expected for each in told)
    console.print(f"\n[bold]{len(told)} scenarios, {wrong} not as expected[/bold]")


def _show_where_to_look_next(console: Console, results: Path, *, messages: int, decisions: int) -> None:
    shown = results.relative_to(Path.cwd()) if results.is_relative_to(Path.cwd()) else results
    console.print(
        f"[bold]Where to look next[/bold]\n  {shown}/messages/        {messages} files: open a mail in the browser"
    )
    console.print(f"  {shown}/decisions.jsonl  {decisions} decisions, one JSON object each")
    console.print("  examples/new-user-nurture.yaml                     the people; change one and run it again")
    console.print("  statemachines/journeys/new-user-nurture/           the journey they went through")
    console.print("  make up, then .venv/bin/waypost --help             the same system, kept running for any client")


def _pairs(texts: list[str], option: str) -> dict[str, Any]:
    """``NAME=VALUE`` texts as a mapping; a value that reads as JSON is taken as JSON."""
    found = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not (name and separator):
            raise LocalError(f"{option} {text!r} is not NAME=VALUE", "for example -p coupon=WELCOME10")
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found


def _instant(text: str) -> str:
    try:
        if datetime.fromisoformat(text).tzinfo is not None:
            return text
    except ValueError:
        pass
    raise LocalError(f"{text!r} is neither a duration nor an instant", "write 7d, or 2031-03-05T10:00:00+08:00")
