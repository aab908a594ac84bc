"""The rules a journey's definition must keep, each with the reason an author reads. Called by discovery."""

import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from pydantic import ValidationError

from waypost import errors
from waypost.authoring.expression_checks import expression_findings
from waypost.authoring.graph import (
    LEAVING_ERRORS,
    Scope,
    State,
    after_leaving,
    bodies,
    branches,
    called_function,
    caught_leaving,
    is_end,
    scopes,
    targets,
)
from waypost.authoring.hops import hop_findings
from waypost.authoring.problems import explain, is_expression, join, nearest, unknown
from waypost.authoring.split_checks import NO_SPLITS, split_findings
from waypost.authoring.structure import Findings, known_fields, structure
from waypost.authoring.tasks import Task
from waypost.authoring.texts import keys_in, texts_in
from waypost.authoring.value_flow import places
from waypost.contacts.channels import CHANNELS

_STATES_ERRORS: Final = {
    f"States.{name}"
    for name in (
        "ALL", "BranchFailed", "DataLimitExceeded", "ExceedToleratedFailureThreshold", "HeartbeatTimeout",
        "ItemReaderFailed", "NoChoiceMatched", "Permissions", "QueryEvaluationError", "ResultWriterFailed", "TaskFailed",
        "Timeout",
    )
}  # fmt: skip
_WAYPOST_ERRORS: Final = {
    name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, errors.WaypostError)
}
_CATCH_ALL: Final = {"States.ALL", "States.TaskFailed"}

_PLACEHOLDER: Final = re.compile(r"\$\{([^}]*)\}")


def lint(
    definition: Any,
    *,
    tasks: Mapping[str, Task],
    left_early: set[str],
    messages: Mapping[str, Collection[str]],
    splits: Mapping[str, Collection[str]] = NO_SPLITS,
) -> list[tuple[str, str]]:
    """What is wrong with a definition, as pairs of a field and a reason.

    ``tasks`` are those it may call, by placeholder. ``left_early`` holds the errors by which the manifest lets events end the body (GoalReached, JourneyExited);
    ``messages`` maps the journey's messages to their channels, ``splits`` its random splits to their branches.
    """
    if not isinstance(definition, dict):
        return [("", "expected a state machine in the Amazon States Language")]
    broken = list(structure(definition))
    if broken:
        return broken
    found = [
        *_names(definition),
        *_ways(definition),
        *_loops(definition, tasks),
        *_failures(definition),
        *_caught_errors(definition),
        *_strings(definition, tasks, splits),
        *_tasks(definition, tasks, messages),
        *split_findings(definition, splits),
        *hop_findings(definition),
    ]
    found.extend(_leaving(definition, left_early))
    return found


def _names(definition: dict[str, Any]) -> Findings:
    seen: set[str] = set()
    for scope in scopes(definition):
        for name, state in scope.states.items():
            if name in seen:
                yield name, "a state of this name exists already; names are unique in the whole machine"
            seen.add(name)
            if len(name) > 80:
                yield name, f"the name has {len(name)} characters; Step Functions allows 80"
            one_word_will_do = state["Type"] in {"Succeed", "Fail"}
            if name[:1].islower() or not (one_word_will_do or _is_sentence(name)):
                yield (
                    name,
                    "not a sentence: give it several words, the first with a capital, as 'Day 1, welcome e-mail'",
                )


def _is_sentence(name: str) -> bool:
    """Words, or a phrase in a script that is written without spaces between them."""
    return (
        re.search(r"[\s,，、：]", name) is not None or re.search(r"[\u3040-\u30ff\u3400-\u9fff]{2}", name) is not None
    )


def _ways(definition: dict[str, Any]) -> Findings:
    for scope in scopes(definition):
        reached = scope.reachable(scope.start)
        for name, state in scope.states.items():
            if name not in reached:
                yield name, "no state leads here"
            elif not any(is_end(scope.states[other]) for other in scope.reachable(name)):
                yield name, "no end can be reached from here; give a last state End: true, Succeed or Fail"
            elif state["Type"] in {"Succeed", "Fail"} and targets(state):
                yield name, f"a {state['Type']} state ends the journey; it has no Next"


def _loops(definition: dict[str, Any], tasks: Mapping[str, Task]) -> Findings:
    for scope in scopes(definition):
        pauses = [name for name, state in scope.states.items() if called_function(state) == "PauseJourney"]
        looping = scope.in_a_cycle()
        for name in sorted(scope.in_a_cycle(without=pauses)):
            yield name, "is in a loop without a Pause, which would never rest"
        for name, state in scope.states.items():
            function = called_function(state)
            repeated = name in looping or _inside_a_loop(definition, scope)
            counts = function is not None and function in tasks and tasks[function].counts_rounds
            if repeated and counts and not _occurrence(state):
                yield (
                    f"{name}.Arguments.Payload.occurrence",
                    "is missing: this state is in a loop, so pass the number of the round, or every round is the first one",
                )


def _inside_a_loop(definition: dict[str, Any], scope: Scope) -> bool:
    """Whether a state around the scope is itself entered again, or is a Map."""
    for outer in scopes(definition):
        for name in set(scope.inside) & set(outer.states):
            if outer.states[name]["Type"] == "Map" or name in outer.in_a_cycle():
                return True
    return False


def _occurrence(state: State) -> bool:
    payload = state["Arguments"].get("Payload")
    return isinstance(payload, dict) and is_expression(payload.get("occurrence"))


def _failures(definition: dict[str, Any]) -> Findings:
    for scope in scopes(definition):
        for name, state in scope.states.items():
            for index, catcher in enumerate(state.get("Catch", [])):
                if set(catcher["ErrorEquals"]) <= LEAVING_ERRORS:
                    continue
                after = scope.reachable(catcher["Next"])
                if not any(scope.states[each]["Type"] == "Fail" for each in after):
                    yield (
                        f"{name}.Catch[{index}].Next",
                        "a failure must be able to end in a Fail state, not only in success",
                    )


def _caught_errors(definition: dict[str, Any]) -> Findings:
    raised = {
        state["Error"]
        for scope in scopes(definition)
        for state in scope.states.values()
        if state["Type"] == "Fail" and isinstance(state.get("Error"), str)
    }
    known = _WAYPOST_ERRORS | _STATES_ERRORS | raised
    for scope in scopes(definition):
        for name, state in scope.states.items():
            for field in ("Catch", "Retry"):
                yield from _error_names(name, state, field, known)
            if called_function(state) == "PauseJourney" or branches(name, state):
                yield from _swallowed(name, state)


def _error_names(name: str, state: State, field: str, known: Collection[str]) -> Findings:
    rows = state.get(field, [])
    for index, row in enumerate(rows):
        path = f"{name}.{field}[{index}].ErrorEquals"
        for error in row["ErrorEquals"]:
            if error not in known and not error.startswith(("Lambda.", "Sandbox.", "Runtime.")):
                yield path, f"nothing raises {error!r}; " + _error_hint(error, known)
        if "States.ALL" in row["ErrorEquals"] and (len(row["ErrorEquals"]) > 1 or index < len(rows) - 1):
            yield path, "States.ALL must stand alone and come last"


def _error_hint(error: str, known: Collection[str]) -> str:
    guess = nearest(error, known)
    return f"did you mean {guess!r}?" if guess else "waypost/errors.py has the tree of errors"


def _swallowed(name: str, state: State) -> Findings:
    """A goal or exit reaches the body's own Catch: nothing on its way may take it for a failure."""
    for index, row in enumerate(state.get("Retry", [])):
        if (_CATCH_ALL | LEAVING_ERRORS) & set(row["ErrorEquals"]):
            yield (
                f"{name}.Retry[{index}].ErrorEquals",
                "would try a contact again that leaves the journey; name the errors",
            )
    named: set[str] = set()
    for index, row in enumerate(state.get("Catch", [])):
        if _CATCH_ALL & set(row["ErrorEquals"]) and not named >= LEAVING_ERRORS:
            yield (
                f"{name}.Catch[{index}].ErrorEquals",
                "also catches GoalReached and JourneyExited, which are no failures; name the errors, or catch these two before",
            )
        named |= LEAVING_ERRORS & set(row["ErrorEquals"])


def _strings(definition: dict[str, Any], tasks: Mapping[str, Task], splits: Collection[str]) -> Findings:
    known = places(definition, tasks, splits)
    for scope in scopes(definition):
        for name, state in scope.states.items():
            own = {field: value for field, value in state.items() if field not in {"Branches", "ItemProcessor"}}
            for path, text in texts_in(name, {name: own}):
                for placeholder in _PLACEHOLDER.findall(text):
                    if placeholder not in tasks:
                        yield path, unknown(placeholder, tasks, "unknown function")
                if not path.endswith(".Comment"):
                    yield from expression_findings(path, text, state=name, place=known[name])
            for path, key in keys_in(name, {name: own}):
                if "${" in key:
                    yield path, "a placeholder stands in a string value, never in a name"


def _tasks(definition: dict[str, Any], tasks: Mapping[str, Task], messages: Mapping[str, Collection[str]]) -> Findings:
    for scope in scopes(definition):
        for name, state in scope.states.items():
            if state["Type"] == "Task":
                yield from _task(name, state, tasks, messages)


def _task(name: str, state: State, tasks: Mapping[str, Task], messages: Mapping[str, Collection[str]]) -> Findings:
    arguments = state.get("Arguments")
    if not isinstance(arguments, dict):
        yield f"{name}.Arguments", 'expected {FunctionName: "${…}", Payload: {…}}'
        return
    yield from known_fields(f"{name}.Arguments", arguments, ("FunctionName", "Payload"))
    function = called_function(state)
    if function is None:
        expected = ", ".join(f"${{{each}}}" for each in tasks)
        yield f"{name}.Arguments.FunctionName", f"expected one of {expected}, got {arguments.get('FunctionName')!r}"
    if function is None or function not in tasks:  # an unknown placeholder is reported with the others
        return
    task = tasks[function]
    if state.get("Resource") != task.resource:
        yield f"{name}.Resource", f"expected {task.resource} for ${{{function}}}, got {state.get('Resource')!r}"
    path, payload = f"{name}.Arguments.Payload", arguments.get("Payload")
    if not isinstance(payload, dict):
        yield path, "is missing" if payload is None else "expected a mapping"
        return
    try:
        task.payload.model_validate(payload)
    except ValidationError as error:
        for field, reason in explain(error, payload, task.payload):
            yield join(path, field), reason
    if function in {"SendMessage", "NotifyStaff"}:
        yield from _message(path, payload, messages)


def _message(path: str, payload: Mapping[str, Any], messages: Mapping[str, Collection[str]]) -> Findings:
    message, channel = payload.get("message"), payload.get("channel")
    if not isinstance(message, str) or is_expression(message):
        return
    if message not in messages:
        yield f"{path}.message", unknown(message, messages, "no folder in messages/ is called")
    elif channel in CHANNELS and channel not in messages[message]:
        yield f"{path}.channel", f"the message {message!r} has no {channel}; it has {', '.join(messages[message])}"


def _leaving(definition: dict[str, Any], left_early: set[str]) -> Findings:
    """Where goal or exit events end the journey, its body is one branch whose Parallel catches them."""
    found = bodies(definition)
    if not left_early:
        return
    if not found and len(alone := _bodies_without_catch(definition)) == 1:
        yield (
            f"{alone[0]}.Catch",
            f"is missing: journey.yaml has a goal or exit_on, so catch {' and '.join(sorted(left_early))} here",
        )
        return
    if not found:
        yield (
            "States",
            "journey.yaml has a goal or exit_on, so the steps belong into a Parallel with one branch that catches "
            + " and ".join(sorted(left_early)),
        )
        return
    for name, body in found.items():
        for error in sorted(left_early - caught_leaving(body)):
            yield f"{name}.Catch", f"nothing catches {error}, which journey.yaml makes possible"
    safe = after_leaving(definition)
    for name, state in definition["States"].items():
        if called_function(state) == "PauseJourney" and name not in safe:
            yield (
                name,
                f"this Pause is outside of {next(iter(found))!r}, so leaving the journey here would count as a failure",
            )


def _bodies_without_catch(definition: dict[str, Any]) -> list[str]:
    """The Parallel states with one branch at the top, one of which an author meant to be the body."""
    return [
        name
        for name, state in definition["States"].items()
        if state["Type"] == "Parallel" and len(state.get("Branches", [])) == 1
    ]
