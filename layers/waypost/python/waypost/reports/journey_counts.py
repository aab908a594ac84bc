"""How many contacts took which way of a journey's graph, counted from the states that were entered. Used by rehearsals."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from waypost.reports.journey_graph import JourneyGraph, Way, way_taken


@dataclass(slots=True)
class JourneyCounts:
    """Passages, visits of each step, walks of each way, and passages that are now at a step or ended there."""

    passages: int = 0
    steps: Counter[str] = field(default_factory=Counter)
    ways: Counter[Way] = field(default_factory=Counter)
    waiting: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)

    def add(self, graph: JourneyGraph, trail: Sequence[str], *, outcome: str) -> None:
        """Count one passage by the states that it entered, in their order; ``outcome`` is ``active`` while it goes on.

        Raises LookupError when the trail is not one of the graph.
        """
        self.passages += 1
        self.steps.update(trail)
        self.outcomes[outcome] += 1
        for index, step in enumerate(trail[1:], start=1):
            way = _way_to(graph, trail[:index], step)
            if way is not None:
                self.ways[way] += 1
        if outcome == "active" and trail:
            self.waiting[trail[-1]] += 1


def _way_to(graph: JourneyGraph, entered: Sequence[str], step: str) -> Way | None:
    """The way to a step from the last state entered, or from an earlier one if branches run side by side; None at an entry."""
    for before in reversed(entered):
        with suppress(LookupError):
            return way_taken(graph, before, step)
    raise LookupError(f"no way of {graph.journey} leads to {step!r} from {', '.join(entered)}")
