"""``waypost journey reviews`` and ``review``: journeys that their owners should look at again. Added to the commands of ``waypost``."""

from datetime import date
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from local.commands.output import EXPECTATION_FAILED, AsJson, print_json
from local.commands.tables import console_for
from local.problems import LocalError
from local.project.current_project import current_project
from waypost.clock import clock

app = typer.Typer()


@app.command()
def reviews(as_json: AsJson = False) -> None:
    """List when each journey is due for a review by its owner. Exit status 1 when one is due, or was never reviewed."""

    from local.project.journey_reviews import reviews as all_reviews  # noqa: PLC0415 - the language of journeys takes a second to load

    found = all_reviews(current_project(), clock()().date())
    if as_json:
        print_json([each.to_dict() for each in found])
    else:
        table = Table("journey", "owner", "reviewed", "due")
        for each in found:
            due = Text("now" if each.is_due else str(each.due), "red" if each.is_due else "green")
            table.add_row(each.journey, each.owner, str(each.reviewed or "never"), due)
        console_for().print(table)
    if any(each.is_due for each in found):
        raise typer.Exit(EXPECTATION_FAILED)


@app.command()
def review(
    journey: Annotated[str, typer.Argument(help="The folder of the journey under statemachines/journeys/.")],
    on: Annotated[str, typer.Option(help="The day of the review, such as 2031-03-03; today if left out.")] = "",
) -> None:
    """Write down that its owner has gone through a journey: the day in its journey.yaml."""

    from local.project.journey_reviews import record_review  # noqa: PLC0415 - the same

    today = clock()().date()
    try:
        day = date.fromisoformat(on) if on else today
    except ValueError:
        raise LocalError(f"--on {on} is no day", "write it as 2031-03-03") from None
    if day > today:
        raise LocalError(f"--on {on} is to come", "a review is written down when it was made")
    record_review(current_project(), journey, day)
    console_for().print(f"{journey} was reviewed on {day}; commit its journey.yaml")
