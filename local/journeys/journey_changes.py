"""Plan, apply and undo what a deployment does with the contacts in its journeys. Called by ``waypost deploy``, ``up`` and ``journey``."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from infra.project import Project
from local.journeys.stage import Progress, Stage
from local.problems import LocalError
from waypost.authoring.discovery import Library, discover
from waypost.journeys.changes.change import Change
from waypost.journeys.changes.flow import Flow
from waypost.journeys.changes.plan_change import PlannedJourney, WantedJourney

PASSES: Final = 20
"""How often those whose hops walk are looked at again; a hop is over within five minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePlan:
    """What a deployment of a project does on a stage, by journey."""

    journeys: list[PlannedJourney]

    @property
    def refusals(self) -> list[str]:
        """Why it is refused, a line each."""
        return [reason for journey in self.journeys for reason in journey.refusals]

    @property
    def changes(self) -> list[Change]:
        """What is to be applied once it is deployed."""
        return [journey.change for journey in self.journeys if journey.change is not None]

    def raise_refusals(self) -> None:
        """Raise LocalError when contacts would be lost."""
        if self.refusals:
            raise LocalError("\n".join(self.refusals), "waypost journey plan shows every contact; docs/live-changes.md")


def plan(project: Project, stage: Stage, progress: Progress) -> ChangePlan:
    """What a deployment of the project would do. Raises InvalidInput when an authored file is wrong."""
    shipped = project.product / "statemachines" / "operations"
    library = discover(project.statemachines, functions=project.product / "functions", shipped_operations=shipped)
    planner = stage.planner(progress)
    return ChangePlan(journeys=planner.plan(wanted_journeys(library), library.removed, by=stage.by, now=stage.clock()))


def wanted_journeys(library: Library) -> list[WantedJourney]:
    """The journeys as their folders have them."""
    return [
        WantedJourney(
            journey.name,
            journey.machine_version,
            Flow.of(journey.definition),
            frozenset(journey.messages),
            journey.manifest.change.published(),
            journey.manifest.published_splits(),
        )
        for journey in library.journeys
    ]


def record(changes: Sequence[Change], stage: Stage) -> None:
    """Keep what was decided before anything is deployed: a deployment that dies is gone on with as it was planned."""
    for change in changes:
        stage.changes.put(change)


def apply(
    changes: Sequence[Change], stage: Stage, *, progress: Progress, wait: Callable[[], None]
) -> tuple[list[Change], list[Change]]:
    """Apply the changes whose versions are deployed; the records of those, and the changes that have to wait for that."""
    there = {(each.journey, each.version) for each in stage.machines.versions()}
    journeys = {journey for journey, _ in there}
    ready = [
        change
        for change in changes
        if ((change.journey, change.to_version) in there if change.to_version else change.journey not in journeys)
    ]
    later = [change for change in changes if change not in ready]
    left = PASSES

    def again() -> bool:
        nonlocal left
        left -= 1
        wait()
        return left > 0

    return stage.applier(again).apply(ready, progress=progress) if ready else [], later


def unfinished(stage: Stage) -> list[Change]:
    """The changes that were begun and not done to their end, the newest of each journey."""
    newest = {change.journey: change for change in stage.changes.recent()}
    return [change for change in newest.values() if change.is_open]


def undo(change_id: str, stage: Stage, progress: Progress) -> Change:
    """Undo a change; its record. Raises LocalError for an unknown one, and when a version it needs is gone."""
    change = stage.changes.load(change_id)
    if change is None:
        raise LocalError(
            f"no change is called {change_id!r}", "waypost journey changes lists those of the last 60 days"
        )
    there = {each.version for each in stage.machines.versions() if each.journey == change.journey}
    if gone := sorted(set(change.acts) - there):
        raise LocalError(
            f"the machines of {', '.join(gone)} are gone",
            "deploy the former flow as a new version, and move the contacts",
        )
    return stage.undoer(progress).undo(change, by=stage.by)


def tidy(project: Project, stage: Stage, progress: Progress) -> list[str]:
    """Delete the machines of former versions that nobody stands in and no change of the last 60 days needs; their names."""
    folders = {path.name for path in project.journeys.iterdir()}
    needed = {(change.journey, version) for change in stage.changes.recent() for version in change.needed_versions}
    stood_in = {(journey, version) for journey, version, _ in stage.planner(progress).waiting()}
    versions = stage.machines.versions()
    newest = {each.journey: each.version for each in versions if each.journey in folders}
    gone = [
        each
        for each in versions
        if newest.get(each.journey) != each.version and (each.journey, each.version) not in needed | stood_in
    ]
    for each in gone:
        stage.machines.delete(each.journey, each.version)
    return [f"{each.journey}, version {each.version}" for each in gone]
