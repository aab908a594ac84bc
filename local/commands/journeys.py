"""``waypost journey``: the journeys of the project. Added to the commands of ``waypost``."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from local.commands.output import AsJson, print_json
from local.commands.tables import console_for
from local.journeys.stage import operator
from local.problems import LocalError
from local.running import background
from local.running.contact_lookup import contact_id_of
from local.running.operation_runs import run_operation

app = typer.Typer()

STOP_OPERATION = "stop-journey"


@app.command()
def draw(
    journey: Annotated[
        str, typer.Argument(help="The folder of the journey under statemachines/journeys/, or the path of another.")
    ],
    svg: Annotated[bool, typer.Option("--svg", help="As a picture, the default.")] = False,
    mermaid: Annotated[bool, typer.Option("--mermaid", help="As a Mermaid flowchart.")] = False,
    narrow: Annotated[bool, typer.Option("--narrow", help="As wide as a phone.")] = False,
    language: Annotated[str, typer.Option(help="The language of what is not a name: en or zh-CN.")] = "en",
    output: Annotated[Path | None, typer.Option("-o", "--output", help="The file to write.")] = None,
) -> None:
    """Draw a journey as its author wrote it: its steps, and the ways between them."""

    from local.project.journey_files import drawn_journey  # noqa: PLC0415 - reading YAML and drawing are for this command
    from waypost.pages.graph_drawing import NARROW, WIDE  # noqa: PLC0415 - the same
    from waypost.pages.texts import LANGUAGES, texts  # noqa: PLC0415 - the same
    from waypost.reports.journey_page import drawing  # noqa: PLC0415 - the same
    from waypost.reports.mermaid import mermaid as flowchart  # noqa: PLC0415 - the same

    if svg and mermaid:
        raise LocalError("--svg and --mermaid exclude each other", "choose one")
    if language not in LANGUAGES:
        raise LocalError(f"there is no language {language!r}", f"languages: {', '.join(LANGUAGES)}")
    graph, words = drawn_journey(journey), texts(language)
    drawn = flowchart(graph, words) if mermaid else drawing(graph, words, NARROW if narrow else WIDE)
    if output is None:
        sys.stdout.write(drawn)
    else:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(drawn, encoding="utf-8")


@app.command("stop-contact")
def stop_contact(
    contact: Annotated[str, typer.Argument(help="A contact id, or any identity: a user id, an e-mail address, …")],
    journey: Annotated[str, typer.Argument(help="The journey's name.")],
    reason: Annotated[str, typer.Option(help="Why; it stands on the contact's timeline, with who asked for it.")],
    as_json: AsJson = False,
) -> None:
    """End the journey of one contact of the running system, where it stands; on AWS start the operation stop-journey."""

    access = background.access()
    who = {"contact_id": contact_id_of(contact, access)}
    request = {"action": "stop", "contact": who, "journey": journey, "by": operator(), "reason": reason}
    found = run_operation(access, STOP_OPERATION, request)
    if as_json:
        print_json(found)
        return
    for each in found["journeys"]:
        console_for().print(f"{each['journey']} stopped at {each['at'] or 'its start'} ({each['enrolment_id']})")
