"""Every way through a journey with the share of contacts who take it. Used by forecasts.

A loop is walked until the share that is left is negligible; a Map has its steps once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from local.forecast.branch_shares import BranchShare
from local.problems import LocalError
from waypost.reports.journey_graph import JourneyGraph, Step

LEAST_SHARE: Final = 1e-4
"""A way that fewer of the entrants take is left out."""
MOST_WAYS: Final = 20_000
"""Ways that are followed; a journey with more of them is forecast by what was found till then, and refused below nine tenths."""
_ENOUGH: Final = 0.9


@dataclass(frozen=True, slots=True)
class JourneyWay:
    """The states that are entered, the branches taken (``Which interest? → Day 5 …``), and the share of entrants.

    ``is_left`` on one that ends early, by the goal or an exit.
    """

    share: float
    steps: tuple[str, ...]
    branches: tuple[str, ...] = ()
    is_left: bool = False
    is_over: bool = False


def journey_ways(graph: JourneyGraph, shares: Sequence[BranchShare]) -> list[JourneyWay]:
    """The ways from the start to an end, the most taken first; their shares add up to 1 but for what is negligible.

    Raises LocalError for a journey with more ways than can be followed.
    """
    walk = _Walk(graph, graph.by_name(), {(each.source, each.target): each.share for each in shares})
    found = list(walk.region(graph.start, 1.0))
    if sum(way.share for way in found) < _ENOUGH:
        raise LocalError(
            f"{graph.journey} has too many ways to follow them",
            "give shares of its branches, so that most ways get few",
        )
    same: dict[tuple[tuple[str, ...], tuple[str, ...]], JourneyWay] = {}
    for way in found:
        key = way.steps, way.branches
        same[key] = replace(way, share=way.share + (same[key].share if key in same else 0.0))
    return sorted(same.values(), key=lambda way: -way.share)


@dataclass(frozen=True, slots=True)
class _Walk:
    graph: JourneyGraph
    steps: Mapping[str, Step]
    shares: Mapping[tuple[str, str], float]

    def region(self, start: str, share: float) -> Iterator[JourneyWay]:
        """The ways from a state to an end of the machine or branch that it is in."""
        waiting, ended = [(JourneyWay(share, ()), start)], 0
        while waiting and ended < MOST_WAYS:
            so_far, name = waiting.pop()
            for way, after in self._through(so_far, self.steps[name]):
                if way.share < LEAST_SHARE:
                    continue
                if after and not way.is_over:
                    waiting.append((way, after))
                else:
                    ended += 1
                    yield way

    def _through(self, so_far: JourneyWay, step: Step) -> Iterator[tuple[JourneyWay, str]]:
        """The ways on behind a state, with the state each of them leads to; "" at an end."""
        inside = [*self._inside(replace(so_far, steps=(*so_far.steps, step.name)), step)]
        for way in inside:
            targets = [each.target for each in self.graph.ways if each.source == step.name and each.kind != "caught"]
            distinct = list(dict.fromkeys(targets))
            early = self._left_early(step) if step.starts else {}
            for target, share in early.items():
                yield from ((left, target) for left in _leave(way, len(so_far.steps) + 1, self.steps, share, target))
            stays = way.share * (1 - sum(early.values()) * bool(_pauses(way, len(so_far.steps) + 1, self.steps)))
            if not distinct:
                yield replace(way, share=stays, is_over=step.kind == "fail" or way.is_over), ""
            for target in distinct:
                if len(distinct) == 1:
                    yield replace(way, share=stays), target
                else:
                    taken = (*way.branches, f"{step.name} → {target}")
                    yield replace(way, share=stays * self.shares[step.name, target], branches=taken), target

    def _inside(self, so_far: JourneyWay, step: Step) -> Iterator[JourneyWay]:
        """The ways through the branches of a state, all of which are walked; as it is for one without."""
        found = [so_far]
        for start in step.starts:
            inner = list(self.region(start, 1.0))
            found = [
                replace(
                    way,
                    share=way.share * each.share,
                    steps=(*way.steps, *each.steps),
                    branches=(*way.branches, *each.branches),
                    is_over=way.is_over or each.is_over,
                )
                for way in found
                for each in inner
            ]
        yield from found

    def _left_early(self, step: Step) -> dict[str, float]:
        ways = [way for way in self.graph.ways if way.source == step.name and way.kind == "caught"]
        return {way.target: share for way in ways if (share := self.shares.get((step.name, way.target), 0.0))}


def _pauses(way: JourneyWay, since: int, steps: Mapping[str, Step]) -> list[int]:
    return [index for index, name in enumerate(way.steps) if index >= since and steps[name].kind == "pause"]


def _leave(way: JourneyWay, since: int, steps: Mapping[str, Step], share: float, target: str) -> Iterator[JourneyWay]:
    """The same way left at each of its Pauses, by as many at one as at another."""
    pauses = _pauses(way, since, steps)
    for index in pauses:
        entered = way.steps[: index + 1]
        branches = tuple(each for each in way.branches if each.partition(" → ")[0] in entered[:-1])
        yield replace(
            way,
            share=way.share * share / len(pauses),
            steps=entered,
            branches=(*branches, f"{entered[-1]} → {target}"),
            is_left=True,
        )
