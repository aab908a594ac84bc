"""How receiving ends, as values: the events were accepted, or the whole request was refused. Used by the receivers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

MOST_PROBLEMS_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong: ``field`` is a path (``batch[3].event``), ``reason`` says what was expected.

    ``status`` is the HTTP status of a request that has no other problem.
    """

    field: str
    reason: str
    status: int = 400


@dataclass(frozen=True, slots=True)
class Accepted:
    """The queue has every event. ``warnings`` names values that were ignored.

    ``reply`` is the body of the answer, for a sender that wants a certain one.
    """

    count: int
    warnings: list[Problem] = field(default_factory=list)
    reply: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was done. ``status`` is the HTTP status, ``problems`` holds at least one problem."""

    status: int
    problems: list[Problem]


def refusal(problems: list[Problem]) -> Refused:
    """The refusal of a request with these problems; different kinds of problems together are a plain 400."""
    statuses = {problem.status for problem in problems}
    return Refused(status=statuses.pop() if len(statuses) == 1 else 400, problems=problems)


def refuse(status: int, where: str, reason: str) -> Refused:
    """A refusal with a single problem."""
    return Refused(status=status, problems=[Problem(where, reason, status)])
