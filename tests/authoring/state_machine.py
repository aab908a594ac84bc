"""A small interpreter of state machines (Amazon States Language, JSONata), to compare two machines step by step.

It knows Task, Choice, Pass, Parallel, Succeed and Fail, with Assign, Output and Catch as the specification has them; a Task is a
call of ``task``. Source: states-language.net/spec.html and AWS Step Functions Developer Guide, "Transforming data with JSONata".
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from jsonata import Jsonata  # type: ignore[import-untyped]
from jsonata.jexception import JException  # type: ignore[import-untyped]

_EXPRESSION = re.compile(r"\{%(.*)%\}", re.DOTALL)
MOST_STATES = 400


@cache
def _parsed(source: str) -> Any:
    return Jsonata(source)


class StateError(Exception):
    """An error by its name, as Catch sees it."""

    def __init__(self, name: str, cause: str = "") -> None:
        super().__init__(name)
        self.name, self.cause = name, cause


class NoChoiceMatched(Exception):
    """No row of a Choice without a Default holds."""


Task = Callable[[str, Mapping[str, Any]], Any]
"""Answers a Task: its name and its evaluated arguments. Raises StateError."""


@dataclass(frozen=True)
class Run:
    """One execution: how tasks answer, its input, and the states that are entered."""

    task: Task
    execution_input: Mapping[str, Any]

    def run(self, machine: Mapping[str, Any]) -> Any:
        """The output of the machine. Raises StateError when the execution fails."""
        return self._scope(machine, dict(self.execution_input), {})

    def _scope(self, machine: Mapping[str, Any], data: Any, outer: Mapping[str, Any]) -> Any:
        own: dict[str, Any] = {}
        name = machine["StartAt"]
        for _ in range(MOST_STATES):
            state = machine["States"][name]
            visit = _Visit(self, state, data, {**outer, **own})
            following, data, assigned = visit.follow(name)
            assert not set(assigned) & set(outer), "a branch assigned a variable of the scope around it"
            own |= assigned
            if following is None:
                return data
            name = following
        raise AssertionError(f"more than {MOST_STATES} states in one execution")


@dataclass(frozen=True)
class _Visit:
    run: Run
    state: Mapping[str, Any]
    data: Any
    variables: Mapping[str, Any]

    def follow(self, name: str) -> tuple[str | None, Any, dict[str, Any]]:
        """The next state (None at the end), its input, and what was assigned."""
        try:
            return self._follow_or_name(name)
        except StateError as error:
            about = {"errorOutput": {"Error": error.name, "Cause": error.cause}}
            for row in self.state.get("Catch", []):
                if error.name in row["ErrorEquals"] or {"States.ALL", "States.TaskFailed"} & set(row["ErrorEquals"]):
                    return row["Next"], *self._out(row, about, about["errorOutput"])
            raise

    def _follow_or_name(self, name: str) -> tuple[str | None, Any, dict[str, Any]]:
        """As ``_follow``; what Step Functions itself raises here has a cause that begins with the state."""
        try:
            return self._follow(name)
        except (JException, NoChoiceMatched) as error:
            kind = "NoChoiceMatched" if isinstance(error, NoChoiceMatched) else "QueryEvaluationError"
            place = f"An error occurred while executing the state '{name}' (entered at the event id #9). "
            raise StateError(f"States.{kind}", f"{place}{error}") from error

    def _follow(self, name: str) -> tuple[str | None, Any, dict[str, Any]]:
        match self.state["Type"]:
            case "Succeed":
                return None, *self._out(self.state, {}, self.data)
            case "Fail":
                raise StateError(self._of(self.state["Error"]), self._of(self.state.get("Cause", "")) or "")
            case "Choice":
                for row in self.state["Choices"]:
                    if self._of(row["Condition"]) is True:
                        return row["Next"], *self._out(row, {}, self.data)
                if "Default" not in self.state:
                    raise NoChoiceMatched("no choice rule matched")
                return self.state["Default"], *self._out(self.state, {}, self.data)
            case "Pass":
                result = self.data
            case "Parallel":
                given = self._of(self.state["Arguments"]) if "Arguments" in self.state else self.data
                result = [self.run._scope(branch, given, self.variables) for branch in self.state["Branches"]]
            case "Task":
                result = self.run.task(name, self._of(self.state["Arguments"]))
            case kind:
                raise AssertionError(f"{name}: the interpreter does not know {kind}")
        return (None if self.state.get("End") else self.state["Next"]), *self._out(
            self.state, {"result": result}, result
        )

    def _out(self, row: Mapping[str, Any], about: Mapping[str, Any], default: Any) -> tuple[Any, dict[str, Any]]:
        assigned = {name: self._of(value, about) for name, value in row.get("Assign", {}).items()}
        return (self._of(row["Output"], about) if "Output" in row else default), assigned

    def _of(self, node: Any, about: Mapping[str, Any] | None = None) -> Any:
        if isinstance(node, Mapping):
            return {key: self._of(value, about) for key, value in node.items()}
        if isinstance(node, list):
            return [self._of(value, about) for value in node]
        found = _EXPRESSION.fullmatch(node.strip()) if isinstance(node, str) else None
        if found is None:
            return node
        expression = _parsed(found[1])
        frame = expression.create_frame()
        context = {"Execution": {"Input": dict(self.run.execution_input)}}
        frame.bind("states", {"input": self.data, "context": context, **(about or {})})
        for name, value in self.variables.items():
            frame.bind(name, value)
        value = expression.evaluate(None, frame)
        return None if value is None else json.loads(json.dumps(value))
