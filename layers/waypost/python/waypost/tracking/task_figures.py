"""What became of messages that members of staff send, counted by month, message and member. Written by ask_task_results."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Protocol


@dataclass(frozen=True, slots=True)
class TaskCounts:
    """Tasks that ended: ``sent`` by the member, ``failed`` when they sent it, ``withdrawn`` because they did not."""

    sent: int = 0
    failed: int = 0
    withdrawn: int = 0

    def __add__(self, other: "TaskCounts") -> "TaskCounts":
        return TaskCounts(self.sent + other.sent, self.failed + other.failed, self.withdrawn + other.withdrawn)

    @property
    def ended(self) -> int:
        """All of them."""
        return self.sent + self.failed + self.withdrawn

    @property
    def confirmed(self) -> float | None:
        """The share of tasks that members confirmed, whether or not the customer got the message; None without any."""
        return (self.sent + self.failed) / self.ended if self.ended else None


@dataclass(frozen=True, slots=True, order=True)
class TaskGroup:
    """The tasks of a month (``2027-03``) that one message made for one member."""

    month: str
    message: str
    member: str


class TaskFigures(Protocol):
    """Keeps the counts for two years, and whom a reminder of today went to."""

    def add(self, channel: str, group: TaskGroup, counts: TaskCounts) -> None:
        """Add to a group's counts. A call that is repeated after a lost answer counts twice."""
        ...

    def of(self, channel: str, month: str) -> Iterable[tuple[TaskGroup, TaskCounts]]:
        """The counts of a month, by message and member."""
        ...

    def take_reminder(self, channel: str, member: str, day: date) -> bool:
        """Take the one reminder that a member gets on a day; False when it is gone."""
        ...
