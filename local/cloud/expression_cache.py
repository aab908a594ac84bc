"""Reads each DynamoDB expression once, however often it is asked. Used by the emulator process.

A product has some dozens of conditions and the embedded cloud evaluates them for every item of every write. MiniStack takes
them apart each time, twice in a transaction: a fifth of what a conditional write costs it.
"""

# ruff: noqa: SLF001 -- this file works inside MiniStack on purpose; the version is pinned

from functools import lru_cache
from typing import Any, Final

from ministack.services import dynamodb

KEPT: Final = 4096
"""Expressions remembered; the product writes far fewer."""


def remember_expressions() -> None:
    """Make the DynamoDB of this process remember how it has read an expression and what it found wrong with it."""
    tokens_of = lru_cache(KEPT)(dynamodb._tokenize)

    def tokenize(expression: str) -> list[Any]:
        return list(tokens_of(expression))  # a reader may change its list

    dynamodb._tokenize = tokenize
    dynamodb._condition_syntax_error = lru_cache(KEPT)(dynamodb._condition_syntax_error)
