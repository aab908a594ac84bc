"""Every text and every key in a part of a definition, with its path. Used by the checks of definitions."""

from collections.abc import Iterator, Mapping
from typing import Any

from waypost.authoring.problems import join


def texts_in(path: str, value: Any) -> Iterator[tuple[str, str]]:
    """Every string value with its path; a mapping of one key that ``path`` is already adds nothing to it."""
    if isinstance(value, str):
        yield path, value
    for where, each in _children(path, value):
        yield from texts_in(where, each)


def keys_in(path: str, value: Any) -> Iterator[tuple[str, str]]:
    """Every key with the path of what it names."""
    for where, each in _children(path, value):
        yield from keys_in(where, each)
    if isinstance(value, Mapping):
        yield from ((path, key) for key in value)


def _children(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, list):
        yield from ((f"{path}[{index}]", each) for index, each in enumerate(value))
    elif isinstance(value, Mapping):
        yield from ((path if key == path else join(path, key), each) for key, each in value.items())
