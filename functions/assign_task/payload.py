"""What a journey passes to a Task step for staff. Read by the checks of its definition."""

from datetime import timedelta
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from waypost.authoring.payloads import Fields, Occurrence
from waypost.authoring.problems import Authored, OrExpression
from waypost.authoring.rules import Name
from waypost.authoring.staff_targets import StaffTargetPayload, Text
from waypost.channels.authored_contract import LocaleName
from waypost.durations import parse_duration
from waypost.journeys.tasks.staff_targets import MOST_REACHED
from waypost.staff.human_task import LONGEST_TEXT, LONGEST_TITLE, MOST_LANGUAGES

LONGEST_DEADLINE: Final = timedelta(days=90)
MOST_WORKING_HOURS: Final = 500
MOST_STEPS: Final = 5
LONGEST_STEP: Final = timedelta(days=2)
MOST_STEP_HOURS: Final = 9
"""Working hours between two levels, a day of work: the last of them is notified while an answer is still taken."""


def _span(text: str) -> str:
    if parse_duration(text) > LONGEST_DEADLINE:
        raise ValueError(f"expected at most {LONGEST_DEADLINE.days}d, got {text!r}")
    return text


def _as_text(value: Any) -> Any:
    """A number, which YAML reads where an author forgot the unit, fails as the text it was."""
    return _span(str(value)) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _step(text: str) -> str:
    if parse_duration(text) > LONGEST_STEP:
        raise ValueError(f"expected at most {LONGEST_STEP.days}d between two levels, got {text!r}")
    return text


Title = Annotated[str, Field(min_length=1, max_length=LONGEST_TITLE)]
Words = Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]
Titles = Annotated[dict[LocaleName, Title], Field(min_length=1, max_length=MOST_LANGUAGES)]
Texts = Annotated[dict[LocaleName, Words], Field(min_length=1, max_length=MOST_LANGUAGES)]


class Escalation(Authored):
    """Who hears of it when the deadline passes without an answer: the managers of those who have the task, a queue or a member.

    Of several ``levels`` of managers all hear of it at the deadline, or each following one a step later: ``every`` so long, or
    ``every_working_hours``.
    """

    to: Literal["managers"] | None = None
    queue: Text | None = None
    member: Text | None = None
    levels: Annotated[int, Field(ge=1, le=MOST_REACHED)] | None = None
    every: Annotated[str | None, BeforeValidator(_as_text), AfterValidator(_step)] = None
    every_working_hours: Annotated[float, Field(gt=0, le=MOST_STEP_HOURS)] | None = None

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if sum(each is not None for each in (self.to, self.queue, self.member)) != 1:
            raise ValueError("expected exactly one of to: managers, queue, member")
        if self.levels is not None and self.to is None:
            raise ValueError("'levels' goes with 'to: managers' only")
        steps = [name for name in ("every", "every_working_hours") if getattr(self, name) is not None]
        if len(steps) > 1:
            raise ValueError("expected one step between the levels: every: 4h, or every_working_hours: 4")
        if steps and not 2 <= (self.levels or 1) <= MOST_STEPS:
            raise ValueError(f"{steps[0]!r} goes with 'levels' from 2 to {MOST_STEPS}")
        return self


class AssignTaskPayload(StaffTargetPayload):
    """Give members of staff a task. Its answer is the event ``task_answered``. ``occurrence`` counts the rounds of a loop."""

    result: ClassVar[Fields | None] = {
        "outcome": {},
        "reason": {},
        "task_id": {},
        "due_at": {},
        "time_left": {},
        "assigned_to": {},
        "escalates_to": {},
        "notified": {},
    }

    task: Name
    title: Annotated[Title | Titles, OrExpression]
    text: Annotated[Words | Texts | None, OrExpression] = None
    within: Annotated[str | None, BeforeValidator(_as_text), AfterValidator(_span), OrExpression] = None
    working_hours: Annotated[float | None, Field(gt=0, le=MOST_WORKING_HOURS), OrExpression] = None
    escalate: Escalation | None = None
    urgent: bool | None = None
    occurrence: Occurrence | None = None

    @model_validator(mode="after")
    def _has_one_deadline(self) -> Self:
        if (self.within is None) == (self.working_hours is None):
            raise ValueError("expected one deadline: within: 1d, or working_hours: 4")
        return self
