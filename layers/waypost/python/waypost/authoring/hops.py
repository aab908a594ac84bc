"""Compile a journey's definition into the machine of its hops: one short execution from where a contact stands to the next Pause.

The authored graph stays as it is. Added are, per scope that holds a Pause, a Choice in front of it ("Where this hop begins"),
which restores variables and input and goes to the contact's Pause, and the ways out (*Parked* and *Left*); and behind each
Pause a Choice ("…: over?"), which carries the Pause's own Assign and Output. A first hop asks for its enrolment ("Begin"), and
every end of the journey closes the enrolment before it ends. Used by discovery.

A hop begins by asking its Pause again. ``pause_journey`` answers ``{"status": "parked"}``, ``{"status": "over", "result": …}``
or ``{"status": "left", "error": "GoalReached", "cause": …}``. So a spurious or doubled hop parks again and changes nothing, and
resuming by time, by event, by goal and by exit are one act: mark the Pause over, start the machine at it. Where nothing is left to do
behind a Pause (``waypost.authoring.last_pauses``), its row says so, and whatever ends it ends the journey instead.
"""

import copy
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final

from waypost.authoring.expressions import FUNCTIONS, RESERVED
from waypost.authoring.graph import LEAVING_ERRORS, Scope, State, branches, called_function
from waypost.authoring.last_pauses import nothing_behind
from waypost.authoring.variables import Variables, variables_of
from waypost.journeys.hops import INPUT_BEHIND, OVER, RESULT_BEHIND

Definition = dict[str, Any]
Findings = Iterator[tuple[str, str]]

PAUSE: Final = "PauseJourney"
CLOSE: Final = "CloseEnrolment"
INVOKE: Final = "arn:aws:states:::lambda:invoke"
PARKED: Final = "Parked"
"""The error by which a hop leaves the body of a journey that has parked; nothing failed."""

SUPERSEDED: Final = "HopSuperseded"
"""The error by which a task refuses a hop that no longer holds its enrolment: another one walks, this one stops."""

_HOP: Final = "$states.context.Execution.Input.hop"
_RESUMES: Final = "resumes_in"
"""The field by which an outer door tells the inner one that this hop goes on inside; a later round enters without it."""

_CATCH_ALL: Final = frozenset({"States.ALL", "States.TaskFailed"})
_NAME_LIMIT: Final = 80  # characters; source: Step Functions quotas
_TIME_OF_EXECUTION: Final = re.compile(r"\$states\.context\.(Execution\.StartTime|State\.EnteredTime)\b")
_READS_INPUT: Final = re.compile(r"\$states\.input\b")


def hop_findings(definition: Definition) -> Findings:
    """What keeps the definition from being cut into hops, as pairs of a field and a reason with a way out.

    The definition must have passed ``waypost.authoring.structure``.
    """
    if "TimeoutSeconds" in definition:
        yield "TimeoutSeconds", "a journey lasts as long as its Pauses; end it with a Pause and its `until` or `for`"
    yield from _scope_findings(definition, around=())


def compiled(definition: Definition, *, transient: Sequence[str] = ()) -> Definition:
    """The machine of the hops. The definition must have no ``hop_findings``.

    ``transient`` are the errors that may go away by themselves: a hop that ends with one of them leaves its enrolment open,
    and the sweep gives it out again.
    """
    machine = copy.deepcopy(definition)
    _mark_last_pauses(machine)
    names = _Names({name for scope in _machines(machine) for name in scope["States"]})
    written = set(names.taken)
    enclosed = any(_fails_uncaught(state) for state in machine["States"].values())
    if enclosed:
        machine = _enclosed(machine, names)
    authored = dict(machine["States"])
    _close_at_the_ends(machine, names)
    failing = names.new("Close after an error")
    _open_doors(machine, around=(), names=names, failing=failing, enclosed=enclosed)
    _close_at_errors(machine, authored, names, transient, close=failing)
    _name_failing_states(machine, written, names)
    return machine


def _mark_last_pauses(machine: Definition) -> None:
    """Have the row of a Pause say by which ways out of it nothing is left to do."""
    last = nothing_behind(machine)
    for scope in _machines(machine):
        for name, state in scope["States"].items():
            if name in last:
                state["Arguments"]["Payload"]["row"] = {"nothing_behind": list(last[name])}


@dataclass(frozen=True, slots=True)
class _Level:
    """A scope on the way to a Pause, and the state in it that holds the Pause or is it."""

    variables: Variables
    state: str

    @property
    def carried(self) -> frozenset[str]:
        """The variables that the row of the contact must hold for this scope."""
        return self.variables.needed[self.state] & self.variables.surely[self.state]

    @property
    def unsure(self) -> frozenset[str]:
        """The variables that are needed and may have no value."""
        return (self.variables.needed[self.state] & self.variables.perhaps[self.state]) - self.carried


@dataclass(slots=True)
class _Names:
    """Names of states, unique in the machine."""

    taken: set[str]

    def new(self, name: str, suffix: str = "") -> str:
        """A free name that begins like ``name`` and ends with ``suffix``."""
        rest, number = "", 1
        while (found := f"{name[: _NAME_LIMIT - len(suffix) - len(rest)]}{rest}{suffix}") in self.taken:
            number += 1
            rest = f" ({number})"
        self.taken.add(found)
        return found


# ------------------------------------------------------------------------------------------------------- what is refused


def _scope_findings(machine: Definition, around: Sequence[_Level]) -> Findings:
    scope = Scope(machine["StartAt"], machine["States"])
    variables = variables_of(scope)
    for name in sorted(variables.assigned & (FUNCTIONS | RESERVED)):
        yield "States", f"${name} is a function of JSONata; give the variable another name, such as {name}_number"
    for name, state in scope.states.items():
        yield from _reads_the_hops_time(name, state)
        levels = [*around, _Level(variables, name)]
        if called_function(state) == PAUSE:
            yield from _pause_findings(name, state, levels)
        if any(True for _, inner in branches(name, state) for _ in _pauses(inner)):
            yield from _holder_findings(name, state)
        for _, inner in branches(name, state):
            yield from _scope_findings(inner, levels)


def _reads_the_hops_time(name: str, state: State) -> Findings:
    own = {field: value for field, value in state.items() if field not in {"Branches", "ItemProcessor", "Comment"}}
    if found := _TIME_OF_EXECUTION.search(json.dumps(own)):
        yield (
            name,
            (
                f"$states.context.{found[1]} is the time of a part of the journey; the time of entry is "
                "$states.context.Execution.Input.enrolled_at"
            ),
        )


def _pause_findings(name: str, state: State, levels: Sequence[_Level]) -> Findings:
    for field in sorted({"TimeoutSeconds", "HeartbeatSeconds"} & set(state)):
        yield f"{name}.{field}", "a Pause lasts as long as its `for` or `until` says"
    for variable in sorted({each for level in levels for each in level.unsure}):
        yield (
            name,
            (
                f"${variable} may have no value when a contact waits here, and is read afterwards; assign it on every way that "
                "leads here, for example in the first state"
            ),
        )


def _holder_findings(name: str, state: State) -> Findings:
    """What a state that holds Pauses must not have: a hop enters it in the middle."""
    if state["Type"] == "Map":
        yield name, "a Pause inside a Map is not possible; enrol each item in a journey of its own"
        return
    if len(state["Branches"]) > 1:
        yield (
            f"{name}.Branches",
            (
                "a Pause inside one of several branches is not possible: a contact stands at one place; put the Pause behind "
                "the Parallel, or make journeys of the branches"
            ),
        )
    if "Retry" in state:
        yield f"{name}.Retry", "would begin the body again from its first state; put Retry on the tasks inside"
    if "Arguments" in state:
        yield f"{name}.Arguments", "is read again by each part of the journey; assign what the body needs to variables"
    parts = {field: state[field] for field in ("Output", "Assign", "Catch") if field in state}
    if _READS_INPUT.search(json.dumps(parts)):
        yield (
            name,
            "$states.input of a state with a Pause inside is gone after the Pause; assign it to a variable before",
        )


# ----------------------------------------------------------------------------------------------------------- what is built


def _fails_uncaught(state: State) -> bool:
    """Whether the state may fail by itself and can have no Catch: only a Task, a Parallel and a Map have one."""
    match state:
        case {"Type": "Choice"}:
            return True
        case {"Type": "Pass" | "Succeed"}:
            return "{%" in json.dumps(state)
        case _:
            return called_function(state) == PAUSE and bool({"Assign", "Output"} & set(state))


def _enclosed(machine: Definition, names: _Names) -> Definition:
    """The machine with all its states inside one Parallel, which catches what its states cannot."""
    whole = names.new("The whole journey")
    around = {
        "Type": "Parallel",
        "Comment": "Catches what fails in a state that cannot have a Catch.",
        "Branches": [{field: machine[field] for field in ("StartAt", "States")}],
        "End": True,
    }
    return machine | {"StartAt": whole, "States": {whole: around}}


def _open_doors(
    machine: Definition, around: Sequence[_Level], names: _Names, *, failing: str, enclosed: bool = False
) -> None:
    """Give the scope its door, the Choices behind its Pauses and its ways out; the scopes inside it first.

    ``failing`` is the state of the outermost scope that closes an enrolment after an error; ``enclosed`` says that the author's
    outermost scope is inside the Parallel of ``_enclosed``.
    """
    states, depth = machine["States"], len(around)
    variables = variables_of(Scope(machine["StartAt"], states))
    doors: list[tuple[str, _Level]] = []
    added: dict[str, State] = {}
    parked = names.new("Parked" if depth == 0 else "Parked, inside")
    left = names.new("Left" if depth == 0 else "Left, inside")
    leaves = False
    for name, state in states.items():
        level = _Level(variables, name)
        if called_function(state) == PAUSE:
            doors.append((name, level))
            leaves = True
            added |= _behind(name, state, [*around, level], parked=parked, left=left, names=names)
        elif waiting := [pause for _, inner in branches(name, state) for pause in _pauses(inner)]:
            doors += [(pause, level) for pause in waiting]
            _open_doors(state["Branches"][0], [*around, level], names, failing=failing, enclosed=enclosed)
            state["Catch"] = [{"ErrorEquals": [PARKED], "Next": parked}, *state.get("Catch", [])]
        _stop_where_superseded(state, parked)
    start: str = machine["StartAt"]
    if depth == 0:
        begin = names.new("Begin")
        added |= _begin(begin, start, parked, names)
        start = begin
    if doors:
        door = names.new("Where this hop begins" if depth == 0 else "Where this hop begins, inside")
        added[door] = _door(doors, start=start, outermost=depth == 0)
        start = door
    added[parked] = _parked(outermost=depth == 0)
    if leaves:
        added[left] = _left(failing=None if depth else failing, named=enclosed and depth == 1)
    machine["StartAt"] = start
    states |= added


def _begin(name: str, start: str, parked: str, names: _Names) -> dict[str, State]:
    """The task that takes the first hop of an enrolment, and the Choice on its answer."""
    begun = names.new(name, ": taken?")
    return {
        name: _asks(
            PAUSE,
            {"begin": True},
            Comment="Takes the first hop; a doubled one stops here.",
            Output="{% {'input': $states.input, 'answer': $states.result.Payload} %}",
            Next=begun,
        ),
        begun: {
            "Type": "Choice",
            "Choices": [
                {"Condition": "{% $states.input.answer.status = 'parked' %}", "Next": parked},
                {"Condition": "{% true %}", "Output": "{% $states.input.input %}", "Next": start},
            ],
            "Default": start,
        },
    }


def _asks(function: str, payload: Mapping[str, Any], **fields: Any) -> State:
    """A task that calls a function with the whole context."""
    arguments = {"FunctionName": f"${{{function}}}", "Payload": {**payload, "context": "{% $states.context %}"}}
    return {"Type": "Task", "Resource": INVOKE, "Arguments": arguments, **fields}


def _stop_where_superseded(state: State, parked: str) -> None:
    """Where an author catches every error, a hop that no longer holds its enrolment still stops."""
    rows = state.get("Catch", [])
    first = next((index for index, row in enumerate(rows) if _CATCH_ALL & set(row["ErrorEquals"])), None)
    if first is not None:
        state["Catch"] = [*rows[:first], {"ErrorEquals": [SUPERSEDED], "Next": parked}, *rows[first:]]


def _close_at_the_ends(machine: Definition, names: _Names) -> None:
    """Lead every end of the outermost scope through the task that closes the enrolment."""
    states = machine["States"]
    added: dict[str, State] = {}
    close = names.new("Close")
    for name, state in states.items():
        match state:
            case {"Type": "Fail"}:
                failed = names.new(name, ": failed")
                added[failed] = dict(state)
                failure = {"error": state.get("Error", ""), "cause": state.get("Cause", ""), "state": name}
                task = _asks(CLOSE, {"outcome": "failed", **failure}, Output="{% $states.input %}", Next=failed)
                states[name] = task | {key: state[key] for key in ("Comment",) if key in state}
            case {"Type": "Succeed"}:
                state["Type"], state["Next"] = "Pass", close
            case {"End": True}:
                del state["End"]
                state["Next"] = close
            case _:
                pass
    ends = _asks(CLOSE, {"outcome": "completed"}, Output="{% $states.input %}", End=True)
    states |= {**added, close: ends | {"Comment": "The journey is over for this contact."}}


def _close_at_errors(
    machine: Definition, authored: Iterable[str], names: _Names, transient: Sequence[str], *, close: str
) -> None:
    """Let an error that nothing else catches close the enrolment, unless it may go away or another hop walks."""
    states = machine["States"]
    parked = next(name for name, state in states.items() if state["Type"] == "Succeed")
    why, failed, interrupted = names.new("Why did it fail?"), names.new("Failed"), names.new("Interrupted")
    noted = names.new("Note the interruption")
    for name in authored:
        state = states[name]
        rows = state.get("Catch", [])
        if state["Type"] not in {"Task", "Parallel", "Map"} or called_function(state) == CLOSE:
            continue
        if any("States.ALL" in row["ErrorEquals"] for row in rows):
            continue
        output = f"{{% $merge([$states.errorOutput, {{'state': {_text(name)}}}]) %}}"
        state["Catch"] = [*rows, {"ErrorEquals": ["States.ALL"], "Output": output, "Next": why}]
    error, cause = "{% $states.input.Error %}", "{% $exists($states.input.Cause) ? $states.input.Cause : '' %}"
    ways = [{"Condition": f"{{% $states.input.Error = '{SUPERSEDED}' %}}", "Next": parked}]
    if transient:
        ways.append({"Condition": f"{{% $states.input.Error in {json.dumps(list(transient))} %}}", "Next": noted})
    reason = {"error": error, "cause": cause, "state": "{% $states.input.state %}"}
    states |= {
        why: {"Type": "Choice", "Choices": ways, "Default": close},
        close: _asks(CLOSE, {"outcome": "failed", **reason}, Output="{% $states.input %}", Next=failed),
        noted: _asks(CLOSE, {"outcome": "interrupted", **reason}, Output="{% $states.input %}", Next=interrupted),
        failed: {"Type": "Fail", "Error": error, "Cause": cause},
        interrupted: {
            "Type": "Fail",
            "Comment": "The enrolment stays open: the sweep gives the hop out again.",
            "Error": error,
            "Cause": cause,
        },
    }


def _name_failing_states(machine: Definition, written: AbstractSet[str], names: _Names) -> None:
    """Let the cause of an error that leaves an inner scope begin with the state it comes from (``at "Send the coupon": …``).

    The state around it would be named otherwise: an error that leaves a branch says nothing of its place. The error keeps its
    name, so what the author catches around it is caught as before. ``written`` are the states that the author wrote.
    """
    cause = "($exists($states.errorOutput.Cause) ? $states.errorOutput.Cause : '')"
    for scope in _machines(machine):
        if scope is machine:
            continue
        states, failed = scope["States"], ""
        for name, state in list(states.items()):
            rows = state.get("Catch", [])
            if state["Type"] == "Fail" and name in written:
                state["Cause"] = _behind_text(f"at {_text(name)}: ", state.get("Cause", ""))
            if state["Type"] not in {"Task", "Parallel", "Map"} or any(
                "States.ALL" in row["ErrorEquals"] for row in rows
            ):
                continue
            failed = failed or names.new("Failed, inside")
            place = _text(f"at {_text(name)}: ")
            named = f"$substring({cause}, 0, 4) = 'at \"' ? {cause} : {place} & {cause}"
            output = f"{{% {{'Error': $states.errorOutput.Error, 'Cause': {named}}} %}}"
            state["Catch"] = [*rows, {"ErrorEquals": ["States.ALL"], "Output": output, "Next": failed}]
        if failed:
            states[failed] = {
                "Type": "Fail",
                "Error": "{% $states.input.Error %}",
                "Cause": "{% $states.input.Cause %}",
            }


def _behind_text(text: str, field: str) -> str:
    """A field, which may be an expression, with a text in front of it."""
    if field.startswith("{%") and field.endswith("%}"):
        return f"{{% {_text(text)} & ({field[2:-2].strip()}) %}}"
    return text + field


def _parked(*, outermost: bool) -> State:
    if outermost:
        return {"Type": "Succeed", "Comment": "The contact is a row until the Pause is over."}
    return {"Type": "Fail", "Comment": "Leaves the body; nothing failed.", "Error": PARKED}


def _left(*, failing: str | None, named: bool) -> State:
    """Where a hop goes whose contact leaves, unless the Pause itself catches that; at the outermost scope nothing does.

    ``named`` lets the cause begin with the Pause, for the Parallel around that outermost scope.
    """
    error, cause = "$states.input.answer.error", "$states.input.answer.cause"
    if named:
        cause = f"""'at "' & $states.input.answer.state & '": ' & {cause}"""
    if failing is not None:
        output = f"{{% {{'Error': {error}, 'Cause': {cause}, 'state': $states.input.answer.state}} %}}"
        return {"Type": "Pass", "Comment": "Nothing catches the leaving.", "Output": output, "Next": failing}
    return {
        "Type": "Fail",
        "Comment": "The contact leaves the journey: by its goal or an exit event, caught where the author catches it.",
        "Error": f"{{% {error} %}}",
        "Cause": f"{{% {cause} %}}",
    }


def _door(doors: Sequence[tuple[str, _Level]], *, start: str, outermost: bool) -> State:
    """The Choice that takes a hop to the Pause its contact waits at; a first hop, or a new round, begins at the start."""
    resumes = "" if outermost else f"$states.input.{_RESUMES} = true and "
    rows = []
    for pause, level in doors:
        row: dict[str, Any] = {"Condition": f"{{% {resumes}{_HOP}.at = {_text(pause)} %}}"}
        if level.carried:
            row["Assign"] = {name: f"{{% {_HOP}.variables.{name} %}}" for name in sorted(level.carried)}
        row["Output"] = f"{{% {_HOP}.input %}}" if pause == level.state else {_RESUMES: True}
        rows.append({**row, "Next": level.state})
    return {"Type": "Choice", "Choices": rows, "Default": start}


def _behind(
    name: str, state: State, levels: Sequence[_Level], *, parked: str, left: str, names: _Names
) -> dict[str, State]:
    """Turn the Pause into a plain call with the row of the next hop, and give it the Choice on its answer."""
    over = names.new(name, OVER)
    added = {over: _over(state, parked, left)}
    following = state.get("Next")
    if following is None:
        following = names.new(name, ": the end")
        added[following] = {"Type": "Pass", "End": True}
    added[over]["Choices"].append(_go_on(state, following))
    variables = {each: f"{{% ${each} %}}" for level in levels for each in sorted(level.carried)}
    state["Resource"] = INVOKE
    row = {"at": name, "input": "{% $states.input %}", "variables": variables}
    state["Arguments"]["Payload"]["row"] = row | state["Arguments"]["Payload"].get("row", {})
    state["Output"] = (
        "{% {'input': $states.input, 'answer': $merge([$states.result.Payload, {'state': " + _text(name) + "}])} %}"
    )
    kept = [row for row in state.get("Catch", []) if not set(row["ErrorEquals"]) <= LEAVING_ERRORS]
    for field in ("Assign", "End", "Catch"):
        state.pop(field, None)
    if kept:
        state["Catch"] = kept
    state["Next"] = over
    return added


def _over(state: State, parked: str, left: str) -> State:
    """The Choice on a Pause's answer: parked, or left by an error that the Pause itself or a state around it catches."""
    ways: list[dict[str, Any]] = [{"Condition": "{% $states.input.answer.status = 'parked' %}", "Next": parked}]
    for error in sorted(LEAVING_ERRORS):
        row = next((each for each in state.get("Catch", []) if {error, *_CATCH_ALL} & set(each["ErrorEquals"])), None)
        if row is None:
            continue
        way = {"Condition": f"{{% $states.input.answer.error = '{error}' %}}", "Next": row["Next"]}
        way["Output"] = _of_answer(row.get("Output", "{% $states.errorOutput %}"))
        if "Assign" in row:
            way["Assign"] = _of_answer(row["Assign"])
        ways.append(way)
    ways.append({"Condition": "{% $states.input.answer.status = 'left' %}", "Next": left})
    return {"Type": "Choice", "Choices": ways}


def _go_on(state: State, following: str) -> dict[str, Any]:
    """The last row, which is always true: a Choice's own Output for its Default is ignored by the embedded cloud."""
    row = {
        "Condition": "{% true %}",
        "Output": _of_answer(state.get("Output", "{% $states.result %}")),
        "Next": following,
    }
    if "Assign" in state:
        row["Assign"] = _of_answer(state["Assign"])
    return row


_PLACES: Final[Mapping[str, str]] = {
    "result": RESULT_BEHIND,
    "input": INPUT_BEHIND,
    "errorOutput": "{'Error': $states.input.answer.error, 'Cause': $states.input.answer.cause}",
}


def _of_answer(node: Any) -> Any:
    """Expressions over a Pause's result, input and error, as expressions over what its call put out."""
    if isinstance(node, dict):
        return {key: _of_answer(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_of_answer(value) for value in node]
    if not isinstance(node, str):
        return node
    return re.sub(r"\$states\.(result|input|errorOutput)\b", lambda match: _PLACES[match[1]], node)


def _pauses(machine: Definition) -> Iterator[str]:
    for scope in _machines(machine):
        yield from (name for name, state in scope["States"].items() if called_function(state) == PAUSE)


def _machines(machine: Definition) -> Iterator[Definition]:
    yield machine
    for name, state in machine["States"].items():
        for _, inner in branches(name, state):
            yield from _machines(inner)


def _text(name: str) -> str:
    """A name as a string of JSONata."""
    return json.dumps(name, ensure_ascii=False)
