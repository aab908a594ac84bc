"""Sends no notice about a task of a member of staff that needs nothing any more."""

from typing import assert_never

from waypost.pages.texts import gettext_noop
from waypost.sending.guard import Allow, Case, Guard, Judges, Reason, Skip, Verdict
from waypost.sending.occasion import StaffNotice


class TaskSettled(Guard):
    """A task that was answered while its notice waited is not announced, and not escalated; nor one whose contact has left the journey."""

    weight = 22
    code = "tk"
    title = gettext_noop("Task still open")
    reasons = (
        Reason("task_answered", gettext_noop("A member of staff has answered the task: there is nothing to do.")),
        Reason("task_over", gettext_noop("Nobody answered the task in time; the journey has to give a new one.")),
        Reason("task_not_needed", gettext_noop("The contact has left the journey that gave the task.")),
    )
    judges = Judges(journey_step=False, broadcast_slot=False, staff_notice=True, reply=False)

    def concerns(self, case: Case) -> bool:
        """See Guard."""
        return isinstance(case.occasion, StaffNotice) and case.occasion.is_about_task

    def check(self, case: Case) -> Verdict:
        """See Guard."""
        match case.task:
            case "open":
                return Allow("open")
            case "answered":
                return Skip("task_answered", saw="answered")
            case "over" | None:
                return Skip("task_over", saw=case.task or "gone")
            case "left":
                return Skip("task_not_needed", saw="left the journey")
            case _:
                assert_never(case.task)
