"""What ``$states`` and the variables hold at each state of a journey, as far as its definition says. Used by the checks of expressions."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from waypost.authoring.graph import Scope, State, branches, called_function
from waypost.authoring.payloads import Fields
from waypost.authoring.problems import is_expression
from waypost.authoring.tasks import Task
from waypost.authoring.variables import variables_of

JOURNEY_INPUT: Final[Fields] = {
    name: {}
    for name in (
        "contact_id", "enrolment_id", "journey", "version", "trigger_event_id", "trigger_event", "enrolled_at", "correlation_id",
    )
}  # fmt: skip
"""The input of a journey: ids and the time of entry, nothing that may change and nothing personal."""
SPLITS: Final = "splits"
"""Its field with the branch that was drawn at each random split; only a journey that declares some has it."""

_EXECUTION: Final[Fields] = {
    "Id": {}, "Name": {}, "RoleArn": {}, "StartTime": {}, "RedriveCount": {}, "RedriveTime": {},
}  # fmt: skip
_CONTEXT: Final[Fields] = {
    "State": {"EnteredTime": {}, "Name": {}, "RetryCount": {}},
    "StateMachine": {"Id": {}, "Name": {}},
    "Map": {"Item": {"Index": {}, "Key": {}, "Value": None, "Source": {}}},
    "Task": {"Token": {}},
}  # fmt: skip
"""Source: AWS Step Functions Developer Guide, "Accessing execution data from the Context object"."""

_CAUGHT: Final[Fields] = {"Error": {}, "Cause": {}}
_INVOKED: Final[Mapping[str, Fields | None]] = {
    "ExecutedVersion": {}, "SdkHttpMetadata": None, "SdkResponseMetadata": None, "StatusCode": {},
}  # fmt: skip
"""What the service integration with Lambda gives beside ``Payload``."""

_HAVE_A_RESULT: Final = {"Task", "Parallel", "Map"}
_WHOLE: Final = re.compile(r"\{%\s*\$states\.(input|result)\s*%\}")


@dataclass(frozen=True, slots=True)
class Place:
    """One state: what ``$states`` holds there, and which variables surely and perhaps have a value.

    ``input`` and ``result`` are None where the definition does not say. ``journey_input`` is that of the whole journey.
    """

    input: Fields | None
    result: Fields | None
    surely: frozenset[str]
    perhaps: frozenset[str]
    has_result: bool
    journey_input: Fields = field(default_factory=lambda: JOURNEY_INPUT)

    def states(self, field: str) -> Fields:
        """``$states`` in the field of the state (a path such as ``Catch[0].Output``)."""
        context: Fields = {**_CONTEXT, "Execution": {**_EXECUTION, "Input": self.journey_input}}
        known: dict[str, Fields | None] = {"input": self.input, "context": context}
        if field.startswith("Catch["):
            return {**known, "errorOutput": _CAUGHT}
        if self.has_result and field.split(".", maxsplit=1)[0].split("[", maxsplit=1)[0] in {"Output", "Assign"}:
            return {**known, "result": self.result}
        return known


def places(definition: dict[str, Any], tasks: Mapping[str, Task], splits: Iterable[str] = ()) -> Mapping[str, Place]:
    """Every state of the machine by name; ``splits`` are those that the journey declares."""
    given = {**JOURNEY_INPUT, SPLITS: {name: {} for name in splits}}
    return {
        name: replace(place, journey_input=given)
        for name, place in _places(definition, given, tasks, frozenset(), frozenset())
    }


def _places(
    machine: dict[str, Any],
    entry: Fields | None,
    tasks: Mapping[str, Task],
    surely: frozenset[str],
    perhaps: frozenset[str],
) -> Iterator[tuple[str, Place]]:
    scope = Scope(machine["StartAt"], machine["States"])
    variables, inputs = variables_of(scope), _inputs(scope, entry, tasks)
    for name, state in scope.states.items():
        sure, maybe = surely | variables.surely[name], perhaps | variables.perhaps[name]
        given = inputs.get(name)
        yield name, Place(given, _result(state, tasks), sure, maybe, state["Type"] in _HAVE_A_RESULT)
        inner = _inner_input(state, given)
        for _, branch in branches(name, state):
            yield from _places(branch, inner, tasks, sure, maybe)


def _inputs(scope: Scope, entry: Fields | None, tasks: Mapping[str, Task]) -> dict[str, Fields | None]:
    """What each state is given, by all ways that lead to it."""
    found: dict[str, Fields | None] = {scope.start: entry}
    waiting = [scope.start]
    while waiting:
        name = waiting.pop()
        for target, given in _handed_on(scope.states[name], found[name], tasks):
            before = found.get(target, {})
            after = given if target not in found else _either(before, given)
            if target not in found or after != before:
                found[target] = after
                waiting.append(target)
    return found


def _handed_on(state: State, given: Fields | None, tasks: Mapping[str, Task]) -> Iterator[tuple[str, Fields | None]]:
    result = _result(state, tasks) if state["Type"] in _HAVE_A_RESULT else given
    for row in state.get("Choices", ()):
        yield row["Next"], _output(row, given, given)
    for row in state.get("Catch", ()):
        yield row["Next"], _output(row, _CAUGHT, given)
    for target in (state.get("Next"), state.get("Default")):
        if target is not None:
            yield target, _output(state, result, given)


def _output(row: Mapping[str, Any], usual: Fields | None, given: Fields | None) -> Fields | None:
    if "Output" not in row:
        return usual
    output = row["Output"]
    whole = _WHOLE.fullmatch(output) if isinstance(output, str) else None
    match whole[1] if whole else output:
        case "input":
            return given
        case "result":
            return usual
        case Mapping():
            return {
                key: {} if not isinstance(each, Mapping) and not is_expression(each) else None
                for key, each in output.items()
            }
        case _:
            return None


def _inner_input(state: State, given: Fields | None) -> Fields | None:
    """What the branches of a state begin with."""
    if state["Type"] == "Parallel":
        return given if "Arguments" not in state else None
    return None


def _result(state: State, tasks: Mapping[str, Task]) -> Fields | None:
    function = called_function(state)
    if function is None or function not in tasks:
        return None
    task = tasks[function]
    return task.result if task.answers_itself else {"Payload": task.result, **_INVOKED}


def _either(one: Fields | None, other: Fields | None) -> Fields | None:
    """What one of two ways gives; None where one of them does not say."""
    if one is None or other is None:
        return None
    both = one.keys() & other.keys()
    return {**one, **other, **{name: _either(one[name], other[name]) for name in both}}
