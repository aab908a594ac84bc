"""Reads the graph of a journey from its authored definition. Used by the synth, and by the command that draws a journey."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from waypost.authoring.graph import State, branches, called_function, is_end, scopes
from waypost.reports.journey_graph import JourneyGraph, Step, StepKind, Way

_TASKS: Final[Mapping[str, StepKind]] = {
    "SendMessage": "send",
    "NotifyStaff": "send",
    "PauseJourney": "pause",
    "UpdateContact": "update",
}
_STATES: Final[Mapping[str, StepKind]] = {
    "Choice": "choice",
    "Parallel": "parallel",
    "Map": "map",
    "Pass": "pass",
    "Succeed": "succeed",
    "Fail": "fail",
}


Names = Mapping[str, Mapping[str, str]]
"""The names of states in other languages than that of the definition: language → state → name."""


def graph_of(
    journey: str, definition: dict[str, Any], *, version: int, description: str = "", names: Names | None = None
) -> JourneyGraph:
    """The graph of a definition that passed the lint."""
    ways = [way for scope in scopes(definition) for name, state in scope.states.items() for way in _ways(name, state)]
    return JourneyGraph(
        journey=journey,
        version=version,
        start=definition["StartAt"],
        steps=tuple(_steps(definition, names or {})),
        ways=tuple(ways),
        description=" ".join(description.split()),
    )


def _steps(machine: dict[str, Any], names: Names, around: str = "", branch: int = 0) -> Iterator[Step]:
    for name, state in machine["States"].items():
        function, inside = called_function(state), [machine for _, machine in branches(name, state)]
        kind = _STATES.get(state["Type"], "task") if function is None else _TASKS.get(function, "task")
        yield Step(
            name=name,
            kind=kind,
            about=_message(state) if kind == "send" else function or "" if kind == "task" else "",
            is_end=is_end(state),
            starts=tuple(machine["StartAt"] for machine in inside),
            around=around,
            branch=branch,
            payload=_payload(state) if function else {},
            names={language: known[name] for language, known in names.items() if name in known},
        )
        for number, each in enumerate(inside):
            yield from _steps(each, names, name, number)


def _message(state: State) -> str:
    """The name of the message that a Send sends, or the expression that names it."""
    message = state["Arguments"].get("Payload", {}).get("message", "")
    return _condition(str(message))


def _payload(state: State) -> dict[str, Any]:
    """What a task is given beside the context; the message of a Send is what its step is about."""
    given = state["Arguments"].get("Payload")
    named_elsewhere = {"context", "message"}
    return {key: value for key, value in given.items() if key not in named_elsewhere} if isinstance(given, dict) else {}


def _ways(name: str, state: State) -> Iterator[Way]:
    for choice in state.get("Choices", []):
        yield Way(name, choice["Next"], "choice", _condition(str(choice.get("Condition", ""))))
    if "Default" in state:
        yield Way(name, state["Default"], "default")
    if "Next" in state:
        yield Way(name, state["Next"])
    for catcher in state.get("Catch", []):
        yield Way(name, catcher["Next"], "caught", ", ".join(catcher["ErrorEquals"]))


def _condition(expression: str) -> str:
    """A JSONata expression without what surrounds it in a definition: ``{% $interest = 'beauty' %}`` is interest = 'beauty'."""
    inner = re.sub(r"^\{%|%\}$", "", expression.strip())
    return re.sub(r"\$(?=[A-Za-z])", "", " ".join(inner.split()))
