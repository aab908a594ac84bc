"""The way of one contact through a journey's graph, from what its rows record. Used by the page of a contact.

A Send leaves a row in the ledger, a Pause an entry of the enrolment's trail, an update the events of what it changed; choices
and other tasks leave nothing. Between two recorded steps the way is known only if a single one leads from the first to the
second without passing another step that would have been recorded. Nothing is guessed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from waypost.clock import parse_instant
from waypost.journeys.enrolment import Enrolment
from waypost.reports.journey_graph import RECORDED, JourneyGraph, Way
from waypost.reports.timeline import decided
from waypost.sending.occasion import JourneyStep, load_occasion

VisitKind = Literal["message", "pause", "update"]

END: Final = ""
"""Stands for the end of a journey where a step is named."""
LEAVING: Final = {"goal": "GoalReached", "exited": "JourneyExited"}
"""How an enrolment ended early, and the error that the journey's body catches then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A recorded visit to a step. Of a message the last decision, of a pause until when it waits and what ended it."""

    step: str
    at: datetime
    kind: VisitKind
    outcome: str = ""
    reason: str = ""
    channel: str = ""
    until: datetime | None = None
    awaited: str = ""
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyPath:
    """What is known of a passage: its visits in their order, the steps passed and the ways taken."""

    visits: tuple[Visit, ...]
    steps: frozenset[str]
    ways: frozenset[Way]


def path_of(graph: JourneyGraph, enrolment: Enrolment, rows: Sequence[Mapping[str, Any]]) -> JourneyPath:
    """The way of an enrolment; ``rows`` are all that is kept of its contact, each with its ``sk``."""
    moves, known = _Moves(graph), graph.by_name()
    found = [visit for visit in _visits(enrolment, rows) if visit.step in known]
    visits: list[Visit] = []
    steps: set[str] = set()
    ways: set[Way] = set()

    def go(passage: Sequence[tuple[str, Way | None]] | None) -> None:
        for step, way in passage or ():
            steps.add(step)
            ways.update([way] if way else [])

    at, early = graph.start, LEAVING.get(enrolment.outcome or "", "")
    steps.add(at)
    while found:
        chosen = _next(found, at if visits else None, moves)
        found.remove(chosen)
        if visits or chosen.step != at:
            go(moves.passage(at, chosen.step) or moves.leaving(at, chosen.step, early))
        at = chosen.step
        steps.add(at)
        visits.append(chosen)
    failed_at = enrolment.failure.state if enrolment.failure else ""
    if failed_at in known:
        go(moves.passage(at, failed_at))
        steps.add(failed_at)
    elif enrolment.status == "ended" and not enrolment.failure:
        go(moves.leaving(at, END, early) if early else moves.passage(at, END))
    return JourneyPath(visits=tuple(visits), steps=frozenset(steps - {END}), ways=frozenset(ways))


def way_to_the_end(graph: JourneyGraph, enrolment: Enrolment) -> list[str]:
    """The steps behind the last Pause of an enrolment that ended there without a hop; none where it ended otherwise.

    They do nothing and so leave no record, and exactly one way leads over them.
    """
    hopless = enrolment.status == "ended" and not enrolment.hop.taken_by
    if not hopless or enrolment.failure or enrolment.stopped or enrolment.pause is None:
        return []
    moves, early = _Moves(graph), LEAVING.get(enrolment.outcome or "", "")
    at = enrolment.pause.state
    passed = moves.leaving(at, END, early) if early else moves.passage(at, END)
    return [step for step, _ in passed or () if step != END]


def _next(found: Sequence[Visit], at: str | None, moves: "_Moves") -> Visit:
    """The earliest visit; of several at the same instant the one to which a way leads from where the contact is."""
    first = min(visit.at for visit in found)
    tied = [visit for visit in found if visit.at == first]
    return next((visit for visit in tied if moves.leads(at, visit.step)), tied[0])


class _Moves:
    """From which step a contact may go to which, into branches and out of them."""

    def __init__(self, graph: JourneyGraph) -> None:
        self._start = graph.start
        self._steps = graph.by_name()
        self._leaving: dict[str, list[Way]] = {}
        self._next: dict[str, list[tuple[str, Way | None]]] = {name: [] for name in self._steps}
        ways: dict[str, list[Way]] = {}
        for way in graph.ways:
            (self._leaving if way.kind == "caught" else ways).setdefault(way.source, []).append(way)
        for name, step in self._steps.items():
            if step.starts:
                self._next[name] = [(start, None) for start in step.starts]
            else:
                self._next[name] = [(way.target, way) for way in ways.get(name, [])]
                self._next[name] += self._behind(name, ways) if step.is_end else []

    def _behind(self, name: str, ways: Mapping[str, list[Way]]) -> list[tuple[str, Way | None]]:
        """Where the end of a branch leads: to what follows the step around it."""
        around = self._steps[name].around
        if not around:
            return [(END, None)]
        if self._steps[around].is_end:
            return self._behind(around, ways)
        return [(way.target, way) for way in ways.get(around, [])]

    def leads(self, source: str | None, target: str) -> bool:
        """Whether a contact may come from ``source``, or from the start, to ``target`` without being recorded between."""
        if source is None:
            return target == self._start or target in self._near(self._start)
        return target in self._near(source)

    def _near(self, source: str) -> set[str]:
        """What can be reached from a step without passing another recorded one."""
        found: set[str] = set()
        waiting = [source]
        while waiting:
            for target, _ in self._next.get(waiting.pop(), []):
                if target not in found:
                    found.add(target)
                    if not self._is_recorded(target):
                        waiting.append(target)
        return found

    def _is_recorded(self, step: str) -> bool:
        return step == END or self._steps[step].kind in RECORDED

    def passage(self, source: str, target: str) -> list[tuple[str, Way | None]] | None:
        """The steps and ways behind ``source`` up to ``target``, if exactly one way leads there unrecorded."""
        goes_there = {step for step in self._steps if target in self._near(step)} | {target}
        found: list[list[tuple[str, Way | None]]] = []
        waiting: list[list[tuple[str, Way | None]]] = [[move] for move in self._next.get(source, [])]
        while waiting and len(found) < 2:
            passed = waiting.pop()
            step = passed[-1][0]
            if step == target:
                found.append(passed)
            elif step in goes_there and not self._is_recorded(step):
                seen = {each for each, _ in passed}
                waiting += [[*passed, move] for move in self._next[step] if move[0] not in seen]
        return found[0] if len(found) == 1 else None

    def leaving(self, source: str, target: str, error: str) -> list[tuple[str, Way | None]] | None:
        """The same, when the body around ``source`` was left with ``error``."""
        around = source
        while error and around:
            for way in self._leaving.get(around, []):
                if error in way.label.split(", "):
                    behind = [] if way.target == target else self.passage(way.target, target)
                    return None if behind is None else [(way.target, way), *behind]
            around = self._steps[around].around
        return None


def _visits(enrolment: Enrolment, rows: Sequence[Mapping[str, Any]]) -> Iterator[Visit]:
    """What was recorded of the passage, in no order."""
    for past in enrolment.trail:
        yield Visit(
            step=past.state,
            at=past.parked_at,
            kind="pause",
            until=past.due_at,
            awaited=past.awaited,
            outcome=past.end,
            ended_at=past.ended_at,
        )
    if enrolment.position == "parked" and enrolment.pause is not None and enrolment.status != "ended":
        pause = enrolment.pause
        awaited = str(pause.waits_for["event"]) if pause.waits_for else ""
        yield Visit(step=pause.state, at=pause.parked_at, kind="pause", until=pause.due_at, awaited=awaited)
    for row in rows:
        sk = str(row["sk"])
        if sk.startswith("message#"):
            yield from _message(enrolment, row)
        elif sk.startswith("event#"):
            yield from _update(enrolment, row)


def _message(enrolment: Enrolment, row: Mapping[str, Any]) -> Iterator[Visit]:
    occasion = load_occasion(row["occasion"])
    if not isinstance(occasion, JourneyStep) or occasion.enrolment_id != enrolment.enrolment_id:
        return
    made = decided(row)
    at = made[0]["at"] if made else row["claimed_at"]
    last: Mapping[str, Any] = (
        made[-1] if made else {"outcome": "claimed", "reason": "no_answer", "channel": row["channel"]}
    )
    deferred = row.get("deferred_until") if row["state"] == "deferred" else None
    yield Visit(
        step=occasion.state,
        at=parse_instant(at),
        kind="message",
        outcome=last["outcome"],
        reason=last["reason"],
        channel=last["channel"] or "",
        until=parse_instant(deferred) if deferred else None,
        ended_at=parse_instant(last["at"]) if len(made) > 1 else None,
    )


def _update(enrolment: Enrolment, row: Mapping[str, Any]) -> Iterator[Visit]:
    """The first event of an update stands for all that it changed."""
    properties = row["properties"]
    ours = properties.get("journey") == enrolment.journey and "step" in properties
    at = parse_instant(row["occurred_at"])
    if ours and row["type"] in _UPDATES and enrolment.enrolled_at <= at <= (enrolment.ended_at or at):
        yield Visit(step=str(properties["step"]), at=at, kind="update")


_UPDATES: Final = frozenset({"contact_updated"})
"""Of the events that an update makes, the one that it makes whatever it changed."""
