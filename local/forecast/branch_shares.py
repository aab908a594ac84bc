"""Which share of contacts takes each branch of a journey: given, as rehearsed, or even. Used by forecasts."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from local.problems import LocalError
from waypost.reports.journey_counts import JourneyCounts
from waypost.reports.journey_graph import JourneyGraph, Step, Way

LEAVING: Final = frozenset({"GoalReached", "JourneyExited"})
_DECIDED: Final = frozenset({"choice", "default"})
_ARROWS: Final = ("→", "->")

Origin = Literal["given", "rehearsed", "even", "nobody"]


@dataclass(frozen=True, slots=True)
class BranchShare:
    """The share of those at ``source`` who go on to ``target``, and where it comes from.

    Of a step with branches inside: the share who leave it early for the target, by the goal or an exit.
    """

    source: str
    target: str
    share: float
    origin: Origin

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {"from": self.source, "to": self.target, "share": round(self.share, 4), "origin": self.origin}


def branch_shares(
    graph: JourneyGraph, *, given: Iterable[str] = (), rehearsed: JourneyCounts | None = None
) -> list[BranchShare]:
    """The share of every branch. ``given`` are ``state=0.3`` or ``state → state=0.3``; the branches beside share what is left.

    What is not given is as ``rehearsed``; else a Choice is shared evenly, and nobody leaves early. Raises LocalError for a
    state that no branch leads to, and for shares that are none.
    """
    places = list(_places(graph))
    wanted = _given(given, places)
    found: list[BranchShare] = []
    for source, targets, is_left_early in places:
        known = {target: wanted[source, target] for target in targets if (source, target) in wanted}
        if sum(known.values()) > 1 + 1e-9 or (
            set(known) == set(targets) and not is_left_early and sum(known.values()) < 1
        ):
            raise LocalError(
                f"the shares behind {source!r} come to {sum(known.values()):g}", "give shares that come to 1 at most"
            )
        found += _shares(source, targets, known, rehearsed, is_left_early=is_left_early)
    return found


def _shares(
    source: str, targets: list[str], known: Mapping[str, float], rehearsed: JourneyCounts | None, *, is_left_early: bool
) -> Iterator[BranchShare]:
    counts = {target: _walked(rehearsed, source, target) for target in targets}
    came = rehearsed.steps[source] if rehearsed and is_left_early else sum(counts.values())
    left = 1 - sum(known.values())
    others = [target for target in targets if target not in known]
    walked = sum(counts[target] for target in others)
    for target in targets:
        if target in known:
            yield BranchShare(source, target, known[target], "given")
        elif is_left_early:
            share = min(counts[target] / came, left) if came else 0.0
            yield BranchShare(source, target, share, "rehearsed" if came else "nobody")
        elif walked:
            yield BranchShare(source, target, left * counts[target] / walked, "rehearsed")
        else:
            yield BranchShare(source, target, left / len(others), "even")


def _walked(rehearsed: JourneyCounts | None, source: str, target: str) -> int:
    ways = rehearsed.ways if rehearsed else {}
    return sum(count for way, count in ways.items() if (way.source, way.target) == (source, target))


def _places(graph: JourneyGraph) -> Iterator[tuple[str, list[str], bool]]:
    """Every state with branches behind it, in the order of the graph; whether they are those of leaving it early."""
    for step in graph.steps:
        ways = [way for way in graph.ways if way.source == step.name]
        if decided := list(dict.fromkeys(way.target for way in ways if way.kind in _DECIDED)):
            yield step.name, decided, False
        elif early := list(dict.fromkeys(way.target for way in ways if _leaves(step, way))):
            yield step.name, early, True


def _leaves(step: Step, way: Way) -> bool:
    return bool(step.starts) and way.kind == "caught" and not LEAVING.isdisjoint(way.label.split(", "))


def _given(given: Iterable[str], places: list[tuple[str, list[str], bool]]) -> dict[tuple[str, str], float]:
    branches = [(source, target) for source, targets, _ in places for target in targets]
    found = {}
    for text in given:
        name, _, number = text.rpartition("=")
        source, target = _named(name)
        matching = [branch for branch in branches if branch[1] == target and source in {"", branch[0]}]
        if not matching:
            known = "; ".join(f"{source} → {target}" for source, target in branches) or "none: it has one way only"
            raise LocalError(f"no branch leads to {name!r}", f"branches: {known}")
        if len(matching) > 1:
            known = "; ".join(f"{source} → {target}" for source, target in matching)
            raise LocalError(f"several branches lead to {target!r}", f"name one: {known}")
        found[matching[0]] = share_of(number, text)
    return found


def _named(name: str) -> tuple[str, str]:
    for arrow in _ARROWS:
        if arrow in name:
            source, _, target = name.partition(arrow)
            return source.strip(), target.strip()
    return "", name.strip()


def share_of(number: str, text: str) -> float:
    """A share as written: ``0.3`` or ``30%``. Raises LocalError that names ``text``."""
    try:
        share = float(number.removesuffix("%")) / (100 if number.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise LocalError(f"{text!r} gives no share", "write a share from 0 to 1, such as 0.3 or 30%")
    return share
