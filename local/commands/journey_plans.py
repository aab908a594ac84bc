"""``waypost journey tables`` and ``gallery``: what is planned of journeys, for people. Added to the commands of ``waypost``."""

from pathlib import Path
from typing import Annotated

import typer

from local.commands.tables import console_for
from local.problems import LocalError
from local.project.current_project import current_project

app = typer.Typer()

Language = Annotated[str, typer.Option(help="The language of headings and words: zh-CN or en.")]


@app.command()
def tables(
    journey: Annotated[
        str, typer.Argument(help="The folder of the journey under statemachines/journeys/; all of them by default.")
    ] = "",
    csv: Annotated[
        Path | None, typer.Option(help="The folder to write the two tables to, as CSV that spreadsheets open as it is.")
    ] = None,
    page: Annotated[
        bool, typer.Option("--page", help="Write a page of each journey with its facts, picture, tables and messages.")
    ] = False,
    language: Language = "zh-CN",
) -> None:
    """The planning tables of a journey: 流程配置表 (each step) and 触发条件与动作配置表 (each condition and what follows)."""

    from local.project.journey_plans import read_journeys, write_pages, write_tables  # noqa: PLC0415 - the language of journeys takes a second to load

    if csv is None and not page:
        raise LocalError(
            "neither --csv nor --page is given", "name a folder for the tables, --csv plans, or write a page"
        )
    journeys, console = read_journeys(journey), console_for()
    if csv is not None:
        for path in write_tables(journeys, csv, language):
            console.print(str(path), highlight=False, soft_wrap=True)
    if page:
        for path in write_pages(journeys, current_project().out / "pages", language):
            console.print(f"Open {path} in a browser.", highlight=False, soft_wrap=True)


@app.command()
def gallery(
    to: Annotated[
        Path, typer.Option(help="The folder to write to; pages of journeys that are gone are deleted there.")
    ] = Path("docs/journeys"),
) -> None:
    """Write the gallery: an index and a page with picture of every journey, in Chinese and English, as Markdown and SVG."""

    from local.project.journey_plans import read_journeys, write_gallery  # noqa: PLC0415 - the same

    changed = write_gallery(read_journeys(), to)
    console_for().print(f"{to}: {changed} files changed", highlight=False)
