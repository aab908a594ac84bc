"""Which states, branches and guards of a journey the scenarios reached, and which none did. Used by ``waypost rehearse --coverage``."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from local.problems import LocalError
from local.rehearsal.scenario_result import ScenarioResult
from local.rehearsal.summary import HELD_BACK
from waypost.reports.journey_counts import JourneyCounts
from waypost.reports.journey_graph import JourneyGraph, Way
from waypost.sending.guard import Guard

WHOLE: Final = 100
_CAUSED_BY_CONTACTS: Final = frozenset({"GoalReached", "JourneyExited"})
_DECIDED: Final = frozenset({"choice", "default", "caught"})


@dataclass(frozen=True, slots=True)
class Branch:
    """A way that not every contact takes. ``on`` is its condition, ``default``, or the errors caught."""

    source: str
    target: str
    on: str


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    reached: int
    of: int

    @property
    def percent(self) -> int:
        """Rounded down, so that 100 means all; 100 where there is nothing to reach."""
        return self.reached * WHOLE // self.of if self.of else WHOLE


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the scenarios of a journey reached of it.

    ``only_failures`` are states that only a failure of the system leads to, which no contact can cause: they count in no share.
    ``guards`` is, by its reason, how many messages each guard held back; ``silent_guards`` held back none.
    """

    journey: str
    states: Share
    branches: Share
    missing_states: tuple[str, ...]
    missing_branches: tuple[Branch, ...]
    only_failures: tuple[str, ...]
    guards: tuple[tuple[str, int], ...]
    silent_guards: tuple[str, ...]

    def reaches(self, percent: int) -> bool:
        """Whether the states and the branches are reached to at least this share each."""
        return min(self.states.percent, self.branches.percent) >= percent

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "journey": self.journey,
            "states": {
                "reached": self.states.reached,
                "of": self.states.of,
                "percent": self.states.percent,
                "missing": list(self.missing_states),
            },
            "branches": {
                "taken": self.branches.reached,
                "of": self.branches.of,
                "percent": self.branches.percent,
                "missing": [{"from": each.source, "to": each.target, "on": each.on} for each in self.missing_branches],
            },
            "only_failures": list(self.only_failures),
            "guards": {"held_back": dict(self.guards), "silent": list(self.silent_guards)},
        }


def coverage_of(graph: JourneyGraph, results: Iterable[ScenarioResult], *, guards: Sequence[Guard]) -> Coverage:
    """Compare what contacts entered with the graph.

    Two ways between the same states are one branch: the states that were entered do not tell them apart. Raises LookupError
    when a trail is not one of the graph.
    """
    counts, held_back = JourneyCounts(), Counter[str]()
    for result in results:
        for passage in result.passages:
            if passage.journey == graph.journey:
                counts.add(graph, passage.trail, outcome=passage.outcome)
        held_back.update(
            each.reason for each in result.decisions if each.journey == graph.journey and each.outcome in HELD_BACK
        )
    possible = _possible(graph)
    names = [step.name for step in graph.steps if step.name in possible]
    taken = {(way.source, way.target) for way in counts.ways}
    branches = _branches(graph, possible)
    missing = tuple(each for each in branches if (each.source, each.target) not in taken)
    unreached = tuple(name for name in names if not counts.steps[name])
    reasons = {reason.name: guard for guard in guards for reason in guard.reasons}
    silent = tuple(reason for reason in reasons if not held_back[reason])
    return Coverage(
        journey=graph.journey,
        states=Share(len(names) - len(unreached), len(names)),
        branches=Share(len(branches) - len(missing), len(branches)),
        missing_states=unreached,
        missing_branches=missing,
        only_failures=tuple(step.name for step in graph.steps if step.name not in possible),
        guards=tuple((reason, held_back[reason]) for reason in sorted(reasons) if held_back[reason]),
        silent_guards=tuple(sorted(silent)),
    )


def refuse_percent(percent: int) -> None:
    """Raise LocalError for a share that is none."""
    if not 0 <= percent <= WHOLE:
        raise LocalError(f"--at-least {percent} is no share", "give a percentage from 0 to 100")


def _possible(graph: JourneyGraph) -> set[str]:
    """The states that contacts can reach by what they do."""
    steps, found, left = graph.by_name(), set[str](), [graph.start]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += steps[name].starts
            left += [way.target for way in graph.ways if way.source == name and _is_caused_by_contacts(way)]
    return found


def _is_caused_by_contacts(way: Way) -> bool:
    return way.kind != "caught" or any(error in way.label for error in _CAUSED_BY_CONTACTS)


def _branches(graph: JourneyGraph, possible: set[str]) -> list[Branch]:
    conditions: dict[tuple[str, str], list[str]] = {}
    for way in graph.ways:
        if way.kind in _DECIDED and way.source in possible and _is_caused_by_contacts(way):
            conditions.setdefault((way.source, way.target), []).append(way.label or way.kind)
    return [Branch(source, target, " or ".join(labels)) for (source, target), labels in conditions.items()]
