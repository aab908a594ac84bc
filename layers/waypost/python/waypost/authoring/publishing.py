"""Publishes what was authored: from ``statemachines/`` to the sections the functions read. Called by the synth."""

import json
from pathlib import Path
from typing import Any

from waypost import defaults
from waypost.authoring.discovery import Library, discover
from waypost.authoring.listening import listening
from waypost.content.catalogue import section_of
from waypost.events import listening as listened
from waypost.intake.declared_replies import FOLDER
from waypost.journeys import published as journeys
from waypost.published_sections import PACKAGE
from waypost.reports import journey_graph
from waypost.sending import policy


def published(library: Library) -> dict[str, dict[str, Any]]:
    """Every section by its name, in the form the functions read. A section is a file: see ``waypost.published_sections``."""
    return {
        defaults.SECTION: library.sending.published_defaults(),
        policy.SECTION: library.sending.published(),
        journeys.SECTION: {journey.name: journey.published() for journey in library.journeys},
        **{
            section_of(f"{journey.name}/{name}"): message
            for journey in library.journeys
            for name, message in journey.messages.items()
        },
        **{section_of(f"notices/{name}"): message for name, message in library.notices.items()},
        **{section_of(f"{FOLDER}/{name}"): message for name, message in library.replies.items()},
        **{journey_graph.section_of(journey.name): journey.graph.to_dict() for journey in library.journeys},
        **library.sections,
        listened.SECTION: listening(library.journeys, library.sections),
    }


def publish(statemachines: Path, target: Path) -> Path:
    """Write the content of the journeys layer under ``target`` and return its folder; the same input, the same bytes.

    Raises InvalidJourney with every problem of every file, and then writes nothing.
    """
    sections = published(discover(statemachines))
    package = target / "python" / PACKAGE
    package.mkdir(parents=True, exist_ok=True)
    package.joinpath("__init__.py").write_text("", encoding="utf-8")
    for name, content in sections.items():
        file = package / f"{name}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content, ensure_ascii=False, sort_keys=True, indent=1) + "\n", encoding="utf-8")
    return package
