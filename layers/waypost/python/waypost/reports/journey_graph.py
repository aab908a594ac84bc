"""A journey as its author drew it: steps and the ways between them. Published by the synth, drawn by reports and commands.

It is of the authored definition; what the synth adds for hops is not in it.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from waypost.codec import JsonForm
from waypost.published_sections import published_section

StepKind = Literal["send", "pause", "update", "task", "choice", "parallel", "map", "pass", "succeed", "fail"]
WayKind = Literal["next", "choice", "default", "caught"]


def section_of(journey: str) -> str:
    """The published section with the graph of a journey."""
    return f"graphs/{journey}"


@dataclass(frozen=True, slots=True)
class Way(JsonForm):
    """A way from a step to another; ``label`` is the condition of a choice, or the names of the errors caught."""

    source: str
    target: str
    kind: WayKind = "next"
    label: str = ""


@dataclass(frozen=True, slots=True)
class Step(JsonForm):
    """A state; ``about`` is the message of a Send or the function of another task.

    ``starts`` are the first steps of its branches. ``around`` is the step in whose branch number ``branch`` it is itself.
    ``payload`` is what the author gives the task, without the context and the message. ``names`` has its name in other
    languages of the pages.
    """

    name: str
    kind: StepKind
    about: str = ""
    is_end: bool = False
    starts: tuple[str, ...] = ()
    around: str = ""
    branch: int = 0
    payload: Mapping[str, Any] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)

    def named(self, language: str) -> str:
        """Its name in a language of the pages, else as its author wrote it."""
        return self.names.get(language, self.name)


@dataclass(frozen=True, slots=True)
class JourneyGraph(JsonForm):
    """The graph of a version of a journey; names of steps are unique in it."""

    journey: str
    version: int
    start: str
    steps: tuple[Step, ...]
    ways: tuple[Way, ...]
    description: str = ""

    def by_name(self) -> dict[str, Step]:
        """Every step by its name."""
        return {step.name: step for step in self.steps}

    def region(self, around: str = "", branch: int = 0) -> tuple[list[Step], list[Way]]:
        """The steps of the journey's top, or of one branch of a step, and the ways between them."""
        steps = [step for step in self.steps if (step.around, step.branch) == (around, branch)]
        names = {step.name for step in steps}
        return steps, [way for way in self.ways if way.source in names]


RECORDED: Final[frozenset[StepKind]] = frozenset({"send", "pause"})
"""Steps that leave a row whenever a contact passes them; an update leaves events if it changed something, other steps nothing."""


def load_graph(journey: str) -> JourneyGraph | None:
    """The published graph of a journey of this deployment; None for one that is no longer deployed."""
    published = published_section(section_of(journey))
    return JourneyGraph.from_dict(published) if published else None


def steps_behind(graph: JourneyGraph, pause: str) -> list[str]:
    """The steps that a contact may pass between a Pause and the next Pause or end, nearest first; ``pause`` "" is the start.

    Empty where the graph has no such step. What stands around the steps is passed through and not named.
    """
    steps = graph.by_name()
    if pause and pause not in steps:
        return []

    def following(name: str, *, by_error: bool = False) -> Iterator[str]:
        """Where the ways of a step lead; of a step around it by an error, and by all of its ways at the end of the branch."""
        yield from (way.target for way in graph.ways if way.source == name and (way.kind == "caught" or not by_error))
        if around := steps[name].around:
            yield from following(around, by_error=by_error or not steps[name].is_end)

    found, reached = list[str](), set[str]()
    waiting = deque(following(pause) if pause else [graph.start])
    while waiting:
        step = steps[waiting.popleft()]
        if step.name in reached or step.kind == "pause":
            continue
        reached.add(step.name)
        if not step.starts and step.kind != "succeed":
            found.append(step.name)
        waiting.extend(step.starts or following(step.name))
    return found


def way_taken(graph: JourneyGraph, before: str, after: str) -> Way | None:
    """The way by which a contact that left step ``before`` next entered step ``after``; None for the entry of a branch.

    Between them a branch may have been left: the way is then that of the step around it. Of two ways from one step to the
    other it is the first. Raises LookupError when no way leads there.
    """
    ways = {(way.source, way.target): way for way in reversed(graph.ways)}
    steps, left = graph.by_name(), before
    if steps[after].around == before:
        return None
    while True:
        if (left, after) in ways:
            return ways[left, after]
        if not steps[left].around:
            raise LookupError(f"no way of {graph.journey} leads from {before!r} to {after!r}")
        left = steps[left].around
