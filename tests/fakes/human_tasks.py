"""The tasks of members of staff, in memory."""

from dataclasses import dataclass, field

from tests.fakes.effects import Effects, effect
from waypost.staff.human_task import HumanTask


@dataclass
class FakeTasks:
    """A TaskStore; ``others`` are answers that a faster member gives first."""

    effects: Effects = field(default_factory=Effects)
    rows: dict[str, HumanTask] = field(default_factory=dict)
    others: list[HumanTask] = field(default_factory=list)
    label = "tasks"

    def load(self, contact_id: str, task_id: str) -> HumanTask | None:
        """See TaskStore."""
        found = self.rows.get(task_id)
        return found if found is not None and found.contact_id == contact_id else None

    @effect
    def open(self, task: HumanTask) -> bool:
        """See TaskStore."""
        return self.rows.setdefault(task.id, task) is task

    @effect
    def answer(self, task: HumanTask) -> bool:
        """See TaskStore."""
        if self.others:
            self.rows[task.id] = self.others.pop()
        known = self.rows.get(task.id)
        if known is None or known.answer is not None:
            return False
        self.rows[task.id] = task
        return True
