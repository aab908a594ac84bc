"""A task that a journey gives to members of staff: what is to be done for which contact, until when, and the one answer.

A row in the contact's partition. Written by the task of journeys, answered on the page, read by the sender's guard and its notices.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Literal, Protocol, get_args

from waypost import ids
from waypost.codec import JsonForm

TaskAnswer = Literal["done", "not_possible"]
TASK_ANSWERS: Final[tuple[TaskAnswer, ...]] = get_args(TaskAnswer)
TaskStanding = Literal["open", "answered", "over"]

ASSIGNED: Final = "task_assigned"
ANSWERED: Final = "task_answered"
"""The events of the contact: a task was given to staff, and one of them answered."""

ANSWERABLE_AFTER: Final = timedelta(days=14)
"""How long after its deadline a task can still be answered; the answer says that it is late."""
KEPT: Final = timedelta(days=90)
"""How long after that the row is kept, so that a link still says who answered."""
FOR_ALL: Final = "*"
LONGEST_TITLE: Final = 120
LONGEST_TEXT: Final = 2_000
LONGEST_NOTE: Final = 1_000
MOST_LANGUAGES: Final = 10
MOST_MEMBERS: Final = 50
"""Members to whom one task is given, and to whom it is escalated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HumanTask(JsonForm):
    """One task. ``title`` and ``text`` are by language; under ``FOR_ALL`` stands what is for all of them.

    ``answered_in_group``: by a link that stood in a group, so that ``answered_by`` is whose link it was, not who pressed it.
    ``assigned_to`` and ``escalates_to`` are members of staff, each with a link of their own; the first answer counts. ``escalates_at``
    is when each of the latter is notified; rows without it mean the deadline.
    """

    id: str
    name: str
    title: Mapping[str, str]
    text: Mapping[str, str]
    contact_id: str
    enrolment_id: str
    journey: str
    step: str
    assigned_to: tuple[str, ...]
    assigned_at: datetime
    due_at: datetime
    escalates_to: tuple[str, ...] = ()
    escalates_at: tuple[datetime, ...] = ()
    correlation_id: str = ""
    answer: TaskAnswer | None = None
    answered_by: str = ""
    answered_at: datetime | None = None
    note: str = field(default="", repr=False)
    answered_in_group: bool = False

    @property
    def open_until(self) -> datetime:
        """The last moment at which an answer is taken; the links are good until then."""
        return self.due_at + ANSWERABLE_AFTER

    @property
    def escalations(self) -> list[tuple[str, datetime]]:
        """Who is notified that the task is overdue, and when."""
        times = self.escalates_at or (self.due_at,) * len(self.escalates_to)
        return list(zip(self.escalates_to, times, strict=True))

    @property
    def members(self) -> tuple[str, ...]:
        """Who may answer."""
        return tuple(dict.fromkeys((*self.assigned_to, *self.escalates_to)))

    def standing(self, now: datetime) -> TaskStanding:
        """Whether an answer is still awaited."""
        if self.answer is not None:
            return "answered"
        return "open" if now < self.open_until else "over"

    def answered(self, answer: TaskAnswer, *, by: str, at: datetime, note: str, in_group: bool = False) -> "HumanTask":
        """The task with its answer."""
        return replace(
            self, answer=answer, answered_by=by, answered_at=at, note=note[:LONGEST_NOTE], answered_in_group=in_group
        )


class TaskStore(Protocol):
    """Keeps the tasks of contacts."""

    def load(self, contact_id: str, task_id: str) -> HumanTask | None:
        """The task, read consistently; ``contact_id`` is the one it was given for, whichever contact that is part of now."""
        ...

    def open(self, task: HumanTask) -> bool:
        """Keep a new task; False when there is one of this id."""
        ...

    def answer(self, task: HumanTask) -> bool:
        """Write an answer; False when the task was answered already, or is gone."""
        ...


def task_id(enrolment_id: str, state: str, occurrence: int) -> str:
    """The id of the task of one visit to a step: a repeated one names the same task."""
    return "t-" + ids.digest("task", enrolment_id, state, str(occurrence))


def escalation_name(task_id: str, number: int) -> str:
    """The name of the schedule of a notice of escalation, the n-th of its task."""
    return f"task-{task_id}-{number}"


def in_language(texts: Mapping[str, str], language: str) -> str:
    """The text for a reader of this language: the one in it, else the one for all, else the first."""
    primary = language.partition("-")[0]
    near = (text for tag, text in texts.items() if tag.partition("-")[0] == primary)
    return texts.get(language) or next(near, "") or texts.get(FOR_ALL) or next(iter(texts.values()), "")
