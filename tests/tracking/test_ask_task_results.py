"""Messages that members of staff send: what became of them, who is reminded, and what their manager hears."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import ClassVar

import pytest

from tests.fakes.effects import Crash
from tests.fakes.world import World
from waypost import ids
from waypost.assembly import assemble
from waypost.aws.notice_queue import body_of
from waypost.channels.answers import Accepted
from waypost.channels.callback_contract import CallbackNotice
from waypost.channels.results_contract import NotLearnt, TaskResult
from waypost.clock import parse_instant
from waypost.contacts.channels import Channel
from waypost.events.envelope import Event
from waypost.sending.ledger import Decision, LedgerRow
from waypost.sending.occasion import BroadcastSlot
from waypost.sending.request import SendRequest
from waypost.staff.directory import Member, StaffDirectory
from waypost.tracking.ask_task_results import MOST_SILENT, Asked, AskTaskResults
from waypost.tracking.task_figures import TaskCounts, TaskGroup

WECOM = Channel("wecom")
MONDAY = parse_instant("2027-03-01T02:00:00.000Z")
"""10:00 in Shanghai."""
WAITING = TaskResult(state="waiting", member="zhang.san")
SENT = TaskResult(state="sent", member="zhang.san", word="sent", at=parse_instant("2027-03-01T02:40:00.000Z"))
IN_VAIN = replace(SENT, state="failed", word="not_a_friend")


@dataclass
class WeComTasks:
    """Results of WeCom. ``answers`` are those to questions about a message, the last one for good."""

    source: ClassVar[str] = "wecom.task"
    withdrawn: ClassVar[str] = "withdrawn"

    answers: dict[str, list[TaskResult | NotLearnt]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    reminded: list[str] = field(default_factory=list)
    taken_back: list[str] = field(default_factory=list)
    refusal: NotLearnt | None = None

    def ask(self, message_id: str) -> TaskResult | NotLearnt:
        self.asked.append(message_id)
        left = self.answers.get(message_id, [WAITING])
        return left.pop(0) if len(left) > 1 else left[0]

    def remind(self, message_id: str) -> NotLearnt | None:
        self.reminded.append(message_id)
        return self.refusal

    def withdraw(self, message_id: str) -> NotLearnt | None:
        self.taken_back.append(message_id)
        return self.refusal


@dataclass
class Company:
    """A world with messages that wait for members, and what asks about them."""

    world: World = field(default_factory=World)
    tasks: WeComTasks = field(default_factory=WeComTasks)
    kept: list[CallbackNotice] = field(default_factory=list)
    time: int = 10_000

    def put(self, notices: Sequence[CallbackNotice]) -> None:
        self.kept += notices

    def gives(self, name: str) -> LedgerRow:
        """A message to the customer of this name is accepted by WeCom as a task, which it calls by the name."""
        contact_id = ids.contact_id("user_id", name)
        self.world.have_contact(contact_id)
        slot = BroadcastSlot(contact_id, "spring", "1", "first")
        request, ledger, now = SendRequest(slot, "spring/offer"), self.world.ledger, self.world.clock()
        ledger.claim(request, channel=WECOM, claim_id=name, at=now, local_time="", touches=None)
        decision = Decision(now, "", "sent", "every_guard_allowed", WECOM)
        asked_at = now + timedelta(hours=1)
        ledger.settle(
            request, claim_id=name, state="accepted", decision=decision, provider_message_id=name, asked_at=asked_at
        )
        return ledger[slot.message_key]

    @property
    def asking(self) -> AskTaskResults:
        return assemble.ask_task_results(
            self.world.ports,
            results=lambda channel: self.tasks if channel == WECOM else None,
            notices=self,
            staff=lambda: self.world.staff,
            default_zone=self.world.default_zone,
        )

    def ask(self) -> Asked:
        """One run."""

        def has_time() -> bool:
            self.time -= 1
            return self.time >= 0

        return self.asking.ask(has_time)

    def hours(self, hours: float) -> list[Asked]:
        """Let time pass with a run at every hour."""
        runs = []
        for _ in range(int(hours)):
            self.world.clock.advance(hours=1)
            runs.append(self.ask())
        return runs

    def record(self) -> None:
        """Settle what was queued, as record_delivery does."""
        bodies = {str(number): body_of(notice) for number, notice in enumerate(self.kept)}
        assert self.world.record_delivery.record(bodies).failed == {}
        self.kept = []


def event_of(company: Company, type_: str) -> Event:
    """The one event of this type that was queued."""
    [event] = [each for each in company.world.queue.events.values() if each.type == type_]
    return event


@pytest.fixture
def company() -> Company:
    company = Company()
    company.world.clock.set(MONDAY)
    return company


def test_a_task_is_asked_about_an_hour_after_it_was_given(company: Company) -> None:
    company.gives("lin")
    company.world.clock.advance(minutes=59)
    assert (company.ask(), company.tasks.asked) == (Asked(), [])
    company.world.clock.advance(minutes=1)
    assert (company.ask(), company.tasks.asked) == (Asked(waiting=1), ["lin"])


def test_the_result_settles_the_message_at_the_time_when_the_member_sent_it(company: Company) -> None:
    row = company.gives("lin")
    company.tasks.answers["lin"] = [SENT]
    assert company.hours(1) == [Asked(sent=1)]
    [notice] = company.kept
    assert notice.source == "wecom.task"
    company.record()
    event = event_of(company, "message_delivered")
    assert (event.occurred_at, event.contact["contact_id"]) == (SENT.at, row.contact_id)
    assert (event.properties["staff"], event.properties["message_key"]) == ("zhang.san", row.message_key)
    company.world.route(event)
    assert company.world.ledger[row.message_key].state == "delivered"
    assert company.hours(48) == [Asked()] * 48


def test_a_message_that_reached_nobody_failed_and_closes_no_address(company: Company) -> None:
    row = company.gives("lin")
    company.tasks.answers["lin"] = [IN_VAIN]
    assert company.hours(1) == [Asked(failed=1)]
    company.record()
    event = event_of(company, "message_failed")
    assert (event.properties["reason"], "suppression" in event.properties) == ("not_a_friend", False)
    company.world.route(event)
    assert company.world.ledger[row.message_key].state == "rejected"


def test_a_result_that_is_asked_for_twice_is_one_event(company: Company) -> None:
    company.gives("lin")
    company.tasks.answers["lin"] = [SENT]
    company.hours(2)
    first, second = company.kept
    assert first == second


def test_a_run_that_dies_before_the_queue_has_the_result_is_made_good_by_the_next(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.gives("lin")
    company.tasks.answers["lin"] = [SENT]

    def die(_: object, notices: Sequence[CallbackNotice]) -> None:
        raise Crash

    with monkeypatch.context() as broken:
        broken.setattr(Company, "put", die)
        with pytest.raises(Crash):
            company.hours(1)
    assert company.world.task_figures.writes == 0
    assert company.hours(1) == [Asked(sent=1)]


def test_a_waiting_task_is_asked_about_every_three_hours_then_every_morning(company: Company) -> None:
    company.gives("lin")
    asked = [hour for hour, run in enumerate(company.hours(24 * 4), start=1) if run.waiting]
    assert asked == [1, 4, 7, 10, 13, 16, 19, 22, 24, 48, 72, 96]


def test_a_run_takes_what_its_time_allows_and_the_next_goes_on(company: Company) -> None:
    for number in range(5):
        company.gives(f"c-{number}")
        company.tasks.answers[f"c-{number}"] = [SENT]
    company.time = 3
    assert company.hours(1) == [Asked(sent=3, ended_by="time")]
    company.record()
    for event in company.world.queue.events.values():
        if event.type == "message_delivered":
            company.world.route(event)
    company.time = 10_000
    assert company.hours(1) == [Asked(sent=2)]
    assert sorted(set(company.tasks.asked)) == [f"c-{number}" for number in range(5)]


def test_a_provider_that_answers_nobody_ends_the_run_and_loses_nothing(company: Company) -> None:
    for name in ("lin", "mei"):
        company.gives(name)
        company.tasks.answers[name] = [NotLearnt("45009", ends_run=True), SENT]
    assert company.hours(1) == [Asked(unanswered=1, ended_by="45009")]
    assert len(company.tasks.asked) == 1
    company.tasks.answers = {"lin": [SENT], "mei": [SENT]}
    assert company.hours(1) == [Asked(sent=2)]


def test_a_task_that_the_provider_does_not_know_keeps_no_other_waiting(company: Company) -> None:
    company.gives("lost")
    company.gives("lin")
    company.tasks.answers = {"lost": [NotLearnt("40058", ends_run=False)], "lin": [SENT]}
    [run] = company.hours(1)
    assert (run.sent, run.unanswered, run.ended_by) == (1, 1, "")
    company.record()
    company.world.route(event_of(company, "message_delivered"))
    later = company.hours(24 * 9)
    assert sum(run.unanswered for run in later[-24:]) == 0


def test_a_provider_that_knows_none_of_many_tasks_ends_the_run(company: Company) -> None:
    for number in range(MOST_SILENT + 3):
        company.gives(f"c-{number}")
        company.tasks.answers[f"c-{number}"] = [NotLearnt("40058", ends_run=False)]
    assert company.hours(1) == [Asked(unanswered=MOST_SILENT, ended_by="40058")]


def test_a_member_is_reminded_of_the_oldest_task_once_a_day_and_by_day_alone(company: Company) -> None:
    company.gives("first")
    company.world.clock.advance(hours=1)
    company.gives("second")
    hours = [hour for hour, run in enumerate(company.hours(23 + 24 + 24), start=2) if run.reminded]
    assert hours == [24, 48, 72]
    assert company.tasks.reminded == ["first"] * 3


def test_members_are_reminded_each_for_themselves(company: Company) -> None:
    for name, member in (("lin", "zhang.san"), ("mei", "li.si"), ("hua", "li.si")):
        company.gives(name)
        company.tasks.answers[name] = [replace(WAITING, member=member)]
    runs = company.hours(24)
    assert sum(run.reminded for run in runs) == 2
    assert len(company.tasks.reminded) == 2


def test_a_reminder_that_the_provider_refuses_is_not_counted(company: Company) -> None:
    company.gives("lin")
    company.tasks.refusal = NotLearnt("45009", ends_run=True)
    assert sum(run.reminded for run in company.hours(24)) == 0


def staff() -> StaffDirectory:
    wang = Member(id="wang", name="Wang", email="wang@example.com", roles=frozenset({"lead"}))
    zhang = Member(
        id="zhang",
        name="Zhang San",
        email="zhang@example.com",
        roles=frozenset({"operator"}),
        manager="wang",
        channels={WECOM: "zhang.san"},
    )
    return StaffDirectory({"wang": wang, "zhang": zhang})


def test_after_two_days_the_manager_hears_of_it_once_a_day(company: Company) -> None:
    company.world.staff = staff()
    company.gives("lin")
    assert sum(run.escalated for run in company.hours(47)) == 0
    assert sum(run.escalated for run in company.hours(24)) == 1
    [booking] = [each for name, each in company.world.schedules.booked.items() if name.startswith("tasks-")]
    request = SendRequest.from_dict(booking.payload)
    assert (request.message, request.contact_id) == ("notices/tasks-unsent", "staff-wang")
    expected = {"members": [{"name": "Zhang San", "late": 1, "since": "2027-03-01"}], "more": 0, "tasks": 1}
    assert request.occasion == replace(request.occasion, details=expected)  # type: ignore[arg-type]


def test_a_member_whom_nobody_knows_is_reminded_and_no_manager_hears_of_it(company: Company) -> None:
    company.gives("lin")
    runs = company.hours(72)
    assert (sum(run.reminded for run in runs), sum(run.escalated for run in runs)) == (3, 0)


def test_what_nobody_sent_in_a_week_is_taken_back_and_failed(company: Company) -> None:
    row = company.gives("lin")
    runs = company.hours(24 * 7)
    assert company.tasks.taken_back == ["lin"]
    assert runs[-1] == Asked(withdrawn=1)
    company.record()
    event = event_of(company, "message_failed")
    assert event.properties["reason"] == "withdrawn"
    company.world.route(event)
    assert company.world.ledger[row.message_key].state == "rejected"


def test_a_member_who_sends_it_in_the_last_moment_has_sent_it(company: Company) -> None:
    company.gives("lin")
    company.hours(24 * 7 - 1)
    company.tasks.answers["lin"] = [WAITING, SENT]
    assert company.hours(1) == [Asked(sent=1)]
    assert company.tasks.taken_back == ["lin"]


def test_a_task_that_cannot_be_taken_back_is_not_called_so(company: Company) -> None:
    company.gives("lin")
    company.tasks.refusal = NotLearnt("40058", ends_run=False)
    company.hours(24 * 7)
    assert company.kept == []
    assert company.hours(24) == [Asked()] * 24


def test_what_ended_is_counted_by_month_message_and_member(company: Company) -> None:
    for number in range(3):
        company.gives(f"c-{number}")
        company.tasks.answers[f"c-{number}"] = [SENT]
    company.gives("vain")
    company.tasks.answers["vain"] = [IN_VAIN]
    company.hours(1)
    [(group, counts)] = company.world.task_figures.of("wecom", "2027-03")
    assert group == TaskGroup("2027-03", "spring/offer", "zhang.san")
    assert counts == TaskCounts(sent=3, failed=1)
    assert company.world.task_figures.writes == 1


def test_the_sender_has_a_task_asked_about_when_its_provider_says_so() -> None:
    world = World()
    world.have_contact()
    enrolment = world.have_enrolment()
    world.email.answers = [Accepted("task-1", asked_after=timedelta(hours=1))]
    result = world.send(enrolment, "welcome")
    row = world.ledger[result.message_key]
    assert list(world.ledger.results_due(world.clock() + timedelta(minutes=59))) == []
    assert list(world.ledger.results_due(world.clock() + timedelta(hours=1))) == [row]
