"""A state machine's states and the ways between them. Used by the checks of a journey's definition.

Everything here expects the structure that ``waypost.authoring.lint`` checks first: states are mappings, names are text.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

State = dict[str, Any]

LEAVING_ERRORS: Final = frozenset({"GoalReached", "JourneyExited"})


@dataclass(frozen=True, slots=True)
class Scope:
    """The states that may lead to each other: a whole machine, or one branch inside a Parallel or Map state.

    ``inside`` names the states around it, the outermost first.
    """

    start: str
    states: dict[str, State]
    inside: tuple[str, ...] = ()

    def reachable(self, *starts: str) -> set[str]:
        """The states that can be entered once the machine is at one of ``starts``, these included."""
        found: set[str] = set()
        waiting = [name for name in starts if name in self.states]
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting.extend(target for target in targets(self.states[name]) if target in self.states)
        return found

    def in_a_cycle(self, without: Iterable[str] = ()) -> set[str]:
        """The states that can be entered again from themselves, by ways that avoid the states ``without``."""
        kept = {name: state for name, state in self.states.items() if name not in set(without)}
        scope = Scope(self.start, kept, self.inside)
        return {name for name, state in kept.items() if name in scope.reachable(*targets(state))}


def branches(name: str, state: State) -> list[tuple[str, dict[str, Any]]]:
    """The machines inside a state, with the path of each."""
    if state.get("Type") == "Parallel":
        return [(f"{name}.Branches[{index}]", branch) for index, branch in enumerate(state.get("Branches", []))]
    if state.get("Type") == "Map":
        return [(f"{name}.ItemProcessor", state.get("ItemProcessor", {}))]
    return []


def scopes(machine: dict[str, Any], inside: tuple[str, ...] = ()) -> Iterator[Scope]:
    """The machine's own scope, then those inside its states."""
    scope = Scope(machine["StartAt"], machine["States"], inside)
    yield scope
    for name, state in scope.states.items():
        for _, branch in branches(name, state):
            yield from scopes(branch, (*inside, name))


def targets(state: State) -> list[str]:
    """The names a state may lead to next."""
    direct = [state[field] for field in ("Next", "Default") if field in state]
    choices = [choice["Next"] for choice in state.get("Choices", []) if "Next" in choice]
    caught = [catcher["Next"] for catcher in state.get("Catch", []) if "Next" in catcher]
    return [*direct, *choices, *caught]


def is_end(state: State) -> bool:
    """Whether the machine or branch may end here."""
    return state.get("Type") in {"Succeed", "Fail"} or state.get("End") is True


def called_function(state: State) -> str | None:
    """The placeholder of the function a Task calls: ``SendMessage`` for ``${SendMessage}``."""
    arguments = state.get("Arguments")
    if state.get("Type") != "Task" or not isinstance(arguments, dict):
        return None
    name = arguments.get("FunctionName")
    if isinstance(name, str) and name.startswith("${") and name.endswith("}"):
        return name[2:-1]
    return None


def bodies(machine: dict[str, Any]) -> dict[str, State]:
    """The one-branch Parallel states at the top that catch a journey's being left."""
    return {
        name: state
        for name, state in machine["States"].items()
        if state.get("Type") == "Parallel" and len(state.get("Branches", [])) == 1 and caught_leaving(state)
    }


def caught_leaving(state: State) -> set[str]:
    """Which of the errors that mean leaving a state catches by name."""
    caught = {error for catcher in state.get("Catch", []) for error in catcher.get("ErrorEquals", [])}
    return caught & LEAVING_ERRORS


def after_leaving(machine: dict[str, Any]) -> set[str]:
    """The states at the top that a contact may pass after leaving the body."""
    scope = Scope(machine["StartAt"], machine["States"])
    doors = [
        catcher["Next"]
        for body in bodies(machine).values()
        for catcher in body.get("Catch", [])
        if LEAVING_ERRORS & set(catcher.get("ErrorEquals", []))
    ]
    return scope.reachable(*doors) - set(bodies(machine))
