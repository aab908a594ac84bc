"""Finds the line of a field in an authored YAML file. Used by checks that name file and line."""

from collections.abc import Iterator
from pathlib import Path

import yaml


def line_of(path: Path, field: str) -> int:
    """The line of the field, such as ``goal.event`` or ``Reminder of the cart.Arguments.Payload.for``, or of the innermost part there is.

    A path begins at the top of the file, or with the name of a state wherever it stands. 0 for a field of which there is nothing.
    """
    root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    if root is None or not field:
        return 0
    return max(deepest(root, field) for deepest in (_deepest, _deepest_in_states))


def _deepest_in_states(node: yaml.Node, field: str) -> int:
    return max((_deepest(states, field) for states in _states(node)), default=0)


def _states(node: yaml.Node) -> Iterator[yaml.Node]:
    """The mappings under every ``States``, at any depth."""
    match node:
        case yaml.MappingNode():
            for key, value in node.value:
                if key.value == "States":
                    yield value
                yield from _states(value)
        case yaml.SequenceNode():
            for each in node.value:
                yield from _states(each)
        case _:
            return


def _deepest(node: yaml.Node, field: str) -> int:
    """The line of the innermost part of the path that is there; 0 for none."""
    match node:
        case yaml.MappingNode():
            for key, value in node.value:
                if field == key.value:
                    return _line(key)
                if field.startswith((f"{key.value}.", f"{key.value}[")):
                    rest = field[len(key.value) :].removeprefix(".")
                    return _deepest(value, rest) or _line(key)
        case yaml.SequenceNode():
            number, closed, rest = field.removeprefix("[").partition("]")
            if closed and number.isdecimal() and int(number) < len(node.value):
                item = node.value[int(number)]
                return _deepest(item, rest.removeprefix(".")) or _line(item)
        case _:
            pass
    return 0


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
