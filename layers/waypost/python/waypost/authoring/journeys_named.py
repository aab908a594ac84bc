"""Check the journeys that journeys start and stop: they exist, and none leads back to itself. Called by the checks of names."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final, Protocol

from waypost.authoring.graph import called_function, scopes
from waypost.authoring.problems import is_expression, unknown

Findings = Iterator[tuple[str, str]]

START: Final = "StartOtherJourney"
STOP: Final = "StopOtherJourney"

_ROUND_WITHOUT_END: Final = "contacts would go round without end; let an event, a tag or a schedule begin it again"


class NamingJourney(Protocol):
    """A journey that passed its own checks."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def definition(self) -> dict[str, Any]:
        """Its state machine."""
        ...

    def published(self) -> dict[str, Any]:
        """The form the run time reads."""
        ...


def naming_findings(journey: NamingJourney, read: Mapping[str, NamingJourney], folders: Collection[str]) -> Findings:
    """What is wrong with the journeys that this one starts and stops; ``folders`` are all there are, ``read`` those without problems."""
    for where, function, payload in _calls(journey):
        name = payload["journey"]
        if name == journey.name:
            yield f"{where}.journey", "is this journey itself; a loop with a Pause goes back, Succeed ends it"
        elif name not in folders:
            yield f"{where}.journey", unknown(name, folders, "no journey is called")
        elif function == START:
            if back := _way_back(name, journey.name, read):
                circle = " → ".join((journey.name, *back))
                yield f"{where}.journey", f"leads back to this journey ({circle}); {_ROUND_WITHOUT_END}"
            yield from _properties(where, payload, read.get(name))


def _properties(where: str, payload: Mapping[str, Any], other: NamingJourney | None) -> Findings:
    """A journey that is entered once for each value of a property is given that property."""
    wanted = (other.published()["re_entry"]["property"] or "").split(".")[0] if other else ""
    given = payload.get("properties") or {}
    if other and wanted and not is_expression(given) and wanted not in given:
        yield f"{where}.properties", f"{wanted!r} is missing: {other.name} is entered once for each of its values"


def _way_back(start: str, to: str, read: Mapping[str, NamingJourney]) -> list[str]:
    """The journeys from ``start`` to ``to`` by which each starts the next; empty when none does."""
    ways, seen = [[start]], {start}
    while ways:
        way = ways.pop()
        if way[-1] == to:
            return way
        for name in sorted(_started(read.get(way[-1])) - seen):
            seen.add(name)
            ways.append([*way, name])
    return []


def _started(journey: NamingJourney | None) -> set[str]:
    calls: Iterable[tuple[str, str, Mapping[str, Any]]] = _calls(journey) if journey else ()
    return {payload["journey"] for _, function, payload in calls if function == START}


def _calls(journey: NamingJourney) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Each Start and Stop: where its payload stands, the function, and the payload."""
    for scope in scopes(journey.definition):
        for name, state in scope.states.items():
            function = called_function(state)
            if function in {START, STOP}:
                yield f"{name}.Arguments.Payload", str(function), state["Arguments"]["Payload"]
