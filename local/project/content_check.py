"""Checks everything that a project's authors wrote, without deploying it. Called by ``waypost check``."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

from infra.project import Project
from local.problems import LocalError
from local.rehearsal.scenario_file import read_scenarios
from local.rehearsal.scenario_names import wrong_names
from waypost.authoring.discovery import survey
from waypost.authoring.problems import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedContent:
    """How much was found of each kind, and every problem, a line each."""

    counts: dict[str, int]
    problems: list[str]


def check_content(project: Project) -> CheckedContent:
    """Read every authored file of the project, its scenarios and its examples too.

    Problems name files by one kind of path: relative to the current folder inside the project, absolute elsewhere.
    """
    content = as_shown(project.content)
    problems: list[str] = []
    shipped = project.product / "statemachines" / "operations"
    library, wrong = survey(project.statemachines, functions=project.product / "functions", shipped_operations=shipped)
    problems += [str(replace(each, file=str(content / each.file))) for each in wrong]
    counts = {
        "journeys": len(library.journeys),
        "messages": sum(len(journey.messages) for journey in library.journeys),
        "segments": len(library.sections.get("segments", {})),
        "operations": len(library.operations),
    }
    journeys = {journey.name: journey for journey in library.journeys}
    files = [path.with_name("scenarios.yaml") for path in sorted(content.glob("statemachines/journeys/*/journey.yaml"))]
    files += sorted(content.glob("examples/*.yaml"))
    scenarios = 0
    for file in files:
        try:
            read = read_scenarios(file)
        except LocalError as problem:
            problems += problem.what.splitlines()
            continue
        scenarios += len(read.scenarios)
        if file.name == "scenarios.yaml" and file.parent.name in journeys:
            names = wrong_names(read, journeys[file.parent.name])
            problems += [str(Problem(str(file), field, reason)) for field, reason in names]
    return CheckedContent(counts={**counts, "scenarios": scenarios}, problems=problems)


def as_shown(content: Path) -> Path:
    """The content folder as its problems name it, so that a terminal can open them."""
    here = Path.cwd()
    is_near = content.is_relative_to(here) or here.is_relative_to(content)
    return Path(os.path.relpath(content, here)) if is_near else content
