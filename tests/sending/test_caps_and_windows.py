"""Caps per channel and day, the contact's own frequency, fatigue, windows of journeys and workdays, daily budgets."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from threading import Thread
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.fakes.budget_counters import FakeBudgetCounters
from tests.fakes.published_journeys import published
from tests.fakes.world import World, send_request, touch
from tests.sending.test_guards import NOON, TRANSACTIONAL, case, contact, policy
from waypost import workdays
from waypost.contacts.channels import Channel
from waypost.sending.budget import Budget
from waypost.sending.guard import Allow, Defer
from waypost.sending.guards.channel_cap import ChannelCap
from waypost.sending.guards.fatigue import Fatigue
from waypost.sending.guards.quiet_hours import QuietHours
from waypost.sending.judge import judge
from waypost.sending.ledger import Snapshot, Touches
from waypost.sending.policy import SendingPolicy
from waypost.sending.request import SendRequest
from waypost.workdays import WorkCalendar, Workdays

EMAIL, SMS = Channel("email"), Channel("sms")
DAY = timedelta(days=1)
SHANGHAI = ZoneInfo("Asia/Shanghai")


def at(local: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    return datetime.fromisoformat(local).replace(tzinfo=zone)


def seen_touches(*days_ago: float, channel: str = "email") -> Touches:
    return Touches([touch(f"m-{days}", NOON - days * DAY, channel=channel) for days in days_ago])


# A channel's cap of the day


def test_a_channel_that_had_its_messages_today_waits_for_tomorrows_window() -> None:
    capped = policy(channel_caps={"email": 1})
    today = case(touches=seen_touches(0.1), policy=capped)
    assert ChannelCap().check(today) == Defer("channel_cap", at("2027-03-02T00:00"))
    assert judge(today).verdict == Defer("channel_cap", at("2027-03-02T08:00"))
    assert ChannelCap().check(case(touches=seen_touches(0.1, channel="sms"), policy=capped)) == Allow()
    assert (
        ChannelCap().check(case(touches=seen_touches(0.6), policy=capped)) == Allow()
    )  # yesterday, where the contact lives
    assert ChannelCap().check(replace(today, message=TRANSACTIONAL)) == Allow()
    assert ChannelCap().check(replace(today, policy=policy())) == Allow()


# The contact's own choice, and fatigue


@pytest.mark.parametrize(
    ("choice", "days_ago", "until"),
    [
        ("weekly", (3,), NOON + 4 * DAY),
        ("weekly", (7,), None),
        ("monthly", (3,), NOON + 27 * DAY),
        ("daily", (0.5,), NOON + 0.5 * DAY),
        ("every now and then", (0.1,), None),
        (None, (0.1,), None),
    ],
)
def test_who_asked_for_fewer_messages_gets_fewer(choice: str | None, days_ago: tuple[float, ...], until: Any) -> None:
    known = contact(attributes={"email": "lin@example.com", "frequency": choice})
    judged = case(contact=known, touches=seen_touches(*days_ago))
    assert Fatigue().check(judged) == (Allow() if until is None else Defer("chosen_frequency", until))
    assert Fatigue().check(replace(judged, message=TRANSACTIONAL)) == Allow()


TIRED = policy(fatigue={"ignored": 3, "count": 1, "days": 7})


@pytest.mark.parametrize(
    ("engaged_days_ago", "verdict"),
    [
        (None, Defer("fatigue", NOON + 5 * DAY)),
        (30, Defer("fatigue", NOON + 5 * DAY)),
        (6, Allow()),
        (1, Allow()),
    ],
)
@pytest.mark.parametrize("kind", ["message_opened", "message_clicked"])
def test_who_ignores_messages_gets_fewer_until_it_reads_one(
    kind: str, engaged_days_ago: int | None, verdict: Any
) -> None:
    day = (NOON - (engaged_days_ago or 0) * DAY).date()
    known = contact(seen={} if engaged_days_ago is None else {kind: (day, day)})
    assert Fatigue().check(case(contact=known, touches=seen_touches(8, 4, 2), policy=TIRED)) == verdict


def test_nobody_can_be_seen_to_ignore_an_sms() -> None:
    assert Fatigue().check(case(touches=seen_touches(8, 4, 2, channel="sms"), policy=TIRED)) == Allow()
    assert Fatigue().check(case(touches=seen_touches(8, 4), policy=TIRED)) == Allow()
    assert Fatigue().check(case(touches=seen_touches(8, 4, 2))) == Allow()


# Windows


def test_a_journey_may_have_narrower_hours_than_its_channel() -> None:
    evening = policy(journey_windows={"nurture": {"start": "18:00", "end": "23:00"}})
    assert QuietHours().check(case(policy=evening)) == Defer("quiet_hours", at("2027-03-01T18:00"))
    late = case(policy=evening, now=at("2027-03-01T22:30"))  # the journey's hours go on, the channel's are over
    assert QuietHours().check(late) == Defer("quiet_hours", at("2027-03-02T18:00"))
    other = policy(journey_windows={"another": {"start": "18:00", "end": "23:00"}})
    assert QuietHours().check(case(policy=other)) == Allow()


@pytest.fixture
def may_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the first to the fifth of May nobody works, on Saturday the eighth everybody does."""
    days_off = frozenset(f"2027-05-0{day}" for day in range(1, 6))
    calendar = WorkCalendar(off=days_off, work=frozenset({"2027-05-08"}))
    monkeypatch.setattr(workdays, "load_workdays", lambda: Workdays(calendar))


@pytest.mark.usefixtures("may_day")
@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2027-04-30T12:00", None),
        ("2027-04-30T22:30", "2027-05-06T08:00"),
        ("2027-05-01T07:00", "2027-05-06T08:00"),
        ("2027-05-08T12:00", None),
        ("2027-05-09T12:00", "2027-05-10T08:00"),
    ],
)
@pytest.mark.parametrize("only", [{"channels": ["email"], "journeys": []}, {"channels": [], "journeys": ["nurture"]}])
def test_what_goes_out_on_workdays_waits_for_one(now: str, until: str | None, only: dict[str, Any]) -> None:
    judged = case(now=at(now), policy=policy(workdays_only=only))
    assert QuietHours().check(judged) == (Allow() if until is None else Defer("quiet_hours", at(until)))


@pytest.mark.usefixtures("may_day")
def test_other_channels_know_no_workdays_and_a_cap_ends_on_one() -> None:
    only = {"channels": ["sms"], "journeys": []}
    assert QuietHours().check(case(now=at("2027-05-01T12:00"), policy=policy(workdays_only=only))) == Allow()
    sent = at("2027-04-30T12:00")
    both = policy(workdays_only={"channels": ["email"], "journeys": []})
    capped = case(now=sent, policy=both, touches=Touches([touch("m-1", sent), touch("m-2", sent)]))
    assert judge(capped).verdict == Defer("frequency_cap", at("2027-05-06T08:00"))


NIGHTS = [
    ("America/New_York", "2027-03-14"),
    ("America/New_York", "2027-11-07"),
    ("Europe/Berlin", "2027-03-28"),
    ("Europe/Berlin", "2027-10-31"),
    ("Asia/Beirut", "2027-03-28"),  # clocks change at midnight
    ("Asia/Beirut", "2027-10-31"),
    ("Australia/Lord_Howe", "2027-04-04"),  # by half an hour
    ("Australia/Lord_Howe", "2027-10-03"),
]


@pytest.mark.parametrize(("zone", "day"), NIGHTS)
@pytest.mark.parametrize("before", ["22:00", "23:30", "23:59:59.999999"])
@pytest.mark.parametrize("cap", [None, 1])
def test_in_nights_when_clocks_change_the_first_allowed_minute_is_waited_for(
    zone: str, day: str, before: str, cap: int | None
) -> None:
    here = ZoneInfo(zone)
    now = datetime.combine(date.fromisoformat(day) - DAY, datetime.fromisoformat(f"2027-01-01T{before}").time(), here)
    caps = {"channel_caps": {"email": cap}} if cap else {}
    sent = Touches([touch("m-1", now - timedelta(hours=1))] if cap else [])
    verdict = judge(case(now=now.astimezone(UTC), zone=here, policy=policy(**caps), touches=sent)).verdict
    assert isinstance(verdict, Defer)
    local = verdict.until.astimezone(here)
    assert (local.date().isoformat(), local.time().isoformat()) == (day, "08:00:00")
    later = case(now=verdict.until, zone=here, policy=policy(**caps), touches=sent)
    assert judge(later).verdict == Allow()
    just_before = replace(later, now=verdict.until - timedelta(seconds=1))
    assert isinstance(judge(just_before).verdict, Defer)


# A hundred senders


def test_a_hundred_senders_never_exceed_a_cap_of_two(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    enrolment = world.have_enrolment()
    requests = [send_request(enrolment, "welcome", state=f"step {number}") for number in range(100)]
    read = world.ledger.snapshot
    stale: dict[str, Snapshot] = {each.message_key: read(each) for each in requests}  # all read before any has claimed

    def snapshot(request: SendRequest, *, with_row: bool = True) -> Snapshot:
        return stale.pop(request.message_key, None) or read(request, with_row=with_row)

    monkeypatch.setattr(world.ledger, "snapshot", snapshot)
    outcomes = [world.send_message.send(request).outcome for request in requests]
    assert (outcomes.count("sent"), outcomes.count("deferred"), len(world.email.sent)) == (2, 98, 2)
    assert stale == {}


# The budget of a channel's day


def budget_policy(limit: int) -> SendingPolicy:
    return policy(daily_budget={"sms": limit})


@pytest.mark.parametrize("limit", [1, 7, 150, 2_000])
def test_a_hundred_senders_never_exceed_a_budget(limit: int) -> None:
    counters, declared = FakeBudgetCounters(), budget_policy(limit)
    senders = [Budget(counters=counters, zone=SHANGHAI) for _ in range(100)]
    sent: list[int] = []

    def spend(sender: Budget) -> None:
        sent.append(sum(sender.waits_until(SMS, policy=declared, now=NOON) is None for _ in range(limit)))

    threads = [Thread(target=spend, args=(sender,)) for sender in senders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(sent) == limit


def test_a_budget_is_taken_in_shares_so_that_most_messages_write_nothing() -> None:
    counters = FakeBudgetCounters()
    sender = Budget(counters=counters, zone=SHANGHAI)
    for _ in range(1_000):
        assert sender.waits_until(SMS, policy=budget_policy(100_000), now=NOON) is None
    assert counters.writes == 32


def test_what_is_over_the_budget_waits_for_the_next_day_and_a_higher_one_holds_at_once() -> None:
    counters = FakeBudgetCounters()
    sender = Budget(counters=counters, zone=SHANGHAI)
    assert sender.waits_until(SMS, policy=budget_policy(1), now=NOON) is None
    assert sender.waits_until(SMS, policy=budget_policy(1), now=NOON) == at("2027-03-02T00:00")
    writes = counters.writes
    assert sender.waits_until(SMS, policy=budget_policy(1), now=NOON) is not None
    assert counters.writes == writes
    assert sender.waits_until(SMS, policy=budget_policy(2), now=NOON) is None
    assert sender.waits_until(SMS, policy=budget_policy(2), now=NOON + DAY) is None
    assert sender.waits_until(EMAIL, policy=budget_policy(1), now=NOON) is None


def test_a_message_over_the_budget_says_so_and_transactional_ones_are_exempt() -> None:
    world = World(published=published(sending={"daily_budget": {"email": 1, "sms": 1}}))
    world.have_contact()
    enrolment = world.have_enrolment()
    first, second = (world.send(enrolment, "welcome", state=state) for state in ("one", "two"))
    assert (first.outcome, second.outcome, second.reason) == ("sent", "deferred", "daily_budget")
    assert second.at == at("2027-03-02T08:00")
    assert world.send(enrolment, "order_confirmation").outcome == "sent"
    assert world.budget_counters.taken[SMS, date(2027, 3, 1)] == 0
