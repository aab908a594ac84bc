"""Show a member of staff a task and take the answer, which becomes an event of the contact. Called by the function answer_task."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final
from zoneinfo import ZoneInfo

from waypost import ids
from waypost.clock import Clock, format_instant, parse_instant
from waypost.contacts.ports import ContactStore
from waypost.contacts.profile import Contact
from waypost.errors import InvalidInput
from waypost.events.envelope import OWN_SOURCE, Event
from waypost.events.ports import EventQueue, SecretStore
from waypost.human_tasks.task_links import TaskLink, read_task_link
from waypost.journeys.ports import EnrolmentStore
from waypost.sending.ports import DeferredSends
from waypost.staff.directory import Member, StaffDirectory
from waypost.staff.human_task import ANSWERED, HumanTask, TaskAnswer, TaskStore, escalation_name
from waypost.staff.responses import ResponseCounts, month_of, taken
from waypost.tracking.tokens import link_keys

SOURCE: Final = f"{OWN_SOURCE}.tasks"
_MINUTE: Final = 60


@dataclass(frozen=True, slots=True)
class Opened:
    """A task as the member of a link sees it. ``contact`` is None once there is no answer to give, or nobody to give it for.

    ``is_left``: the contact has left the journey that gave the task; ``is_late``: its deadline has passed. ``zone`` is the member's.
    ``in_group``: the link stands where a whole group reads it.
    """

    task: HumanTask
    member: Member
    answered_by: Member | None
    contact: Contact | None
    is_left: bool
    is_late: bool
    zone: ZoneInfo
    in_group: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """The task after a button, and whether this was the button that counted."""

    opened: Opened
    counted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerTask:
    """Reads the links of tasks, and takes the first answer to each."""

    tasks: TaskStore
    responses: ResponseCounts
    contacts: ContactStore
    enrolments: EnrolmentStore
    schedules: DeferredSends
    queue: EventQueue
    staff: Callable[[], StaffDirectory]
    secret: SecretStore
    default_zone: ZoneInfo
    clock: Clock

    def open(self, token: str) -> Opened | None:
        """What the link leads to; None where we did not sign it, the task is gone, or the member is no longer one of its members."""
        link = self._link(token)
        task = self.tasks.load(link.contact_id, link.task_id) if link else None
        if link is None or task is None:
            return None
        members = self.staff().members
        known = [members[each] for each in task.members if each in members]
        member = next((each for each in known if each.contact_id == link.member), None)
        return self._opened(task, member, in_group=link.in_group) if member else None

    def answer(self, token: str, *, answer: str, note: str) -> Answered | None:
        """Keep the answer, unless there is one, and queue the one that is kept; None for a link that is not ours.

        Pressed again, the kept answer is queued once more under the same id, so that a crash in between loses no event.
        A task that is over takes none. Raises InvalidInput for an answer that does not exist.
        """
        opened = self.open(token)
        if opened is None:
            return None
        wanted, now = _answer(answer), parse_instant(format_instant(self.clock()))
        task, counted = opened.task, False
        if task.standing(now) == "open":
            given = task.answered(wanted, by=opened.member.id, at=now, note=note.strip(), in_group=opened.in_group)
            counted = self.tasks.answer(given)
            if counted:
                self.responses.add(month_of(given.assigned_at), taken(given))
            task = given if counted else self.tasks.load(task.contact_id, task.id) or task
        if task.answer is not None:
            self.queue.send([_event(task)])
            for number in range(len(task.escalates_to)):
                self.schedules.cancel(escalation_name(task.id, number))
        return Answered(self._opened(task, opened.member, in_group=opened.in_group), counted)

    def _link(self, token: str) -> TaskLink | None:
        """What the token says under the keys that are known, or under newer ones."""
        return read_task_link(token, link_keys(self.secret.read())) or read_task_link(
            token, link_keys(self.secret.read_again())
        )

    def _opened(self, task: HumanTask, member: Member, *, in_group: bool) -> Opened:
        answered_by = self.staff().members.get(task.answered_by)
        zone = ZoneInfo(member.time_zone) if member.time_zone else self.default_zone
        now = self.clock()
        is_late = now > task.due_at
        shown = Opened(task, member, answered_by, None, is_left=False, is_late=is_late, zone=zone, in_group=in_group)
        if task.standing(now) != "open":
            return shown
        contact = self.contacts.load(task.contact_id)
        enrolment = self.enrolments.load(task.contact_id, task.enrolment_id)
        return replace(
            shown,
            contact=None if contact is None or contact.erased else contact,
            is_left=enrolment is not None and enrolment.outcome in {"goal", "exited", "stopped"},
        )


def _answer(given: str) -> TaskAnswer:
    match given:
        case "done":
            return "done"
        case "not_possible":
            return "not_possible"
        case _:
            raise InvalidInput("answer", "should be done or not_possible")


def _event(task: HumanTask) -> Event:
    """The same for every press of a button, so that a repeated one is one event."""
    at = task.answered_at or task.assigned_at
    return Event(
        id="e-" + ids.digest(ANSWERED, task.id),
        type=ANSWERED,
        contact={"contact_id": task.contact_id},
        occurred_at=at,
        received_at=at,
        source=SOURCE,
        properties={
            "task": task.name,
            "answer": task.answer,
            "by": task.answered_by,
            "note": task.note,
            **({"in_group": True} if task.answered_in_group else {}),
            "minutes": int((at - task.assigned_at).total_seconds()) // _MINUTE,
            "late": at > task.due_at,
            "due_at": format_instant(task.due_at),
            "journey": task.journey,
            "step": task.step,
            "task_id": task.id,
            "enrolment_id": task.enrolment_id,
        },
        correlation_id=task.correlation_id,
    )
