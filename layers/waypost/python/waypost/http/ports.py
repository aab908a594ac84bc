"""What a room that calls the outside world needs of HTTP. Implemented by the poster, faked in tests."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Protocol

ANSWER_LIMIT: Final = 256 * 1024
"""Bytes of an answer's body that are read. Providers answer with a few hundred."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response. ``headers`` are in lower case; ``retry_after`` is the time the receiver asks for.

    ``body`` is None when it was not read to its end: it was too long, came too late, broke off, or was not wanted.
    """

    status: int
    retry_after: timedelta | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class NotSent:
    """No connection came about, so that nothing was sent: a definite refusal. ``reason`` names no address."""

    reason: str


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The request was sent, wholly or in part, and no answer came: it may have taken effect. ``reason`` names no address."""

    reason: str


@dataclass(frozen=True, slots=True)
class Forbidden:
    """The URL must not be called; nothing was sent."""

    reason: str


Outcome = Answer | NotSent | NoAnswer | Forbidden


class Poster(Protocol):
    """Posts to the outside world."""

    def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        timeout: timedelta,
        answer_limit: int = ANSWER_LIMIT,
    ) -> Outcome:
        """Make one attempt of at most ``timeout`` in all; follow no redirect and repeat nothing.

        Of the answer's body at most ``answer_limit`` bytes are read, with 0 none.
        """
        ...


class Caller(Poster, Protocol):
    """Calls interfaces that are read by GET as well."""

    def get(
        self, url: str, headers: Mapping[str, str], *, timeout: timedelta, answer_limit: int = ANSWER_LIMIT
    ) -> Outcome:
        """Make one attempt, as ``post`` does."""
        ...
