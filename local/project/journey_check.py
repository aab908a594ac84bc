"""Check journeys one by one, with their messages and scenarios. Called by ``waypost journey check``."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from infra.project import Project
from local.problems import LocalError
from local.project.content_check import as_shown
from local.rehearsal.scenario_file import read_scenarios
from local.rehearsal.scenario_names import wrong_names
from waypost.authoring import journey_warnings
from waypost.authoring.discovery import JourneyFolder, survey
from waypost.authoring.marketing_lint import lint_journey
from waypost.authoring.problems import Problem
from waypost.authoring.segment_warnings import Declared, Texts
from waypost.clock import clock


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedJourney:
    """One journey: how much is in it, and every problem of its files, a line each; without one, what may not be meant, and what a marketer would not want."""

    name: str
    messages: int
    scenarios: int
    problems: list[str]
    warnings: list[str]
    lint: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedJourneys:
    """Every journey that was asked for; ``elsewhere`` are problems of what all journeys share, such as tags.yaml."""

    journeys: list[CheckedJourney]
    elsewhere: list[str]

    @property
    def is_right(self) -> bool:
        """Whether nothing is wrong."""
        return not self.elsewhere and not any(journey.problems for journey in self.journeys)

    @property
    def is_clean(self) -> bool:
        """Whether there is nothing to say at all."""
        return self.is_right and not any(journey.warnings or journey.lint for journey in self.journeys)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return asdict(self)


def check_journeys(project: Project, only: str = "", *, shown_at: Path | None = None) -> CheckedJourneys:
    """Check every journey of the project, or the one named ``only``; what is wrong in one hides nothing of another.

    ``shown_at`` is the folder that problems of ``only`` name instead of its own. Raises LocalError when there is no such journey.
    """
    folders = sorted(project.journeys.iterdir()) if project.journeys.is_dir() else []
    names = [path.name for path in folders if path.is_dir() and path.name[0] not in "._"]
    if only and only not in names:
        raise LocalError(f"there is no journey {only!r}", f"journeys: {', '.join(names) or 'there is none yet'}")
    shipped = project.product / "statemachines" / "operations"
    library, problems = survey(
        project.statemachines, functions=project.product / "functions", shipped_operations=shipped
    )
    content = as_shown(project.content)
    places = {name: content / "statemachines" / "journeys" / name for name in names}
    read_at = dict(places)
    if shown_at is not None:
        places[only] = shown_at
    found: dict[str, list[str]] = {name: [] for name in names}
    elsewhere: list[str] = []
    for each in problems:
        file = content / each.file
        of = next((name for name, place in read_at.items() if file.is_relative_to(place)), None)
        if of is not None:
            file = places[of] / file.relative_to(read_at[of])
        (elsewhere if of is None else found[of]).append(str(replace(each, file=str(file))))
    read = {journey.name: journey for journey in library.journeys}
    chosen = [name for name in names if only in {"", name}]
    right = [read[name] for name in chosen if name in read and not found[name]]
    warned = _warned(right, project, places)
    linted = _linted(right, library.sections, places)
    journeys = [
        _checked(name, places[name], read.get(name), found[name], warned.get(name, []), linted.get(name, []))
        for name in chosen
    ]
    return CheckedJourneys(journeys=journeys, elsewhere=elsewhere)


def _warned(journeys: Iterable[JourneyFolder], project: Project, places: Mapping[str, Path]) -> dict[str, list[str]]:
    """The warnings of each journey, its files as they are shown."""
    texts, declared, now = Texts.read(project.statemachines), Declared.read(project.statemachines), clock()()
    shown: dict[str, list[str]] = {}
    for journey in journeys:
        own = [journey.path / "journey.yaml", journey.path / "definition.asl.yaml"]
        found = journey_warnings.warnings(journey, declared.beside(texts, own), now)
        shown[journey.name] = _shown(found, journey, places)
    return shown


def _linted(
    journeys: Iterable[JourneyFolder], sections: Mapping[str, Mapping[str, Any]], places: Mapping[str, Path]
) -> dict[str, list[str]]:
    """What the marketing lint finds in each journey."""
    rfm = sections.get("metrics", {}).get("rfm")
    purchases = [str(rfm["event"])] if rfm else []
    return {each.name: _shown(lint_journey(each, clock()(), purchases), each, places) for each in journeys}


def _shown(found: Iterable[Problem], journey: JourneyFolder, places: Mapping[str, Path]) -> list[str]:
    place = places[journey.name]
    files = ((each, place / Path(each.file).relative_to(journey.path)) for each in found)
    return [str(replace(each, file=str(file))) for each, file in files]


def _checked(
    name: str,
    place: Path,
    journey: JourneyFolder | None,
    problems: Iterable[str],
    warnings: list[str],
    lint: list[str],
) -> CheckedJourney:
    path, found, scenarios = place / "scenarios.yaml", list(problems), 0
    try:
        file = read_scenarios(path)
    except LocalError as problem:
        found += problem.what.splitlines()
    else:
        scenarios = len(file.scenarios)
        names = () if journey is None else wrong_names(file, journey)
        found += [str(Problem(str(path), field, reason)) for field, reason in names]
    messages = len(journey.messages) if journey else 0
    return CheckedJourney(
        name=name, messages=messages, scenarios=scenarios, problems=found, warnings=warnings, lint=lint
    )
