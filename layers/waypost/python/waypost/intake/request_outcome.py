"""How receiving ends, as values: what could be used was accepted, or nobody can read the request. Used by the receivers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

MOST_PROBLEMS_SHOWN: Final = 20
MOST_WARNINGS_SHOWN: Final = 200

SERVER_KEY_NEEDED: Final = 403
"""The status of a problem that a server key would not have."""


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
    """The queue has ``count`` events. ``warnings`` names what was left out of them, and why ``rejected`` others are none.

    What was rejected is kept (``RejectedItem``). ``reply`` is the body of the answer, for a sender that wants a certain one.
    """

    count: int
    warnings: list[Problem] = field(default_factory=list)
    rejected: int = 0
    reply: Mapping[str, Any] | None = None

    @property
    def beyond_write_key(self) -> int:
        """How much was left out or rejected because a write key may not do it."""
        return sum(each.status == SERVER_KEY_NEEDED for each in self.warnings)


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedItem:
    """An item of a request of which no event can be made: what was given, where it stood, and why."""

    source: str
    where: str
    given: Any
    problems: list[Problem]
    received_at: datetime
    correlation_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was done. ``status`` is the HTTP status, ``problems`` holds at least one problem."""

    status: int
    problems: list[Problem]


def accepted_before(where: str, *, reply: Mapping[str, Any] | None = None) -> Accepted:
    """The outcome of a request that came before and was accepted then; for senders a failure would mean to send it again."""
    return Accepted(0, [Problem(where, "was accepted before; nothing was done this time")], reply=reply)


def refusal(problems: list[Problem]) -> Refused:
    """The refusal of a request with these problems; different kinds of problems together are a plain 400."""
    statuses = {problem.status for problem in problems}
    return Refused(status=statuses.pop() if len(statuses) == 1 else 400, problems=problems)


def refuse(status: int, where: str, reason: str) -> Refused:
    """A refusal with a single problem."""
    return Refused(status=status, problems=[Problem(where, reason, status)])
