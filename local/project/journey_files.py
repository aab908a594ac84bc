"""The journeys of the project as their authors drew them. Used by the commands and pages that show them."""

from functools import cache
from pathlib import Path

from local.problems import LocalError
from local.project.current_project import current_project
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


@cache
def find_graph(journey: str) -> JourneyGraph | None:
    """The graph of a journey folder; None when there is none of this name. Raises LocalError."""
    folder = current_project().journeys / journey
    return _read_graph(folder) if _is_journey(folder) else None


def _is_journey(folder: Path) -> bool:
    return (folder / "journey.yaml").is_file()


def _read_graph(folder: Path) -> JourneyGraph:
    try:
        manifest, definition = (read_yaml(folder / name) for name in ("journey.yaml", "definition.asl.yaml"))
        version, description = int(manifest.get("version", 1)), str(manifest.get("description", ""))
        return graph_of(folder.resolve().name, definition, version=version, description=description)
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise LocalError(f"{folder}: {error!r}", "waypost check says what is wrong with it") from error
