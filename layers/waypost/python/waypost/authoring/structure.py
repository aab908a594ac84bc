"""The structure of a journey's definition: known fields, types and targets. Comes before every other check of it.

Step Functions would refuse most of these too, but only when the stack is deployed, and without the nearest name.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from waypost.authoring.graph import State, branches
from waypost.authoring.problems import is_expression, join, nearest, unknown

Findings = Iterator[tuple[str, str]]
"""Pairs of a field in the definition (a path that starts with the state's name) and a reason."""

_MACHINE_FIELDS: Final = {"Comment", "QueryLanguage", "StartAt", "States", "TimeoutSeconds", "Version"}
_BRANCH_FIELDS: Final = {"Comment", "StartAt", "States", "ProcessorConfig"}
_COMMON: Final = {"Type", "Comment", "QueryLanguage"}
_FLOW: Final = {"Next", "End", "Output", "Assign"}
_STATE_FIELDS: Final = {
    "Task": _COMMON | _FLOW | {"Resource", "Arguments", "Retry", "Catch", "TimeoutSeconds"},
    "Parallel": _COMMON | _FLOW | {"Branches", "Arguments", "Retry", "Catch"},
    "Map": _COMMON | _FLOW | {"ItemProcessor", "Items", "ItemSelector", "MaxConcurrency", "Retry", "Catch"},
    "Choice": _COMMON | {"Choices", "Default", "Output", "Assign"},
    "Pass": _COMMON | _FLOW,
    "Succeed": _COMMON | {"Output"},
    "Fail": _COMMON | {"Error", "Cause"},
}
_CHOICE_FIELDS: Final = {"Condition", "Next", "Output", "Assign", "Comment"}
_CATCH_FIELDS: Final = {"ErrorEquals", "Next", "Output", "Assign", "Comment"}
_RETRY_FIELDS: Final = {
    "ErrorEquals", "IntervalSeconds", "MaxAttempts", "BackoffRate", "MaxDelaySeconds", "JitterStrategy", "Comment",
}  # fmt: skip
_JSONPATH_FIELDS: Final = {
    "InputPath",
    "OutputPath",
    "ResultPath",
    "ResultSelector",
    "Parameters",
    "ItemsPath",
    "Result",
}


def structure(definition: dict[str, Any]) -> Findings:
    """What is wrong with the structure; while anything is, no other check can be trusted."""
    if definition.get("QueryLanguage") != "JSONata":
        yield "QueryLanguage", f"expected JSONata, got {definition.get('QueryLanguage', 'nothing')}"
    yield from _machine("", definition, _MACHINE_FIELDS)


def _machine(path: str, machine: Any, fields: Collection[str]) -> Findings:
    """The structure everything else relies on: states are mappings with known fields that lead to each other."""
    if not isinstance(machine, dict):
        yield path, "expected a mapping with StartAt and States"
        return
    yield from known_fields(path, machine, fields)
    states, start = machine.get("States"), machine.get("StartAt")
    if not isinstance(states, dict) or not states:
        yield join(path, "States"), "is missing" if states is None else "expected a mapping of states"
        return
    if not isinstance(start, str) or start not in states:
        yield join(path, "StartAt"), _no_state(start, states) if start else "is missing"
    for name, state in states.items():
        yield from _state(name, state, states)


def _state(name: str, state: Any, siblings: Mapping[str, Any]) -> Findings:
    if not isinstance(state, dict):
        yield name, "expected a state (a mapping with a Type)"
        return
    kind = state.get("Type")
    if kind == "Wait":
        yield (
            f"{name}.Type",
            "a journey has no Wait: let time pass with a Pause (${PauseJourney}), which can be rehearsed",
        )
        return
    if not isinstance(kind, str) or kind not in _STATE_FIELDS:
        yield f"{name}.Type", unknown(kind, _STATE_FIELDS, "unknown type") if kind else "is missing"
        return
    yield from known_fields(name, state, _STATE_FIELDS[kind])
    if state.get("QueryLanguage", "JSONata") != "JSONata":
        yield f"{name}.QueryLanguage", "expected JSONata"
    yield from _flow(name, state, siblings)
    if kind == "Parallel" and (not isinstance(state.get("Branches"), list) or not state["Branches"]):
        yield f"{name}.Branches", "expected a list of branches"
        return
    for path, branch in branches(name, state):
        yield from _machine(path, branch, _BRANCH_FIELDS)


def _flow(name: str, state: State, siblings: Mapping[str, Any]) -> Findings:
    kind = state["Type"]
    if kind in {"Task", "Parallel", "Map", "Pass"} and ("Next" in state) == (state.get("End") is True):
        yield f"{name}.Next", "expected either Next with the name of a state, or End: true"
    if "Next" in state:
        yield from _target(f"{name}.Next", state["Next"], siblings)
    if "Default" in state:
        yield from _target(f"{name}.Default", state["Default"], siblings)
    if kind == "Choice":
        yield from _rows(name, state, "Choices", _CHOICE_FIELDS, siblings)
    for field, fields in (("Catch", _CATCH_FIELDS), ("Retry", _RETRY_FIELDS)):
        if field in state:
            yield from _rows(name, state, field, fields, siblings)


def _rows(name: str, state: State, field: str, fields: Collection[str], siblings: Mapping[str, Any]) -> Findings:
    """The rows of Choices, Catch or Retry."""
    rows = state.get(field)
    if not isinstance(rows, list) or not rows:
        yield f"{name}.{field}", "expected a list"
        return
    for index, row in enumerate(rows):
        path = f"{name}.{field}[{index}]"
        if not isinstance(row, dict):
            yield path, "expected a mapping"
            continue
        yield from known_fields(path, row, fields)
        if "Next" in fields:
            yield from _target(f"{path}.Next", row.get("Next"), siblings)
        if "Condition" in fields and not is_expression(row.get("Condition")):
            yield f"{path}.Condition", f'expected an expression "{{% … %}}", got {row.get("Condition")!r}'
        if "ErrorEquals" in fields and not _is_list_of_text(row.get("ErrorEquals")):
            yield f"{path}.ErrorEquals", "expected a list of error names"


def _is_list_of_text(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, str) for each in value)


def known_fields(path: str, mapping: Mapping[str, Any], fields: Collection[str]) -> Findings:
    """The fields of ``mapping`` that are not among ``fields``."""
    for field in mapping:
        if field in _JSONPATH_FIELDS or field.endswith(".$"):
            yield join(path, field), "belongs to JSONPath; with JSONata it is Arguments, Assign or Output"
        elif field not in fields:
            yield join(path, field), unknown(field, fields, "unknown field")


def _target(path: str, target: Any, siblings: Mapping[str, Any]) -> Findings:
    if not isinstance(target, str):
        yield path, "is missing" if target is None else f"expected the name of a state, got {target!r}"
    elif target not in siblings:
        yield path, _no_state(target, siblings)


def _no_state(name: object, states: Mapping[str, Any]) -> str:
    guess = nearest(name, states)
    return f"no state {name!r} beside it" + (f"; did you mean {guess!r}?" if guess else "")
