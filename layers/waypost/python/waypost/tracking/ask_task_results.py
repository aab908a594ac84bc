"""Ask what became of messages that are tasks of members of staff, and remind those who wait. Called by ask_task_results every hour.

The rows of such messages stand in a sparse index until their result is known. A run takes those that are due, as many as its time
allows; the next one goes on with the others.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Final, assert_never
from zoneinfo import ZoneInfo

from waypost import ids
from waypost.channels.callback_contract import CallbackNotice, NoticeQueue
from waypost.channels.results_contract import NotLearnt, Results, TaskResult
from waypost.clock import Clock, format_instant
from waypost.codec import JsonForm
from waypost.contacts.channels import Channel
from waypost.sending.ledger import Ledger, LedgerRow
from waypost.sending.occasion import StaffNotice, journey_of
from waypost.sending.ports import DeferredSends
from waypost.sending.request import SendRequest
from waypost.staff.directory import StaffDirectory
from waypost.tracking.task_figures import TaskCounts, TaskFigures, TaskGroup

OFTEN: Final = timedelta(hours=3)
"""How often it is asked on the first day."""
FIRST_DAY: Final = timedelta(hours=24)
MORNING: Final = time(10)
"""When it is asked on later days, and from when members are reminded, in the stage's time zone."""
EVENING: Final = time(20)
REMINDED_AFTER: Final = timedelta(hours=12)
ESCALATED_AFTER: Final = timedelta(hours=48)
WITHDRAWN_AFTER: Final = timedelta(days=7)
"""What is not sent by then is taken back: a message of last week is not sent any more."""
BATCH: Final = 10
"""Results that are put into the queue in one call."""
GROUPS: Final = 200
"""Counts that a run holds before it writes them; what a crash loses of them is missing in the figures."""
MOST_NAMED: Final = 20
"""Members whom a notice to their manager names, those with the most late tasks first."""
MOST_SILENT: Final = 5
"""Tasks in a row about which the provider says nothing, upon which a run ends."""

UNSENT: Final = "tasks_unsent"
"""The notice to a manager about the members below; ``about`` is the channel and the hour."""
NOTICE: Final = "notices/tasks-unsent"


@dataclass(frozen=True, slots=True)
class Asked(JsonForm):
    """What a run found. ``unanswered`` are tasks about which the provider gave no answer; ``ended_by`` is why it ended early."""

    sent: int = 0
    failed: int = 0
    withdrawn: int = 0
    waiting: int = 0
    unanswered: int = 0
    reminded: int = 0
    escalated: int = 0
    ended_by: str = ""


@dataclass(slots=True)
class _Waiting:
    """The tasks of one member that wait; ``oldest`` is the row of the one that was given first."""

    oldest: LedgerRow
    since: datetime
    late: int = 0
    """Those that the manager is to know of."""


@dataclass(slots=True)
class _Found:
    """What a run has found so far."""

    counts: TaskCounts = field(default_factory=TaskCounts)
    groups: defaultdict[tuple[Channel, TaskGroup], TaskCounts] = field(default_factory=lambda: defaultdict(TaskCounts))
    waiting: dict[tuple[Channel, str], _Waiting] = field(default_factory=dict)
    tasks_waiting: int = 0
    unanswered: int = 0
    silent: int = 0
    notices: list[CallbackNotice] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskTaskResults:
    """Asks the providers, through ``results``: None for a channel whose messages are no tasks."""

    ledger: Ledger
    results: Callable[[Channel], Results | None]
    queue: NoticeQueue
    figures: TaskFigures
    schedules: DeferredSends
    staff: Callable[[], StaffDirectory]
    zone: ZoneInfo
    clock: Clock

    def ask(self, has_time: Callable[[], bool]) -> Asked:
        """One run over what is due, for as long as ``has_time``.

        A result is in the queue of notices before it is counted, and its row stays due until the notice is recorded: a run that
        crashes is repeated by the next one, whose notices have the same ids.
        """
        found, ended_by = _Found(), ""
        for row in self.ledger.results_due(self.clock()):
            if not has_time():
                ended_by = "time"
            elif not ended_by:
                ended_by = self._take(row, found)
            if ended_by:
                break
            if len(found.notices) >= BATCH:
                self._hand_over(found)
            if len(found.groups) >= GROUPS:
                self._hand_over(found)
                self._count(found)
        self._hand_over(found)
        self._count(found)
        reminded, escalated = self._remind(found)
        return Asked(
            sent=found.counts.sent,
            failed=found.counts.failed,
            withdrawn=found.counts.withdrawn,
            waiting=found.tasks_waiting,
            unanswered=found.unanswered,
            reminded=reminded,
            escalated=escalated,
            ended_by=ended_by,
        )

    def _take(self, row: LedgerRow, found: _Found) -> str:
        """Ask about one row; why the run is to end, "" when it goes on."""
        results = self.results(Channel(row.channel or ""))
        if results is None or not row.provider_message_id or row.claimed_at is None:
            self.ledger.ask_again(row, None)
            return ""
        now, age = self.clock(), self.clock() - row.claimed_at
        answer = results.ask(row.provider_message_id)
        if age >= WITHDRAWN_AFTER and isinstance(answer, TaskResult) and answer.state == "waiting":
            answer = self._withdraw(results, row.provider_message_id, answer)
        match answer:
            case NotLearnt(reason=reason, ends_run=ends_run):
                found.unanswered, found.silent = found.unanswered + 1, found.silent + 1
                if ends_run or found.silent >= MOST_SILENT:
                    return reason
                self.ledger.ask_again(row, self._next(now, age) if age < WITHDRAWN_AFTER else None)
            case TaskResult(state="waiting"):
                found.silent = 0
                self._keep_waiting(row, row.claimed_at, answer, found)
            case TaskResult():
                found.silent = 0
                self._note(row, row.provider_message_id, answer, results, found)
            case _:
                assert_never(answer)
        return ""

    def _withdraw(self, results: Results, message_id: str, waiting: TaskResult) -> TaskResult | NotLearnt:
        """Take a task back; it counts as what it is after that, because the member may just have sent it."""
        refused = results.withdraw(message_id)
        if refused is not None:
            return refused
        after = results.ask(message_id)
        if isinstance(after, TaskResult) and after.state == "waiting":
            return TaskResult(state="failed", member=after.member or waiting.member, word=results.withdrawn)
        return after

    def _keep_waiting(self, row: LedgerRow, given_at: datetime, task: TaskResult, found: _Found) -> None:
        now, channel = self.clock(), Channel(row.channel or "")
        self.ledger.ask_again(row, self._next(now, now - given_at))
        found.tasks_waiting += 1
        if not task.member:
            return
        known = found.waiting.setdefault((channel, task.member), _Waiting(row, given_at))
        known.late += now - given_at >= ESCALATED_AFTER
        if given_at < known.since:
            known.oldest, known.since = row, given_at

    def _note(self, row: LedgerRow, message_id: str, task: TaskResult, results: Results, found: _Found) -> None:
        """Have a result recorded and counted."""
        tags = {"message_key": row.message_key, "contact_id": row.contact_id, "journey": journey_of(row.occasion)}
        detail = {
            "tags": tags,
            "message_id": message_id,
            "word": task.word,
            "member": task.member,
            "at": format_instant(task.at) if task.at else "",
        }
        notice_id = ids.digest("task", row.message_key, message_id, task.word)
        found.notices.append(CallbackNotice(source=results.source, notice_id=notice_id, detail=detail))
        is_withdrawn = task.word == results.withdrawn
        counts = TaskCounts(
            sent=int(task.state == "sent"),
            failed=int(task.state == "failed" and not is_withdrawn),
            withdrawn=int(is_withdrawn),
        )
        found.counts += counts
        given_at = row.claimed_at or self.clock()
        group = TaskGroup(f"{given_at.astimezone(self.zone):%Y-%m}", row.message, task.member)
        found.groups[Channel(row.channel or ""), group] += counts

    def _hand_over(self, found: _Found) -> None:
        if found.notices:
            self.queue.put(found.notices)
            found.notices = []

    def _count(self, found: _Found) -> None:
        for (channel, group), counts in found.groups.items():
            self.figures.add(channel, group, counts)
        found.groups.clear()

    def _next(self, now: datetime, age: timedelta) -> datetime:
        """When a task that waits is asked about again: each morning, and some hours later on its first day."""
        local = now.astimezone(self.zone)
        today = datetime.combine(local.date(), MORNING, tzinfo=self.zone)
        morning = (
            today if today > local else datetime.combine(local.date() + timedelta(days=1), MORNING, tzinfo=self.zone)
        )
        return min(morning, now + OFTEN) if age < FIRST_DAY else morning

    def _remind(self, found: _Found) -> tuple[int, int]:
        """Have each member reminded of the oldest task, once a day; say to the manager who is late. By day alone."""
        now = self.clock()
        local = now.astimezone(self.zone)
        if not MORNING <= local.time() < EVENING:
            return 0, 0
        reminded, late = 0, defaultdict[tuple[Channel, str], list[tuple[str, _Waiting]]](list)
        for (channel, member), waiting in found.waiting.items():
            results = self.results(channel)
            if results is None or now - waiting.since < REMINDED_AFTER:
                continue
            if not self.figures.take_reminder(channel, member, local.date()):
                continue
            reminded += results.remind(waiting.oldest.provider_message_id or "") is None
            known = self.staff().known_as(member) if waiting.late else None
            for manager in self.staff().managers_of(known, 1) if known else []:
                late[channel, manager.id].append((known.name if known else member, waiting))
        for (channel, manager_id), members in late.items():
            self._escalate(channel, manager_id, members, now)
        return reminded, len(late)

    def _escalate(self, channel: Channel, manager_id: str, late: list[tuple[str, _Waiting]], now: datetime) -> None:
        """Notify a manager: by the schedule that send_message answers to, so once, however often it is asked."""
        manager = self.staff().members[manager_id]
        worst = sorted(late, key=lambda each: (-each[1].late, each[0]))[:MOST_NAMED]
        members = [
            {"name": name, "late": each.late, "since": f"{each.since.astimezone(self.zone):%Y-%m-%d}"}
            for name, each in worst
        ]
        details = {"members": members, "more": len(late) - len(worst), "tasks": sum(each.late for _, each in late)}
        about = f"{channel}/{now.astimezone(self.zone):%Y-%m-%dT%H}"
        occasion = StaffNotice(manager.contact_id, notice=UNSENT, about=about, details=details)
        name = f"tasks-{ids.digest(UNSENT, about, manager.id, length=24)}"
        self.schedules.send_at(name, now, SendRequest(occasion, NOTICE).to_dict())
