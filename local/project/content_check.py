"""Checks everything that a project's authors wrote, without deploying it. Called by ``waypost check``."""

from dataclasses import dataclass

from infra.project import Project
from local.problems import LocalError
from local.rehearsal.scenario_file import read_scenarios
from waypost.authoring.discovery import InvalidJourney, discover


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedContent:
    """How much was found of each kind, and every problem, a line each."""

    counts: dict[str, int]
    problems: list[str]


def check_content(project: Project) -> CheckedContent:
    """Read every authored file of the project, its scenarios and its examples too."""
    problems: list[str] = []
    counts: dict[str, int] = {}
    shipped = project.product / "statemachines" / "operations"
    try:
        library = discover(project.statemachines, functions=project.product / "functions", shipped_operations=shipped)
        counts = {
            "journeys": len(library.journeys),
            "messages": sum(len(journey.messages) for journey in library.journeys),
            "segments": len(library.sections.get("segments", {})),
            "operations": len(library.operations),
        }
    except InvalidJourney as invalid:
        problems += [str(problem) for problem in invalid.problems]
    files = [path.parent / "scenarios.yaml" for path in sorted(project.journeys.glob("*/journey.yaml"))]
    files += sorted((project.content / "examples").glob("*.yaml"))
    scenarios = 0
    for file in files:
        try:
            scenarios += len(read_scenarios(file).scenarios)
        except LocalError as problem:
            problems.append(problem.what)
    return CheckedContent(counts={**counts, "scenarios": scenarios}, problems=problems)
