"""Check how a definition reads the random splits of its journey.yaml. Used by the lint of definitions.

A branch that is misspelt is never taken, and a Choice lets its contacts take the Default without a word.
"""

import re
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any, Final

from waypost.authoring.graph import scopes
from waypost.authoring.problems import unknown
from waypost.authoring.structure import Findings
from waypost.authoring.texts import texts_in
from waypost.authoring.value_flow import SPLITS

NO_SPLITS: Final[Mapping[str, Collection[str]]] = MappingProxyType({})

_READ: Final = re.compile(rf"\bInput\.{SPLITS}\.(\w+)")
_COMPARED: Final = re.compile(rf"{_READ.pattern}\s*(?:!?=|in\b)\s*(\[[^\]]*\]|'[^']*'|\"[^\"]*\")")
_LITERAL: Final = re.compile(r"'([^']*)'|\"([^\"]*)\"")


def split_findings(definition: dict[str, Any], splits: Mapping[str, Collection[str]]) -> Findings:
    """Branches that a split does not have, and splits that nothing reads."""
    read: set[str] = set()
    for scope in scopes(definition):
        for name, state in scope.states.items():
            own = {field: value for field, value in state.items() if field not in {"Branches", "ItemProcessor"}}
            for path, text in texts_in(name, {name: own}):
                read.update(_READ.findall(text))
                for split, compared in _COMPARED.findall(text):
                    for literal in _LITERAL.findall(compared):
                        branch = "".join(literal)
                        if split in splits and branch not in splits[split]:
                            yield path, unknown(branch, splits[split], f"the split {split!r} has no branch")
    for split in sorted(splits.keys() - read):
        condition = f"$states.context.Execution.Input.{SPLITS}.{split} = '{min(splits[split])}'"
        yield "States", f"nothing reads the split {split!r} of journey.yaml; a Choice asks {{% {condition} %}}"
