"""``waypost journey plan``, ``apply``, ``undo``: what a change of a journey does with the contacts in it. Added to the commands of ``waypost``."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from local.commands.output import EXPECTATION_FAILED, AsJson, print_json
from local.commands.tables import console_for
from local.journeys import journey_changes
from local.journeys.chosen_stage import StageName, chosen_stage
from local.journeys.stage import Stage, kept_by, stage_on_aws
from local.project.current_project import current_project
from local.running import background
from waypost.clock import format_instant

if TYPE_CHECKING:
    from waypost.journeys.changes.change import Change

app = typer.Typer()

LOOK_AGAIN_SECONDS = 20.0


@app.command()
def plan(stage: StageName = "", as_json: AsJson = False) -> None:
    """Show what a deployment of this project does with the contacts in its journeys. Exit status 1 when it is refused."""

    console = console_for(machine=as_json)
    found = journey_changes.plan(current_project(), chosen_stage(stage), _progress(console))
    if as_json:
        print_json({"journeys": [each.to_dict() for each in found.journeys], "refusals": found.refusals})
    else:
        show_plan(console, found)
    if found.refusals:
        raise typer.Exit(EXPECTATION_FAILED)


@app.command()
def apply(stage: StageName = "", as_json: AsJson = False) -> None:
    """Go on with changes that a deployment has begun: it died, or hops walked while it looked."""

    console, there = console_for(machine=as_json), chosen_stage(stage)
    _applied(console, there, journey_changes.unfinished(there), wait=waiting(stage), as_json=as_json)


@app.command()
def changes(stage: StageName = "", as_json: AsJson = False) -> None:
    """List the changes of the last 60 days: who, when, how many contacts."""

    found = chosen_stage(stage).changes.recent()
    if as_json:
        print_json([each.to_dict() for each in found])
        return
    show_changes(console_for(), found)


@app.command()
def undo(
    change: Annotated[str, typer.Argument(help="The id of the change, as waypost journey changes shows it.")],
    stage: StageName = "",
    as_json: AsJson = False,
) -> None:
    """Put the contacts of a change back where they stood. Who has walked on in the new version stays there."""

    console = console_for(machine=as_json)
    done = journey_changes.undo(change, chosen_stage(stage), _progress(console))
    if as_json:
        print_json(done.to_dict())
        return
    console.print(f"[bold]{done.id}[/bold]: " + (_counted(done.undone) or "nobody was taken by it"))


@app.command()
def tidy(stage: StageName = "", as_json: AsJson = False) -> None:
    """Delete the machines of former versions that nobody stands in and no change of the last 60 days needs."""

    console = console_for(machine=as_json)
    gone = journey_changes.tidy(current_project(), chosen_stage(stage), _progress(console))
    if as_json:
        print_json(gone)
        return
    console.print("\n".join(["Deleted:", *gone]) if gone else "Every version is needed.")


def deploy(run: Callable[..., int], *, protects: bool, stage: str, profile: str, region: str) -> int:
    """Plan, deploy by ``run``, which takes further arguments, then take the contacts along; the exit status.

    ``protects``: production is first made without its protection against deletion, which is added once it stands. AWS could
    not roll a protected stack back that fails at its creation, and the next deployment would find it in its way.
    """
    console, there = console_for(), stage_on_aws(stage, kept=kept_by(current_project()), profile=profile, region=region)
    if there is None and protects and stage == "prod":
        return run("-c", "protected=no") or run()
    if there is None:
        return run()
    found = journey_changes.plan(current_project(), there, _progress(console))
    show_plan(console, found)
    if found.refusals:
        return EXPECTATION_FAILED
    journey_changes.record(found.changes, there)
    status = run()
    if status == 0 and found.changes:
        _applied(console, there, found.changes, wait=lambda: time.sleep(LOOK_AGAIN_SECONDS), as_json=False)
    return status


def waiting(stage: str) -> Callable[[], None]:
    """What lets hops come to their Pauses: on this machine the cloud settles, on AWS some seconds pass."""
    if stage:
        return lambda: time.sleep(LOOK_AGAIN_SECONDS)

    def settle() -> None:
        background.control("POST", "/settle", {"within": 60}, timeout=90)

    return settle


def _applied(
    console: Console, stage: Stage, decided: "Sequence[Change]", *, wait: Callable[[], None], as_json: bool
) -> None:
    """Apply changes and show what became of the contacts; exit status 1 when somebody is left."""
    done, later = journey_changes.apply(decided, stage, progress=_progress(console), wait=wait)
    if as_json:
        print_json({"done": [each.to_dict() for each in done], "not_deployed": [each.id for each in later]})
    else:
        show_changes(console, done)
        for each in later:
            console.print(f"{each.id} waits: its version is not deployed yet.")
    if any(each.is_open for each in done):
        console.print("Some hops walk still; run: waypost journey apply")
        raise typer.Exit(EXPECTATION_FAILED)


def show_plan(console: Console, found: journey_changes.ChangePlan) -> None:
    """What happens to whom, by journey and Pause."""
    for journey in found.journeys:
        versions = f"{journey.now or 'new'} → {journey.to_version or 'removed'}"
        title = f"{journey.journey} ({versions}): {journey.waiting:,} contacts in former versions"
        if not journey.versions:
            console.print(f"[bold]{journey.journey}[/bold] ({versions}): nobody is in a former version")
            continue
        table = Table("version", "waits at", "contacts", "what happens", title=title, title_justify="left")
        for version in journey.versions:
            for state in version.states:
                to = f" to {state.to}" if state.to else f": {state.reason}" if state.reason else ""
                table.add_row(version.version, state.state, f"{state.waiting:,}", state.act + to)
            if version.walking:
                table.add_row(version.version, "(on its way)", f"{version.walking:,}", "looked at when it waits")
        console.print(table)
    if not found.journeys:
        console.print("Nothing happens to any contact.")
    for reason in found.refusals:
        console.print(f"[red]refused:[/red] {reason}", highlight=False)


def show_changes(console: Console, found: "Sequence[Change]") -> None:
    """Records of changes."""
    table = Table("change", "when (UTC)", "who", "contacts", "state")
    for each in found:
        counts = [f"{state}: {_counted(effects)}" for of in each.counts.values() for state, effects in of.items()]
        state = "undone" if each.undone_at else "done" if each.finished_at else "begun"
        table.add_row(each.id, format_instant(each.decided_at), each.by, "\n".join(counts), state)
    console.print(table)


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {effect}" for effect, count in counts.items())


def _progress(console: Console) -> Callable[[int], None]:
    """Print how many contacts were looked at, now and then."""
    step = 10_000

    def show(seen: int) -> None:
        if seen and seen % step < 100:
            console.print(f"[dim]· {seen:,} contacts looked at[/dim]")

    return show
