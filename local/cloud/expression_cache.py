"""Reads each expression once, however often it is evaluated: DynamoDB's and JSONata's. Used by the emulator process.

A product has some dozens of conditions and the embedded cloud evaluates them for every item of every write. MiniStack takes
them apart each time, twice in a transaction: a fifth of what a conditional write costs it. Of a hop it reads every JSONata
expression again, each time with a parser made for the occasion: most of what the hop costs it.
"""

# ruff: noqa: SLF001 -- this file works inside MiniStack on purpose; the version is pinned

from functools import lru_cache
from threading import Lock
from typing import Any, Final

from jsonata.jsonata import Jsonata  # type: ignore[import-untyped]
from jsonata.parser import Parser  # type: ignore[import-untyped]
from ministack.services import dynamodb

KEPT: Final = 4096
"""Expressions remembered of each kind; the product writes far fewer."""


def remember_expressions() -> None:
    """Make this process remember how it has read an expression and what it found wrong with it."""
    tokens_of = lru_cache(KEPT)(dynamodb._tokenize)

    def tokenize(expression: str) -> list[Any]:
        return list(tokens_of(expression))  # a reader may change its list

    dynamodb._tokenize = tokenize
    dynamodb._condition_syntax_error = lru_cache(KEPT)(dynamodb._condition_syntax_error)
    remember_jsonata()


def remember_jsonata() -> None:
    """The same for JSONata alone."""
    parser = _RememberingParser()
    Jsonata.get_parser = staticmethod(lambda: parser)


class _RememberingParser(Parser):  # type: ignore[misc]  # the package has no types
    """A parser for all threads. What it has read is evaluated without being changed."""

    def __init__(self) -> None:
        super().__init__()
        self._reading = Lock()
        self._read = lru_cache(KEPT)(super().parse)

    def parse(self, *expression: Any) -> Any:
        """See Parser; of one expression always the same tree. Raises JException."""
        with self._reading:
            return self._read(*expression)
