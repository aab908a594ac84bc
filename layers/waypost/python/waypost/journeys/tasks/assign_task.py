"""Give members of staff a task about the contact of a journey. Called by assign_task."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from waypost import ids
from waypost.clock import Clock, format_instant, parse_instant
from waypost.contacts.ports import ContactStore
from waypost.contacts.profile import Contact
from waypost.durations import parse_duration
from waypost.errors import ContactNotFound, EnrolmentNotFound, InvalidInput
from waypost.events.envelope import OWN_SOURCE, Event, caused_by_step
from waypost.events.ports import EventQueue
from waypost.journeys.enrolment import Enrolment
from waypost.journeys.ports import EnrolmentStore
from waypost.journeys.superseding import refuse_superseded
from waypost.journeys.tasks.notify_staff import BEST_FIRST
from waypost.journeys.tasks.staff_targets import MOST_REACHED, StaffTargets
from waypost.sending.occasion import TASK_ASSIGNED, TASK_OVERDUE, HopVisit, JourneyStep, StaffNotice, step_place
from waypost.sending.ports import DeferredSends
from waypost.sending.request import SendRequest, SendResult
from waypost.sending.send_message import SendMessage
from waypost.staff.directory import Member
from waypost.staff.human_task import (
    ASSIGNED,
    FOR_ALL,
    LONGEST_TEXT,
    LONGEST_TITLE,
    HumanTask,
    TaskStore,
    escalation_name,
    task_id,
)
from waypost.staff.responses import ResponseCounts, given, month_of
from waypost.staff.working_time import after_working_time
from waypost.workdays import Workdays

NOTICES: Final = {TASK_ASSIGNED: "notices/task-assigned", TASK_OVERDUE: "notices/task-overdue"}
"""The messages to staff by what they say of a task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignTask:
    """Gives at most one task for each visit to a step, notifies its members and books the notices of its escalation."""

    contacts: ContactStore
    enrolments: EnrolmentStore
    targets: StaffTargets
    tasks: TaskStore
    responses: ResponseCounts
    sender: SendMessage
    schedules: DeferredSends
    queue: EventQueue
    workdays: Callable[[], Workdays]
    default_zone: ZoneInfo
    clock: Clock

    def assign(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """``{outcome, reason, task_id, due_at, time_left, assigned_to, escalates_to, notified}``.

        ``assigned``: a notice has gone out or will; ``not_reached``: the task is there, and no notice of it could be sent;
        ``skipped``: nobody was found, or the contact is in the journey's hold-out, ``reason`` says why, and there is no task. ``time_left`` until ``due_at`` is in the form that a
        Pause takes. Raises ContactNotFound, EnrolmentNotFound, HopSuperseded, and InvalidInput for a target that does not exist.
        """
        step = JourneyStep.from_payload(payload)
        contact = self.contacts.load(step.contact_id)
        if contact is None or contact.erased:
            raise ContactNotFound(f"contact {step.contact_id} does not exist")
        enrolment = self.enrolments.load(step.contact_id, step.enrolment_id)
        if enrolment is None:
            raise EnrolmentNotFound(f"enrolment {step.enrolment_id} does not exist")
        refuse_superseded(enrolment, payload)
        id_ = task_id(step.enrolment_id, step.state, step.occurrence)
        task = self.tasks.load(step.contact_id, id_)
        if task is None:
            members, missing = self._assignees(payload, contact, enrolment, step)
            task = self._task(id_, payload, step, members)
            if not members:
                return {**self._shown(task), "outcome": "skipped", "reason": missing, "task_id": "", "notified": []}
            if self.tasks.open(task):
                for each in given(task):
                    self.responses.add(month_of(task.assigned_at), each)
            else:
                task = self.tasks.load(step.contact_id, id_) or task
        return self._carried_out(task, payload, enrolment)

    def _assignees(
        self, payload: Mapping[str, Any], contact: Contact, enrolment: Enrolment, step: JourneyStep
    ) -> tuple[list[Member], str]:
        """Who gets the task; nobody for a contact of whom the journey's effect is not to be seen."""
        if enrolment.held_out:
            return [], "held_out"
        return self.targets.members(payload, contact, enrolment, step)

    def _carried_out(self, task: HumanTask, payload: Mapping[str, Any], enrolment: Enrolment) -> dict[str, Any]:
        """What follows from the task that is kept; done again after a crash, it is the same."""
        urgent = bool(payload.get("urgent", False))
        self._book_escalation(task, urgent=urgent)
        staff = self.targets.staff().members
        sent = [
            (member, self._notice(task, staff[member], TASK_ASSIGNED, urgent=urgent))
            for member in task.assigned_to
            if member in staff
        ]
        cause = caused_by_step(task.enrolment_id, step_place(enrolment.pauses_passed, HopVisit.from_payload(payload)))
        self.queue.send([_assigned(task, cause)])
        results: list[tuple[str, SendResult]] = [(member, self.sender.send(request)) for member, request in sent]
        best = min((result for _, result in results), key=lambda each: BEST_FIRST.index(each.outcome), default=None)
        reached = best is not None and best.outcome in {"sent", "deferred", "unknown"}
        return {
            **self._shown(task),
            "outcome": "assigned" if reached else "not_reached",
            "reason": best.reason if best else "no_member_left",
            "notified": [{"member": member, **result.to_dict()} for member, result in results],
        }

    def _task(self, id_: str, payload: Mapping[str, Any], step: JourneyStep, members: Sequence[Member]) -> HumanTask:
        now = parse_instant(format_instant(self.clock()))
        due_at = self._due(payload, members, now)
        above = self._escalation(payload, members, step, due_at)
        return HumanTask(
            id=id_,
            name=payload["task"],
            title=_texts(payload["title"], LONGEST_TITLE),
            text=_texts(payload.get("text", ""), LONGEST_TEXT),
            contact_id=step.contact_id,
            enrolment_id=step.enrolment_id,
            journey=step.journey,
            step=step.state,
            assigned_to=tuple(each.id for each in members),
            assigned_at=now,
            due_at=due_at,
            escalates_to=tuple(above),
            escalates_at=tuple(above.values()),
            correlation_id=step.correlation_id,
        )

    def _due(self, payload: Mapping[str, Any], members: Sequence[Member], now: datetime) -> datetime:
        """The deadline: so long after now, or after so many working hours where the first of the members lives."""
        match payload:
            case {"within": str(span)}:
                return now + parse_duration(span)
            case {"working_hours": int(hours) | float(hours)}:
                return self._after(now, float(hours), members)
            case _:
                raise InvalidInput("within", "expected a deadline: within: 1d, or working_hours: 4")

    def _after(self, start: datetime, hours: float, members: Sequence[Member]) -> datetime:
        """When so many working hours have passed where the first of the members lives."""
        named = members[0].time_zone if members else ""
        zone = ZoneInfo(named) if named else self.default_zone
        return after_working_time(start, timedelta(hours=hours), zone=zone, calendar=self.workdays().of(None))

    def _escalation(
        self, payload: Mapping[str, Any], members: Sequence[Member], step: JourneyStep, due_at: datetime
    ) -> dict[str, datetime]:
        """To whom the task is escalated and when: each once, none of those who have it, the first at the deadline."""
        staff = self.targets.staff()
        times = {0: due_at}
        match payload.get("escalate"):
            case None:
                found: list[tuple[int, Member]] = []
            case {"to": "managers", **more}:
                levels = int(str(more.get("levels", 1)))
                chains = [staff.managers_of(each, levels) for each in members]
                found = sorted(
                    ((level, above) for chain in chains for level, above in enumerate(chain)), key=lambda each: each[0]
                )
                times = {level: self._of_level(level, more, members, due_at) for level, _ in found}
            case {"queue": str(queue)}:
                from_queue = self.targets.from_queue(queue, step)
                found = [(0, from_queue)] if from_queue else []
            case {"member": str(member)}:
                found = [(0, staff.member(member, "escalate.member"))]
            case _:
                raise InvalidInput("escalate", "expected to: managers, a queue or a member")
        theirs = {each.id for each in members}
        reached: dict[str, datetime] = {}
        for level, each in found:
            if each.id not in theirs and len(reached) < MOST_REACHED:
                reached.setdefault(each.id, times[level])
        return reached

    def _of_level(
        self, level: int, escalate: Mapping[Any, Any], members: Sequence[Member], due_at: datetime
    ) -> datetime:
        """When the managers of a level are notified: those right above at the deadline, each following one a step later."""
        match escalate:
            case {"every": str(span)}:
                return due_at + level * parse_duration(span)
            case {"every_working_hours": int(hours) | float(hours)}:
                return self._after(due_at, level * float(hours), members)
            case _:
                return due_at

    def _book_escalation(self, task: HumanTask, *, urgent: bool) -> None:
        """Book the notices that go out from the deadline on; the sender's guard drops those of a task that was answered."""
        if task.standing(self.clock()) != "open":
            return
        for number, (member_id, at) in enumerate(task.escalations):
            member = self.targets.staff().members.get(member_id)
            if member is not None and at > self.clock():
                notice = self._notice(task, member, TASK_OVERDUE, urgent=urgent)
                self.schedules.send_at(escalation_name(task.id, number), at, notice.to_dict())

    def _notice(self, task: HumanTask, member: Member, notice: str, *, urgent: bool) -> SendRequest:
        occasion = StaffNotice(
            member.contact_id,
            notice=notice,
            about=task.id,
            urgent=urgent,
            shown_for=task.contact_id,
            enrolment_id=task.enrolment_id,
        )
        return SendRequest(occasion, NOTICES[notice], send_by=task.open_until)

    def _shown(self, task: HumanTask) -> dict[str, Any]:
        left = max(int((task.due_at - self.clock()).total_seconds()), 1)
        return {
            "task_id": task.id,
            "due_at": format_instant(task.due_at),
            "time_left": f"{left}s",
            "assigned_to": list(task.assigned_to),
            "escalates_to": list(task.escalates_to),
        }


def _texts(given: Any, longest: int) -> dict[str, str]:
    """A text of the payload by language. Raises InvalidInput for anything else: an expression may give it."""
    match given:
        case str(text):
            return {FOR_ALL: text[:longest]}
        case dict(texts) if texts and all(isinstance(each, str) for each in texts.values()):
            return {str(language): text[:longest] for language, text in texts.items()}
        case _:
            raise InvalidInput("title", "expected a text, or a text for each language")


def _assigned(task: HumanTask, cause: str) -> Event:
    """The same for every visit of the step, so that a repeated one is one event."""
    return Event(
        id="e-" + ids.digest(ASSIGNED, task.id),
        type=ASSIGNED,
        contact={"contact_id": task.contact_id},
        occurred_at=task.assigned_at,
        received_at=task.assigned_at,
        source=OWN_SOURCE,
        properties={
            "task": task.name,
            "assigned_to": list(task.assigned_to),
            "escalates_to": list(task.escalates_to),
            "due_at": format_instant(task.due_at),
            "journey": task.journey,
            "step": task.step,
            "task_id": task.id,
            "enrolment_id": task.enrolment_id,
        },
        correlation_id=task.correlation_id,
        cause=cause,
    )
