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
from waypost.errors import InvalidInput
from waypost.policies.policy_form import read_changes
from waypost.sending.budget import Budget, Over, WarmUp
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
        sent.append(sum(sender.over(SMS, policy=declared, now=NOON, transactional=False) is None for _ in range(limit)))

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
        assert sender.over(SMS, policy=budget_policy(100_000), now=NOON, transactional=False) is None
    assert counters.writes == 32


def test_what_is_over_the_budget_waits_for_the_next_day_and_a_higher_one_holds_at_once() -> None:
    counters = FakeBudgetCounters()
    sender = Budget(counters=counters, zone=SHANGHAI)
    assert sender.over(SMS, policy=budget_policy(1), now=NOON, transactional=False) is None
    assert sender.over(SMS, policy=budget_policy(1), now=NOON, transactional=False) == Over(
        "daily_budget", at("2027-03-02T00:00")
    )
    writes = counters.writes
    assert sender.over(SMS, policy=budget_policy(1), now=NOON, transactional=False) is not None
    assert counters.writes == writes
    assert sender.over(SMS, policy=budget_policy(2), now=NOON, transactional=False) is None
    assert sender.over(SMS, policy=budget_policy(2), now=NOON + DAY, transactional=False) is None
    assert sender.over(EMAIL, policy=budget_policy(1), now=NOON, transactional=False) is None


def test_a_message_over_the_budget_says_so_and_transactional_ones_are_exempt() -> None:
    world = World(published=published(sending={"daily_budget": {"email": 1, "sms": 1}}))
    world.have_contact()
    enrolment = world.have_enrolment()
    first, second = (world.send(enrolment, "welcome", state=state) for state in ("one", "two"))
    assert (first.outcome, second.outcome, second.reason) == ("sent", "deferred", "daily_budget")
    assert second.at == at("2027-03-02T08:00")
    assert world.send(enrolment, "order_confirmation").outcome == "sent"
    assert world.budget_counters.taken[SMS, date(2027, 3, 1)] == 0


# Warm-up and the quotas of platforms


def test_a_warm_up_lets_more_through_each_day_and_then_everything() -> None:
    declared = policy(warm_up={"email": {"starts": "2027-03-01", "volumes": [2, 3]}})
    sender = Budget(counters=FakeBudgetCounters(), zone=SHANGHAI)

    def sent(day: int) -> int:
        asked = (sender.over(EMAIL, policy=declared, now=NOON + day * DAY, transactional=False) for _ in range(10))
        return sum(over is None for over in asked)

    assert [sent(day) for day in range(3)] == [2, 3, 10]
    assert WarmUp("2027-03-01", (2, 3)).on(date(2027, 2, 20)) == 2
    over = sender.over(EMAIL, policy=declared, now=NOON, transactional=False)
    assert over == Over("warm_up", at("2027-03-02T00:00"))
    assert sender.over(EMAIL, policy=declared, now=NOON, transactional=True) is None


def test_the_quota_of_a_platform_holds_for_every_message_a_day_and_a_month() -> None:
    declared = policy(platform_quotas={"sms": {"day": 2, "month": 3}})
    sender = Budget(counters=FakeBudgetCounters(), zone=SHANGHAI)

    def over(day: int) -> Over | None:
        return sender.over(SMS, policy=declared, now=NOON + day * DAY, transactional=True)

    assert [over(0), over(0), over(0)] == [None, None, Over("platform_quota", at("2027-03-02T00:00"))]
    assert [over(0), over(1)] == [Over("platform_quota", at("2027-03-02T00:00")), None], "a used-up day takes no month"
    assert over(2) == Over("platform_quota", at("2027-04-01T00:00"))
    assert over(31) is None


@pytest.mark.parametrize(
    "section",
    [
        {"warm_up": {"email": {"starts": "soon", "volumes": [1]}}},
        {"warm_up": {"email": {"starts": "2027-03-01", "volumes": []}}},
        {"receivers": {"gmail": {"domains": ["gmail.com"], "per_second": 0}}},
        {"receivers": {"gmail": {"domains": ["@gmail.com"], "per_second": 1}}},
        {"platform_quotas": {"sms": {"day": 0}}},
    ],
)
def test_what_cannot_be_meant_is_refused(section: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        read_changes(section, "policy")


def test_a_mailbox_provider_gets_no_more_a_second_than_it_takes_and_the_others_go_on() -> None:
    receivers = {"qq": {"domains": ["qq.com", "foxmail.com"], "per_second": 1}}
    world = World(published=published(sending={"receivers": receivers, "frequency_cap": None}))
    for name, address in (("c-1", "a@qq.com"), ("c-2", "b@foxmail.com"), ("c-3", "c@example.com")):
        world.have_contact(name, attributes={"email": address, "name": "Lin"})
    results = [world.send(world.have_enrolment(name), "welcome") for name in ("c-1", "c-2", "c-3")]
    assert [(each.outcome, each.reason) for each in results] == [
        ("sent", "every_guard_allowed"),
        ("deferred", "paced"),
        ("sent", "every_guard_allowed"),
    ]
