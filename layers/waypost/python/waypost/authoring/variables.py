"""Which variables of a state machine have a value where, and which are still read afterwards. Used by the compiler of hops.

Variables follow the scopes of the Amazon States Language: those of a machine or branch are read inside it and in the
branches of its states, and assigned in it alone.
Source: AWS Step Functions Developer Guide, "Passing data between states with variables", section on scope.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from waypost.authoring.graph import Scope, State

_NAME: Final = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")


@dataclass(frozen=True, slots=True)
class Way:
    """A way out of a state: the state it leads to (None at an end) and the variables that are assigned on it."""

    target: str | None
    assigns: frozenset[str]


@dataclass(frozen=True, slots=True)
class Variables:
    """The variables of one scope, at the moment each of its states is entered.

    ``assigned`` are all that the scope assigns. ``surely`` have a value whatever way led to the state, ``perhaps`` on some
    way. ``needed`` may be read in the state or later, before they are assigned again.
    """

    assigned: frozenset[str]
    surely: Mapping[str, frozenset[str]]
    perhaps: Mapping[str, frozenset[str]]
    needed: Mapping[str, frozenset[str]]


def variables_of(scope: Scope) -> Variables:
    """The variables of the scope, without those of the scopes around it or inside its states."""
    ways = {name: list(_ways(state)) for name, state in scope.states.items()}
    assigned = frozenset(name for each in ways.values() for way in each for name in way.assigns)
    surely = {name: frozenset[str]() if name == scope.start else assigned for name in ways}
    perhaps = {name: frozenset[str]() for name in ways}
    needed = {name: _read(state) & assigned for name, state in scope.states.items()}
    settled = False
    while not settled:
        settled = True
        for name, each in ways.items():
            for way in each:
                if way.target is None:
                    continue
                before = surely[way.target], perhaps[way.target], needed[name]
                surely[way.target] &= surely[name] | way.assigns
                perhaps[way.target] |= perhaps[name] | way.assigns
                needed[name] |= needed[way.target] - way.assigns
                settled &= before == (surely[way.target], perhaps[way.target], needed[name])
    return Variables(assigned, surely, perhaps, needed)


def _ways(state: State) -> Iterator[Way]:
    own = frozenset(state.get("Assign", ()))
    for row in state.get("Choices", ()):
        yield Way(row.get("Next"), frozenset(row.get("Assign", ())))
    for row in state.get("Catch", ()):
        yield Way(row.get("Next"), frozenset(row.get("Assign", ())))
    yield Way(state.get("Next", state.get("Default")), own)


def _read(value: Any, *, inside: bool = False) -> frozenset[str]:
    """Every ``$name`` in the expressions of a state and of the scopes inside it."""
    if isinstance(value, str):
        return frozenset(_NAME.findall(value))
    if isinstance(value, list):
        return frozenset().union(*(_read(each, inside=True) for each in value))
    if isinstance(value, Mapping):
        return frozenset().union(
            *(_read(each, inside=True) for key, each in value.items() if inside or key not in {"Comment", "Next"})
        )
    return frozenset()
