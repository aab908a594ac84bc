"""How fast members of staff answer their tasks: counted by journey, member and month. Written as tasks are given and answered.

A count is written behind what it counts, so a process that dies in between loses it: the events ``task_assigned`` and
``task_answered`` are the record, this is the figure at hand.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from waypost.codec import JsonForm
from waypost.staff.human_task import HumanTask

_MINUTE: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Responses(JsonForm):
    """The tasks that a member was given by a journey in a month, and those that the member answered.

    ``minutes`` is the sum of the times from the giving to the answer, ``late`` how many came after the deadline.
    """

    journey: str
    member: str
    assigned: int = 0
    answered: int = 0
    done: int = 0
    late: int = 0
    minutes: int = 0

    def figures(self) -> dict[str, Any]:
        """The counts, and the mean minutes of an answer; None without one."""
        return {**self.to_dict(), "mean_minutes": round(self.minutes / self.answered) if self.answered else None}


class ResponseCounts(Protocol):
    """Keeps the counts."""

    def add(self, month: str, counted: Responses) -> None:
        """Add to the counts of the month (``2031-03``)."""
        ...

    def of_month(self, month: str) -> list[Responses]:
        """The counts of the month, by journey and member."""
        ...


def month_of(instant: datetime) -> str:
    """The month of an instant in UTC, to which a task belongs that was given in it."""
    return f"{instant:%Y-%m}"


def given(task: HumanTask) -> Iterable[Responses]:
    """What a task that was just given adds: one for each who has it."""
    return (Responses(journey=task.journey, member=each, assigned=1) for each in task.assigned_to)


def taken(task: HumanTask) -> Responses:
    """What the answer to a task adds, for who gave it."""
    at = task.answered_at or task.assigned_at
    return Responses(
        journey=task.journey,
        member=task.answered_by,
        answered=1,
        done=int(task.answer == "done"),
        late=int(at > task.due_at),
        minutes=int((at - task.assigned_at).total_seconds()) // _MINUTE,
    )
