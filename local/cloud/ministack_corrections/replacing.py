"""Puts a corrected function in the place of one of MiniStack's. Used by every correction."""

import functools
from collections.abc import Callable
from typing import Any

Function = Callable[..., Any]


def replace(module: Any, name: str, wrap: Callable[[Function], Function]) -> None:
    """Put ``wrap(original)`` there. Raises AttributeError that names what a newer MiniStack no longer has."""
    original = getattr(module, name)
    setattr(module, name, functools.wraps(original)(wrap(original)))
