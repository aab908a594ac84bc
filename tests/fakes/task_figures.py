"""TaskFigures in memory."""

from collections import defaultdict
from datetime import date

from waypost.tracking.task_figures import TaskCounts, TaskGroup


class FakeTaskFigures:
    """TaskFigures; ``writes`` counts the calls that add."""

    def __init__(self) -> None:
        self.counted: defaultdict[tuple[str, TaskGroup], TaskCounts] = defaultdict(TaskCounts)
        self.reminded: dict[tuple[str, str], date] = {}
        self.writes = 0

    def add(self, channel: str, group: TaskGroup, counts: TaskCounts) -> None:
        """See TaskFigures."""
        self.writes += 1
        self.counted[channel, group] += counts

    def of(self, channel: str, month: str) -> list[tuple[TaskGroup, TaskCounts]]:
        """See TaskFigures."""
        return [
            (group, counts) for (of, group), counts in self.counted.items() if (of, group.month) == (channel, month)
        ]

    def take_reminder(self, channel: str, member: str, day: date) -> bool:
        """See TaskFigures."""
        if self.reminded.get((channel, member), date.min) >= day:
            return False
        self.reminded[channel, member] = day
        return True
