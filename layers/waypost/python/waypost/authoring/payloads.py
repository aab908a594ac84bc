"""What every journey task is passed, as a Pydantic model to build on. Used by ``functions/<task>/payload.py``.

The functions themselves read the same payloads as plain JSON: the definitions that pass them were checked with these models.
"""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from waypost.authoring.problems import Authored, OrExpression


def _context(value: str) -> str:
    if not re.fullmatch(r"\{%\s*\$states\.context\s*%\}", value):
        raise ValueError(f'expected "{{% $states.context %}}", got {value!r}')
    return value


Occurrence = Annotated[int, Field(ge=1), OrExpression]
"""The number of the round. A task whose payload has the field ``occurrence`` must be given it in a loop."""


class Payload(Authored):
    """What every task passes: where in which journey it is called from."""

    context: Annotated[str, AfterValidator(_context)]
