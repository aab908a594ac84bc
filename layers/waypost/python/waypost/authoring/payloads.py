"""What every journey task is passed, as a Pydantic model to build on. Used by ``functions/<task>/payload.py``.

The functions themselves read the same payloads as plain JSON: the definitions that pass them were checked with these models.
"""

import re
from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from waypost.authoring.problems import Authored, OrExpression


def _context(value: str) -> str:
    if not re.fullmatch(r"\{%\s*\$states\.context\s*%\}", value):
        raise ValueError(f'expected "{{% $states.context %}}", got {value!r}')
    return value


Fields = Mapping[str, "Fields | None"]
"""The names inside a value: a plain value has none; None where anything may be inside."""

Occurrence = Annotated[int, Field(ge=1), OrExpression]
"""The number of the round. A task whose payload has the field ``occurrence`` must be given it in a loop."""


class Payload(Authored):
    """What every task passes: where in which journey it is called from. ``result`` is what the function answers."""

    result: ClassVar[Fields | None] = None

    context: Annotated[str, AfterValidator(_context)]
