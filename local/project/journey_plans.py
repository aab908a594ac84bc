"""Writes the planning tables, the pages and the gallery of the journeys of the project. Called by ``waypost journey``."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from local.problems import LocalError
from local.project.current_project import current_project
from local.project.journey_files import read_journey
from waypost.authoring.discovery import JourneyFolder, discover
from waypost.authoring.journey_gallery import gallery
from waypost.authoring.journey_sheet import sheet_page
from waypost.authoring.planning_tables import condition_table, flow_table
from waypost.authoring.problems import InvalidJourney
from waypost.pages.texts import LANGUAGES, Texts, texts

_EXCEL: Final = "utf-8-sig"
"""UTF-8 with the mark that Excel needs to read Chinese."""
_GENERATED: Final = (".md", ".svg")


def read_journeys(journey: str = "") -> Sequence[JourneyFolder]:
    """The journey of this name, or all of the project. Raises LocalError with what is wrong."""
    if journey:
        return [read_journey(journey)]
    project = current_project()
    try:
        found = discover(
            project.statemachines,
            functions=project.product / "functions",
            shipped_operations=project.product / "statemachines" / "operations",
        ).journeys
    except InvalidJourney as wrong:
        raise LocalError(str(wrong), "waypost journey check shows it by journey") from wrong
    if not found:
        raise LocalError("there is no journey yet", "docs/authoring.md says how to write one")
    return found


def write_tables(journeys: Sequence[JourneyFolder], folder: Path, language: str) -> Iterator[Path]:
    """Write both tables as CSV, and give their paths. Raises LocalError for an unknown language."""
    words = _words(language)
    folder.mkdir(parents=True, exist_ok=True)
    for table in (flow_table(journeys, words), condition_table(journeys, words)):
        path = folder / f"{table.name}.{language}.csv"
        with path.open("w", encoding=_EXCEL, newline="") as file:
            csv.writer(file).writerows([table.columns, *table.rows])
        yield path


def write_pages(journeys: Sequence[JourneyFolder], folder: Path, language: str) -> Iterator[Path]:
    """Write a page of each journey, and give their paths. Raises LocalError for an unknown language."""
    _words(language)
    folder.mkdir(parents=True, exist_ok=True)
    for journey in journeys:
        path = folder / f"journey-{journey.name}.html"
        path.write_text(sheet_page(journey, language=language), encoding="utf-8")
        yield path


def write_gallery(journeys: Sequence[JourneyFolder], folder: Path) -> int:
    """Write the gallery, delete its pages of journeys that are gone, and give the number of files that changed.

    Raises LocalError for a folder that holds other things.
    """
    wanted = gallery(journeys)
    there = [path for path in folder.iterdir() if not path.name.startswith(".")] if folder.is_dir() else []
    if strange := [path.name for path in there if path.suffix not in _GENERATED]:
        raise LocalError(f"{folder} holds {strange[0]}", "name a folder for the gallery alone")
    folder.mkdir(parents=True, exist_ok=True)
    gone = [path for path in there if path.name not in wanted]
    for path in gone:
        path.unlink()
    changed = {name: content for name, content in wanted.items() if not _is(folder / name, content)}
    for name, content in changed.items():
        (folder / name).write_text(content, encoding="utf-8")
    return len(changed) + len(gone)


def _is(path: Path, content: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == content


def _words(language: str) -> Texts:
    if language not in LANGUAGES:
        raise LocalError(f"there is no language {language!r}", f"languages: {', '.join(LANGUAGES)}")
    return texts(language)
