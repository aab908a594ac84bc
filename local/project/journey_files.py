"""The journeys of the project as their authors drew them. Used by the commands and pages that show them."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from local.problems import LocalError
from local.project.current_project import current_project
from waypost.authoring.discovery import JourneyFolder, survey
from waypost.authoring.journey_graphs import graph_of
from waypost.authoring.yaml_reading import read_yaml
from waypost.reports.journey_graph import JourneyGraph


def drawn_journey(journey: str) -> JourneyGraph:
    """The graph of a journey of the project, or of one in another folder, by its path.

    Raises LocalError that names the journeys there are, or what is wrong with its files.
    """
    folder = Path(journey)
    found = _read_graph(folder) if folder.name != journey and _is_journey(folder) else find_graph(journey)
    if found is None:
        known = ", ".join(sorted(path.parent.name for path in current_project().journeys.glob("*/journey.yaml")))
        raise LocalError(f"there is no journey {journey!r}", f"journeys: {known or 'there is none yet'}")
    return found


def read_journey(journey: str) -> JourneyFolder:
    """A journey of the project with its checked messages. Raises LocalError that names the journeys, or all that is wrong with it."""
    return read_with_sections(journey)[0]


def read_with_sections(journey: str) -> tuple[JourneyFolder, Mapping[str, dict[str, Any]]]:
    """The same, with what is declared beside the journeys, by section."""
    project = current_project()
    drawn_journey(journey)  # refuses a name that is none
    library, problems = survey(
        project.statemachines,
        functions=project.product / "functions",
        shipped_operations=project.product / "statemachines" / "operations",
    )
    for found in library.journeys:
        if found.name == journey:
            return found, library.sections
    wrong = [str(each) for each in problems if f"journeys/{journey}/" in each.file]
    raise LocalError(
        "\n".join(wrong) or f"{journey} cannot be read", f"waypost journey check {journey} shows all of it"
    )


def find_graph(journey: str) -> JourneyGraph | None:
    """The graph of a journey folder; None when there is none of this name. Raises LocalError."""
    return _found_graph(current_project().journeys / journey)


@cache
def _found_graph(folder: Path) -> JourneyGraph | None:
    return _read_graph(folder) if _is_journey(folder) else None


def _is_journey(folder: Path) -> bool:
    return (folder / "journey.yaml").is_file()


def _read_graph(folder: Path) -> JourneyGraph:
    try:
        manifest, definition = (read_yaml(folder / name) for name in ("journey.yaml", "definition.asl.yaml"))
        version, description = int(manifest.get("version", 1)), str(manifest.get("description", ""))
        translations = manifest.get("translations", {})
        names = {language: each.get("steps", {}) for language, each in translations.items()}
        return graph_of(folder.resolve().name, definition, version=version, description=description, names=names)
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise LocalError(f"{folder}: {error!r}", "waypost check says what is wrong with it") from error
