"""A journey's definition as it is deployed: what the synth adds to the file. Used by discovery."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from waypost.authoring.graph import LEAVING_ERRORS, State, after_leaving, branches, called_function, scopes
from waypost.authoring.hops import compiled
from waypost.authoring.tasks import STANDARD, Task


def deployed(definition: dict[str, Any], *, tasks: Mapping[str, Task]) -> dict[str, Any]:
    """The machine of the journey's hops, in which every task has its standard ``Retry`` and ``TimeoutSeconds``.

    What a task says itself stays. A message that is reached only by leaving the body is marked ``after_exit``: the
    guard that stops the messages of those who left lets it pass. One whose error nothing catches is marked ``fails_hop``: no
    hop walks on after it, so that the sweep of the enrolment finds what it claimed. The definition must have passed
    ``waypost.authoring.lint``.
    """
    copy: dict[str, Any] = json.loads(json.dumps(definition))
    outside = after_leaving(copy)
    for scope in scopes(copy):
        for name, state in scope.states.items():
            if called_function(state) == "SendMessage" and (*scope.inside, name)[0] in outside:
                state["Arguments"]["Payload"]["after_exit"] = True
    for state in _uncaught(copy):
        if called_function(state) == "SendMessage":
            state["Arguments"]["Payload"]["fails_hop"] = True
    machine = compiled(copy, transient=STANDARD.retried_errors)
    for scope in scopes(machine):
        for state in scope.states.values():
            function = called_function(state)
            if function is not None:
                _complete(state, tasks.get(function, STANDARD))
    return machine


def _uncaught(machine: Mapping[str, Any]) -> Iterator[State]:
    """The states whose errors no Catch of the author takes, here or around them; leaving a journey is no error of a task."""
    for name, state in machine["States"].items():
        if all(set(row["ErrorEquals"]) <= LEAVING_ERRORS for row in state.get("Catch", [])):
            yield state
            for _, branch in branches(name, state):
                yield from _uncaught(branch)


def _complete(state: dict[str, Any], task: Task) -> None:
    state.setdefault("TimeoutSeconds", task.timeout_seconds)
    state.setdefault("Retry", task.retry())


def functions_called(definition: dict[str, Any]) -> tuple[str, ...]:
    """The placeholders of the functions it calls (``SendMessage``), sorted: what its role may invoke."""
    called = {called_function(state) for scope in scopes(definition) for state in scope.states.values()}
    return tuple(sorted(name for name in called if name is not None))
