"""What a compiled machine says of itself: the Pauses that a contact may stand at. Used by plans, for machines of the synth and of a stage."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

States = Mapping[str, Mapping[str, Any]]

_PLAIN: Final = re.compile(r"\{%\s*\$(\w+)\s*%\}")
"""An expression that is a variable and nothing else."""


@dataclass(frozen=True, slots=True)
class PauseState:
    """A Pause of a version.

    ``variables`` must be in the row of a contact that goes on here. ``messages`` may be sent behind it. ``occurrence`` is the
    number of the visit, or the expression that counts the visits of a loop.
    """

    variables: frozenset[str] = frozenset()
    messages: frozenset[str] = frozenset()
    occurrence: int | str = 1

    def counted_from(self, before: "PauseState") -> str | None:
        """How the visit of a contact that stood at ``before`` is counted here.

        A number, the name of a variable, or "" when it is counted as before; None when nobody can say.
        """
        if isinstance(self.occurrence, int):
            return str(self.occurrence)
        if self.occurrence == before.occurrence:
            return ""
        plain = _PLAIN.fullmatch(self.occurrence)
        return plain[1] if plain else None


@dataclass(frozen=True, slots=True)
class Flow:
    """The Pauses of one version, by name."""

    pauses: Mapping[str, PauseState]

    @classmethod
    def of(cls, machine: Mapping[str, Any]) -> Self:
        """Read a machine as ``waypost.authoring.hops`` compiles it, with or without its placeholders filled in."""
        return cls(dict(_pauses(machine, frozenset())))


def _pauses(machine: Mapping[str, Any], outside: frozenset[str]) -> Iterator[tuple[str, PauseState]]:
    """The Pauses of a scope and of those inside; ``outside`` is sent behind the state that holds the scope."""
    states: States = machine["States"]
    for name, state in states.items():
        messages = outside | frozenset(_messages(states[each] for each in _next(states, name)))
        payload = _payload(state)
        if "row" in payload:
            yield name, PauseState(frozenset(payload["row"]["variables"]), messages, payload.get("occurrence", 1))
        for branch in state.get("Branches", []):
            yield from _pauses(branch, messages)


def _payload(state: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a task gives its function; empty for any other state."""
    arguments = state.get("Arguments")
    payload = arguments.get("Payload") if isinstance(arguments, Mapping) else None
    return payload if isinstance(payload, Mapping) else {}


def _messages(states: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The messages that the states, and those inside them, send by name; an expression may be any."""
    for state in states:
        if isinstance(message := _payload(state).get("message"), str):
            yield message
        for branch in [*state.get("Branches", []), *([state["ItemProcessor"]] if "ItemProcessor" in state else [])]:
            yield from _messages(branch["States"].values())


def _next(states: States, name: str) -> set[str]:
    """The states that can be entered from a state of the scope; itself only when it is in a loop."""
    found, waiting = set[str](), _targets(states[name])
    while waiting:
        each = waiting.pop()
        if each in states and each not in found:
            found.add(each)
            waiting += _targets(states[each])
    return found


def _targets(state: Mapping[str, Any]) -> list[str]:
    rows = [*state.get("Choices", []), *state.get("Catch", [])]
    return [state[key] for key in ("Next", "Default") if key in state] + [row["Next"] for row in rows if "Next" in row]
