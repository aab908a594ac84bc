"""``waypost why``: the decisions on a message. Added to the commands of ``waypost``."""

from typing import Annotated

import typer

from local.commands.output import AsJson, print_json
from local.commands.tables import console_for
from local.problems import LocalError
from local.running import background

app = typer.Typer()


@app.command()
def why(
    message_key: Annotated[str, typer.Argument(help="The key of a message, as logs and reports name it.")] = "",
    contact: Annotated[str, typer.Option(help="A contact id, or any identity: a user id, an e-mail address, …")] = "",
    journey: Annotated[str, typer.Option(help="Only the messages of this journey.")] = "",
    message: Annotated[str, typer.Option(help="Only this message, by its name or the name of its step.")] = "",
    page: Annotated[bool, typer.Option("--page", help="Write it as a page.")] = False,
    language: Annotated[str, typer.Option(help="The language that the page shows first: en or zh-CN.")] = "en",
    as_json: AsJson = False,
) -> None:
    """Explain why a message was sent, waits or was not sent: what each guard saw, and the way out.

    Name the message by its key, or by its contact with a journey and a message. On AWS start the operation explain-contact.
    """

    from local.running.explaining import explanation_of, write_explanation_page  # noqa: PLC0415 - boto3 is for this alone
    from waypost.clock import parse_instant  # noqa: PLC0415 - the same
    from waypost.pages.texts import LANGUAGES  # noqa: PLC0415 - the same
    from waypost.reports.explanation_page import explanation_text  # noqa: PLC0415 - the same

    if not message_key and not contact:
        raise LocalError("no message is named", "give its key, or --contact with --journey and --message")
    if language not in LANGUAGES:
        raise LocalError(f"there is no language {language!r}", f"languages: {', '.join(LANGUAGES)}")
    found = explanation_of(
        background.access(), message_key=message_key, contact=contact, journey=journey, message=message
    )
    if as_json:
        print_json(found.to_dict())
    elif page:
        now = parse_instant(background.control("GET", "/status")["now"])
        console_for().print(f"Open {write_explanation_page(found, now=now, language=language)} in a browser.")
    else:
        for line in explanation_text(found):
            console_for().print(line, markup=False, highlight=False, soft_wrap=True)
