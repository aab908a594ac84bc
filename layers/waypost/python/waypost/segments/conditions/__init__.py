"""The conditions of the rule language, a class each; adding one is adding its class to a module here. Used by everything that reads rules.

Every module of this package is imported, and its classes are registered under their key words: there is no list to keep.
"""

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import Any, Final

from waypost.errors import InvalidInput
from waypost.segments.condition import REGISTERED, Condition, parse_condition
from waypost.segments.vocabulary import MOST_NESTING, MOST_PARTS, WHERE_WORDS, Rule, expand_where

for _module in sorted(each.name for each in iter_modules(__path__)):
    import_module(f"{__name__}.{_module}")

CONDITIONS: Final[Mapping[str, type[Condition]]] = MappingProxyType(REGISTERED)
"""The class of each key word."""

KEY_WORDS: Final = (*WHERE_WORDS, *(word for word in CONDITIONS if word not in WHERE_WORDS))
"""Each rule has exactly one of them; in the order in which messages list them."""


def parse_rule(rule: Rule) -> Condition:
    """Read a published rule, or the shorthand of a ``where``. Raises InvalidInput for what is not a rule."""
    check_nesting(rule)
    return parse_condition(expand_where(rule, KEY_WORDS))


def check_nesting(rule: Any) -> None:
    """Raise InvalidInput for a rule too deep to be compiled; with a stack, so that no depth is too much to report."""
    level = [rule]
    for _ in range(MOST_NESTING):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, Mapping) else outer)
            if isinstance(inner, (Mapping, list, tuple))
        ]
        if not level:
            return
        if len(level) > MOST_PARTS:
            raise InvalidInput("rule", f"has more than {MOST_PARTS:,} parts on one level")
    raise InvalidInput("rule", f"is nested deeper than {MOST_NESTING} levels; name its parts as segments of their own")
