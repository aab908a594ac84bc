"""Find the Pauses behind which nothing is left to do: the contact's journey may end there without another hop. Used by the compiler.

What counts is what the author wrote: the way from the Pause, or from the Catch of the error that leaves it, holds neither a task
nor a choice, and nothing on it can fail. A way that may be more than that counts as one that is: its hop walks it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from waypost.authoring.graph import State, branches, called_function
from waypost.journeys.pause import WayOut

Definition = Mapping[str, Any]

_PAUSE: Final = "PauseJourney"
_CATCH_ALL: Final = frozenset({"States.ALL", "States.TaskFailed"})
_CHANGES: Final = frozenset({"Arguments", "Assign", "Output"})


@dataclass(frozen=True, slots=True)
class _Place:
    """A state in the scope where it stands."""

    scope: Definition
    state: State


def nothing_behind(definition: Definition) -> dict[str, tuple[WayOut, ...]]:
    """The ways out of each Pause that lead to the end of the journey with nothing to do on them; Pauses without one stay away."""
    found = {pause: tuple(_ways(path)) for pause, path in _pauses(definition, ())}
    return {pause: ways for pause, ways in found.items() if ways}


def _pauses(scope: Definition, around: Sequence[_Place]) -> list[tuple[str, Sequence[_Place]]]:
    """Every Pause with its place, behind the places of the states around it, the outermost first."""
    found: list[tuple[str, Sequence[_Place]]] = []
    for name, state in scope["States"].items():
        path = (*around, _Place(scope, state))
        if called_function(state) == _PAUSE:
            found.append((name, path))
        for _, inner in branches(name, state):
            found += _pauses(inner, path)
    return found


def _ways(path: Sequence[_Place]) -> list[WayOut]:
    over: list[WayOut] = ["over"] if _goes_on_to_the_end(path) else []
    errors: list[WayOut] = ["GoalReached", "JourneyExited"]
    return over + [error for error in errors if _is_caught_at_the_end(path, error)]


def _goes_on_to_the_end(path: Sequence[_Place]) -> bool:
    """Whether nothing is done once the last state of the path is through."""
    *around, place = path
    if _CHANGES & (set(place.state) - ({"Arguments"} if called_function(place.state) else set())):
        return False
    return _ends(place.scope, place.state.get("Next"), around)


def _is_caught_at_the_end(path: Sequence[_Place], error: WayOut) -> bool:
    """Whether the innermost Catch that catches the error leads to the end."""
    for depth in range(len(path), 0, -1):
        *around, place = path[:depth]
        for row in place.state.get("Catch", ()):
            if error in row["ErrorEquals"]:
                return not _CHANGES & set(row) and _ends(place.scope, row["Next"], around)
            if _CATCH_ALL & set(row["ErrorEquals"]):
                return False
    return False


def _ends(scope: Definition, following: str | None, around: Sequence[_Place]) -> bool:
    """Whether the states from ``following`` on lead to the end of the journey and do nothing; None is the end of the scope."""
    seen = set[str]()
    while following is not None:
        state = scope["States"][following]
        if following in seen or "{%" in json.dumps(state) or _CHANGES & set(state):
            return False
        seen.add(following)
        match state["Type"]:
            case "Succeed":
                following = None
            case "Pass":
                following = state.get("Next")
            case _:
                return False
    return _goes_on_to_the_end(around) if around else True
