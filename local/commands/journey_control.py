"""``waypost journey try``, ``pause``, ``drain``, ``resume`` and ``stop``: what the console does with a whole journey. Added to the commands of ``waypost``."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from local.commands.output import AsJson, print_json
from local.commands.tables import console_for
from local.journeys.chosen_stage import StageName, chosen_stage
from local.running import background
from local.running.contact_lookup import contact_id_of
from local.running.operation_runs import OperationRun, start_operation

app = typer.Typer()

CONTROL: Final = "journey-control"
START: Final = "start-journey"

Journey = Annotated[str, typer.Argument(help="The name of a deployed journey.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept with who asked for it.")]


@app.command("try")
def try_out(
    journey: Journey,
    contact: Annotated[str, typer.Argument(help="A test contact: a user id; on this machine any identity.")],
    reason: Reason = "tries the journey",
    pace: Annotated[
        int, typer.Option(min=1, max=10_080, help="How many times faster; 1440 lives a day in a minute.")
    ] = 1_440,
    stage: StageName = "",
    as_json: AsJson = False,
) -> None:
    """Have a test contact live a deployed journey in minutes; waypost contacts mark-test makes one."""

    who = {"user_id": contact} if stage else {"contact_id": contact_id_of(contact, background.access())}
    request = {"journey": journey, "contact": who, "test": {"pace": pace}}
    output = _started(START, request, reason=reason, stage=stage).finished()
    if as_json:
        print_json(output)
        return
    console_for().print(f"{contact} lives {journey} {pace:,} times faster than the clock: waypost timeline {contact}")


@app.command()
def pause(journey: Journey, reason: Reason, stage: StageName = "", as_json: AsJson = False) -> None:
    """Hold a journey: nobody enters or goes on, and none of its messages goes out, until it is resumed."""

    _hold("pause", journey, reason=reason, stage=stage, as_json=as_json)


@app.command()
def drain(journey: Journey, reason: Reason, stage: StageName = "", as_json: AsJson = False) -> None:
    """Let nobody enter a journey any more, while those who are in it go on to its end."""

    _hold("drain", journey, reason=reason, stage=stage, as_json=as_json)


@app.command()
def resume(journey: Journey, reason: Reason, stage: StageName = "", as_json: AsJson = False) -> None:
    """Let a journey that is paused or draining go on; those who came due meanwhile follow within minutes."""

    run = _started(CONTROL, {"action": "resume", "journey": journey}, reason=reason, stage=stage)
    run.refused_at_once()
    _say(run, f"{journey} goes on; a minute later those who came due meanwhile are let go on", as_json=as_json)


@app.command()
def stop(
    journey: Journey,
    reason: Reason,
    approver: Annotated[str, typer.Option(help="The member of staff who has to approve it: another than you.")],
    stage: StageName = "",
    as_json: AsJson = False,
) -> None:
    """End the passage of everybody who is in a journey, once a second person has approved. waypost journey undo takes it back."""

    request = {"action": "stop", "journey": journey, "approver": approver}
    run = _started(CONTROL, request, reason=reason, stage=stage)
    run.refused_at_once()
    _say(run, f"{approver} is asked to approve that {journey} is stopped; nothing has changed yet", as_json=as_json)


def _hold(action: str, journey: str, *, reason: str, stage: str, as_json: bool) -> None:
    output = _started(CONTROL, {"action": action, "journey": journey}, reason=reason, stage=stage).finished()
    if as_json:
        print_json(output)
        return
    console_for().print(f"{journey} is {output['state']}, within a minute everywhere")


def _started(operation: str, request: Mapping[str, Any], *, reason: str, stage: str) -> OperationRun:
    there = chosen_stage(stage)
    given = {**request, "by": there.by, "reason": reason}
    return start_operation(there.clients("stepfunctions"), there.outputs, operation, given)


def _say(run: OperationRun, text: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"execution": run.execution})
    else:
        console_for().print(f"{text} ({run.execution.rpartition(':')[2]}).")
