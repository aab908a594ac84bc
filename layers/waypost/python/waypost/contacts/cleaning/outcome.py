"""The outcome of cleaning: the value in its one spelling, or why there is none."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Unusable:
    """Why a value cannot be used; never quotes the value, so that it may be logged."""

    reason: str


Cleaned: TypeAlias = str | Unusable
