"""Publishes the journeys: from ``statemachines/`` to the one file the functions read. Called by the synth."""

import json
from pathlib import Path
from typing import Any

from waypost.authoring.discovery import Library, discover
from waypost.declared import PACKAGE
from waypost.journeys.published import FILE


def published(statemachines: Path) -> dict[str, Any]:
    """The content of ``published.json``. Raises InvalidJourney with every problem of every file."""
    return published_form(discover(statemachines))


def published_form(library: Library) -> dict[str, Any]:
    """The content of ``published.json`` for what has been discovered already."""
    return {
        "sending": library.sending.published(),
        "journeys": {journey.name: journey.published() for journey in library.journeys},
    }


def publish(statemachines: Path, target: Path) -> Path:
    """Write the content of the journeys layer under ``target`` and return its folder; the same input, the same bytes.

    Raises InvalidJourney, and then writes nothing.
    """
    library = discover(statemachines)
    package = target / "python" / PACKAGE
    package.mkdir(parents=True, exist_ok=True)
    package.joinpath("__init__.py").write_text("", encoding="utf-8")
    files = {FILE: published_form(library), **{f"{name}.json": each for name, each in library.sections.items()}}
    for name, content in files.items():
        text = json.dumps(content, ensure_ascii=False, sort_keys=True, indent=1) + "\n"
        package.joinpath(name).write_text(text, encoding="utf-8")
    return package
