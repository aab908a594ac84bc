"""Each guard on its own, then all of them in their order."""

import pkgutil
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest

from tests.fakes.published_journeys import SENDING, email, sms
from tests.fakes.world import CONTACT, START, touch
from waypost.clock import parse_instant
from waypost.contacts.address_record import AddressRecord
from waypost.contacts.channels import Address, Channel
from waypost.contacts.consent import Consent
from waypost.contacts.profile import Contact
from waypost.content.message import Priority, PublishedMessage
from waypost.journeys.enrolment import Enrolment, TriggerEvent, first_hop
from waypost.sending import guards
from waypost.sending.guard import Allow, Case, Defer, Guard, Judges, Skip, Verdict
from waypost.sending.guards.erased import Erased
from waypost.sending.guards.frequency_cap import FrequencyCap
from waypost.sending.guards.held_out import HeldOut
from waypost.sending.guards.left_journey import LeftJourney
from waypost.sending.guards.missing_address import MissingAddress
from waypost.sending.guards.no_consent import NoConsent
from waypost.sending.guards.quiet_hours import QuietHours
from waypost.sending.guards.same_topic import SameTopic
from waypost.sending.guards.suppressed import Suppressed
from waypost.sending.judge import all_guards, judge
from waypost.sending.ledger import Touches
from waypost.sending.occasion import BroadcastSlot, JourneyStep, Occasion, OccasionKind, Reply, StaffNotice
from waypost.sending.policy import SendingPolicy

NOON = parse_instant("2027-03-01T12:00:00+08:00")
LATE = parse_instant("2027-03-01T23:30:00+08:00")
HOUR = timedelta(hours=1)

MARKETING = PublishedMessage.from_dict(email("welcome"))
TRANSACTIONAL = PublishedMessage.from_dict(email("receipt", kind="transactional"))
TEXT = PublishedMessage.from_dict(sms("survey"))
STEP = JourneyStep(CONTACT, "n-1", "nurture", "Day 1, welcome")


def policy(**changes: Any) -> SendingPolicy:
    """The usual policy with these sections changed."""
    return SendingPolicy.from_dict(SENDING | changes)


def contact(**changes: Any) -> Contact:
    consent = Consent(granted=True, at=parse_instant(START), source="shop")
    fields: dict[str, Any] = {
        "contact_id": CONTACT,
        "created_at": parse_instant(START),
        "attributes": {"email": "lin@example.com", "phone": "+8613800000001"},
        "consents": {"email/*": consent, "sms/*": consent},
    }
    return Contact(**fields | changes)


def enrolment(**changes: Any) -> Enrolment:
    trigger = TriggerEvent("e-1", "registered", parse_instant(START), {})
    began = parse_instant(START)
    return replace(
        Enrolment("n-1", CONTACT, "nurture", 1, trigger, began, hop=first_hop("n-1", began), due_at=began), **changes
    )


def case(**changes: Any) -> Case:
    fields: dict[str, Any] = {
        "occasion": STEP,
        "message": MARKETING,
        "channel": "email",
        "contact": contact(),
        "address": LIN,
        "record": AddressRecord(),
        "enrolment": enrolment(),
        "touches": Touches(),
        "policy": policy(),
        "zone": ZoneInfo("Asia/Shanghai"),
        "now": NOON,
    }
    return Case(**fields | changes)


LIN = Address(Channel("email"), "email", "lin@example.com")


def touches(*instants: datetime) -> Touches:
    return Touches([touch(f"m-{number}", at) for number, at in enumerate(instants)], len(instants))


def test_a_message_nobody_objects_to_is_allowed() -> None:
    assert judge(case()).verdict == Allow()


# Erased


def test_an_erased_contact_gets_nothing_not_even_what_it_asked_for() -> None:
    assert Erased().check(case(contact=contact(erased=True), message=TRANSACTIONAL)) == Skip("erased")
    assert Erased().check(case()) == Allow()


# Left the journey


@pytest.mark.parametrize(
    ("state", "in_the_body", "after_exit"),
    [
        ({"status": "active"}, Allow(), Allow()),
        ({"status": "leaving", "outcome": "goal"}, Skip("left_journey"), Allow()),
        ({"status": "leaving", "outcome": "exited"}, Skip("left_journey"), Allow()),
        ({"status": "ended", "outcome": "goal"}, Skip("left_journey"), Allow()),
        ({"status": "ended", "outcome": "exited"}, Skip("left_journey"), Allow()),
        ({"status": "ended", "outcome": "completed"}, Allow(), Allow()),
        ({"status": "ended", "outcome": "failed"}, Skip("left_journey"), Skip("left_journey")),
    ],
)
def test_who_has_left_gets_only_what_follows_the_exit(
    state: dict[str, Any], in_the_body: Verdict, after_exit: Verdict
) -> None:
    assert LeftJourney().check(case(enrolment=enrolment(**state))) == in_the_body
    last = case(enrolment=enrolment(**state), occasion=replace(STEP, after_exit=True))
    assert LeftJourney().check(last) == after_exit


# Address


@pytest.mark.parametrize("attributes", [{}, {"email": ""}, {"email": None}, {"phone": "+8613800000001"}])
def test_without_an_address_another_channel_may_do(attributes: dict[str, Any]) -> None:
    verdict = MissingAddress().check(case(contact=contact(attributes=attributes)))
    assert verdict == Skip("missing_address", other_channel=True)


@pytest.mark.parametrize(("seconds", "settled"), [(0, False), (59, False), (60, True), (3600, True)])
def test_what_is_missing_may_come_with_the_first_events(seconds: int, settled: bool) -> None:
    began = enrolment().enrolled_at
    fresh = case(now=began + timedelta(seconds=seconds), contact=contact(attributes={}, consents={}))
    until = None if settled else began + timedelta(minutes=1)
    assert MissingAddress().check(fresh) == Skip("missing_address", other_channel=True, curable_until=until)
    assert NoConsent().check(fresh) == Skip("no_consent", other_channel=True, curable_until=until)
    assert NoConsent().check(replace(fresh, enrolment=None)) == Skip("no_consent", other_channel=True)


def test_each_channel_has_its_own_address() -> None:
    only_mail = contact(attributes={"email": "lin@example.com"})
    assert MissingAddress().check(case(contact=only_mail)) == Allow()
    assert MissingAddress().check(case(contact=only_mail, channel="sms")) == Skip("missing_address", other_channel=True)


# Suppression


def test_a_suppressed_channel_is_closed_for_every_message() -> None:
    bounced = contact(suppressions={"email": "hard_bounce"})
    for message in (MARKETING, TRANSACTIONAL):
        verdict = Suppressed().check(case(contact=bounced, message=message))
        assert verdict == Skip("suppressed_hard_bounce", other_channel=True)
    assert Suppressed().check(case(contact=bounced, channel="sms", message=TEXT)) == Allow()


# Consent


def answered(granted: bool, key: str) -> dict[str, Consent]:
    return {key: Consent(granted=granted, at=parse_instant(START), source="shop")}


@pytest.mark.parametrize(
    ("consents", "verdict"),
    [
        ({}, Skip("no_consent", other_channel=True)),
        (answered(True, "email/*"), Allow()),
        (answered(True, "email/nurture"), Allow()),
        (answered(True, "email/other"), Skip("no_consent", other_channel=True)),
        (answered(True, "sms/*"), Skip("no_consent", other_channel=True)),
        (answered(False, "email/*"), Skip("consent_withdrawn", other_channel=True)),
        (answered(False, "email/nurture"), Skip("consent_withdrawn", other_channel=True)),
    ],
)
def test_marketing_needs_consent_for_channel_and_topic(consents: dict[str, Consent], verdict: Verdict) -> None:
    assert NoConsent().check(case(contact=contact(consents=consents))) == verdict


@pytest.mark.parametrize("consents", [{}, answered(False, "email/*")])
def test_what_the_contact_asked_for_needs_no_consent(consents: dict[str, Consent]) -> None:
    assert NoConsent().check(case(contact=contact(consents=consents), message=TRANSACTIONAL)) == Allow()


# Frequency cap: two in 24 hours


@pytest.mark.parametrize(
    ("hours_ago", "verdict"),
    [
        ((), Allow()),
        ((1,), Allow()),
        ((1, 24), Allow()),
        ((1, 30), Allow()),
        ((1, 2), Defer("frequency_cap", NOON + 22 * HOUR)),
        ((2, 1), Defer("frequency_cap", NOON + 22 * HOUR)),
        ((1, 2, 3), Defer("frequency_cap", NOON + 22 * HOUR)),
    ],
)
def test_the_next_message_waits_until_it_is_one_of_two(hours_ago: tuple[int, ...], verdict: Verdict) -> None:
    recent = touches(*(NOON - hours * HOUR for hours in hours_ago))
    assert FrequencyCap().check(case(touches=recent)) == verdict


def test_when_the_wait_is_over_the_cap_allows() -> None:
    recent = touches(NOON - 3 * HOUR, NOON - 2 * HOUR, NOON - HOUR)
    verdict = FrequencyCap().check(case(touches=recent))
    assert isinstance(verdict, Defer)
    assert FrequencyCap().check(case(touches=recent, now=verdict.until)) == Allow()
    assert FrequencyCap().check(case(touches=recent, now=verdict.until - timedelta(seconds=1))) == verdict


def test_transactional_messages_and_uncapped_policies_know_no_cap() -> None:
    recent = touches(NOON, NOON, NOON)
    assert FrequencyCap().check(case(touches=recent, message=TRANSACTIONAL)) == Allow()
    assert FrequencyCap().check(case(touches=recent, policy=policy(frequency_cap=None))) == Allow()


def test_a_cap_may_look_back_for_weeks() -> None:
    monthly = policy(frequency_cap={"count": 1, "hours": 24 * 30})
    sent = NOON - timedelta(days=29)
    assert FrequencyCap().check(case(touches=touches(sent), policy=monthly)) == Defer(
        "frequency_cap", sent + timedelta(days=30)
    )


# Reserved for high priority: two in 24 hours, one of them


@pytest.mark.parametrize(
    ("sent", "priority", "verdict"),
    [
        ((), "normal", Allow()),
        (((1, "normal"),), "normal", Defer("frequency_cap", NOON + 23 * HOUR)),
        (((1, "normal"),), "high", Allow()),
        (((1, "high"),), "normal", Allow()),
        (((1, "high"),), "high", Allow()),
        (((2, "high"), (1, "normal")), "high", Defer("frequency_cap", NOON + 22 * HOUR)),
        (((2, "high"), (1, "normal")), "normal", Defer("frequency_cap", NOON + 23 * HOUR)),
        (((1, "high"), (2, "high")), "normal", Defer("frequency_cap", NOON + 22 * HOUR)),
    ],
)
def test_what_is_reserved_is_kept_for_messages_of_high_priority(
    sent: tuple[tuple[int, Priority], ...], priority: Priority, verdict: Verdict
) -> None:
    recent = Touches([touch(f"m-{hours}", NOON - hours * HOUR, priority=each) for hours, each in sent])
    reserving = policy(frequency_cap={"count": 2, "hours": 24, "reserved": 1})
    judged = case(touches=recent, policy=reserving, message=replace(MARKETING, priority=priority))
    assert FrequencyCap().check(judged) == verdict


# The same topic within some days


@pytest.mark.parametrize(
    ("topic", "days_ago", "verdict"),
    [
        ("nurture", 6.9, Skip("same_topic")),
        ("nurture", 7, Allow()),
        ("offers", 1, Allow()),
    ],
)
def test_a_topic_is_spaced_by_its_days(topic: str, days_ago: float, verdict: Verdict) -> None:
    recent = Touches([touch("m-1", NOON - timedelta(days=days_ago), topic=topic)])
    weekly = policy(topic_spacing_days={"nurture": 7})
    assert SameTopic().check(case(touches=recent, policy=weekly)) == verdict
    assert SameTopic().check(case(touches=recent, policy=weekly, message=TRANSACTIONAL)) == Allow()
    assert SameTopic().check(case(touches=recent)) == Allow()


# Quiet hours: mail from 08:00 to 22:00, SMS from 09:00 to 21:00


@pytest.mark.parametrize(
    ("channel", "local", "until"),
    [
        ("email", "2027-03-01T07:59:59", "2027-03-01T08:00"),
        ("email", "2027-03-01T08:00:00", None),
        ("email", "2027-03-01T21:59:59", None),
        ("email", "2027-03-01T22:00:00", "2027-03-02T08:00"),
        ("sms", "2027-03-01T08:30:00", "2027-03-01T09:00"),
        ("sms", "2027-03-01T21:00:00", "2027-03-02T09:00"),
    ],
)
@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York", "Pacific/Auckland"])
def test_marketing_waits_for_the_window_where_the_contact_lives(
    channel: str, local: str, until: str | None, zone: str
) -> None:
    here = ZoneInfo(zone)
    now = datetime.fromisoformat(local).replace(tzinfo=here)
    verdict = QuietHours().check(case(channel=channel, now=now, zone=here))
    expected = Allow() if until is None else Defer("quiet_hours", datetime.fromisoformat(until).replace(tzinfo=here))
    assert verdict == expected


def test_transactional_messages_and_channels_without_a_window_know_no_quiet_hours() -> None:
    assert QuietHours().check(case(now=LATE, message=TRANSACTIONAL)) == Allow()
    assert QuietHours().check(case(now=LATE, policy=policy(windows={"email": None}))) == Allow()


def test_a_channel_that_the_policy_leaves_out_keeps_its_own_window() -> None:
    window = {"sms": {"start": "09:00", "end": "21:00"}}
    verdict = QuietHours().check(case(now=LATE, policy=policy(windows=window)))
    assert verdict == QuietHours().check(case(now=LATE))
    assert isinstance(verdict, Defer)


SLOT = BroadcastSlot(CONTACT, "spring", "2027", "teaser")
NOTICE = StaffNotice(CONTACT, "order_refused", "o-1")
REPLY = Reply(CONTACT, "e-9", "message_received", NOON)
OCCASIONS: tuple[Occasion, ...] = (STEP, SLOT, NOTICE, REPLY)


@pytest.mark.parametrize(
    ("occasion", "message", "verdict"),
    [
        (SLOT, MARKETING, "quiet_hours"),
        (SLOT, TRANSACTIONAL, None),
        (NOTICE, TRANSACTIONAL, "quiet_hours"),
        (replace(NOTICE, urgent=True), TRANSACTIONAL, None),
        (REPLY, MARKETING, None),
        (REPLY, TRANSACTIONAL, None),
    ],
)
def test_at_night_only_what_is_urgent_or_was_just_asked_for_goes_out(
    occasion: Occasion, message: PublishedMessage, verdict: str | None
) -> None:
    found = judge(case(occasion=occasion, message=message, now=LATE, enrolment=None)).verdict
    opens = "09:00" if occasion is NOTICE else "08:00"
    assert found == (Allow() if verdict is None else Defer(verdict, parse_instant(f"2027-03-02T{opens}:00+08:00")))


@pytest.mark.parametrize("occasion", [SLOT, REPLY])
def test_marketing_needs_consent_whatever_its_occasion(occasion: Occasion) -> None:
    verdict = judge(case(occasion=occasion, contact=contact(consents={}), enrolment=None)).verdict
    assert verdict == Skip("no_consent", other_channel=True)


@pytest.mark.parametrize("occasion", OCCASIONS)
def test_an_erased_or_suppressed_contact_gets_nothing_on_any_occasion(occasion: Occasion) -> None:
    for changes, reason in (
        ({"erased": True}, "erased"),
        ({"suppressions": {"email": "complaint"}}, "suppressed_complaint"),
    ):
        verdict = judge(case(occasion=occasion, contact=contact(**changes), message=TRANSACTIONAL)).verdict
        assert isinstance(verdict, Skip)
        assert verdict.reason == reason


@pytest.mark.parametrize(("occasion", "capped"), [(STEP, True), (SLOT, True), (REPLY, False)])
def test_a_reply_is_not_capped(occasion: Occasion, capped: bool) -> None:
    verdict = judge(case(occasion=occasion, touches=touches(NOON, NOON))).verdict
    assert verdict == (Defer("frequency_cap", NOON + 24 * HOUR) if capped else Allow())


def test_a_step_without_its_enrolment_is_not_sent() -> None:
    assert judge(case(enrolment=None)).verdict == Skip("left_journey")
    assert judge(case(occasion=SLOT, enrolment=None)).verdict == Allow()


@pytest.mark.parametrize("guard", all_guards(), ids=lambda guard: type(guard).__name__)
def test_a_guard_says_of_every_kind_of_occasion_whether_it_judges_it(guard: Guard) -> None:
    assert {field.name for field in fields(guard.judges)} == set(get_args(OccasionKind))
    for occasion in OCCASIONS:
        assert (occasion in guard.judges) is getattr(guard.judges, occasion.kind)


# All of them


def test_every_guard_has_a_module_and_is_asked_by_weight() -> None:
    modules = {module.name for module in pkgutil.iter_modules(guards.__path__)}
    found = all_guards()
    assert {type(guard).__module__.rpartition(".")[2] for guard in found} == modules
    assert [guard.weight for guard in found] == sorted(guard.weight for guard in found)
    assert {type(guard) for guard in found} == set(Guard.__subclasses__())


def test_a_guard_without_a_declaration_cannot_be_imported() -> None:
    def check(_: Guard, case: Case) -> Verdict:
        return Skip(case.local_time)

    with pytest.raises(
        TypeError, match="Hasty declares no weight and no code and no title and no reasons and no judges"
    ):
        type("Hasty", (Guard,), {"check": check})
    with pytest.raises(TypeError, match="reply"):
        Judges(journey_step=True, broadcast_slot=True, staff_notice=True)  # type: ignore[call-arg]


def test_a_setting_belongs_to_one_guard() -> None:
    names = [setting.name for guard in all_guards() for setting in guard.settings]
    assert len(names) == len(set(names))


def worst_case(**better: Any) -> Case:
    """Everything speaks against the message."""
    worst: dict[str, Any] = {
        "contact": contact(erased=True, attributes={}, suppressions={"email": "complaint"}, consents={}),
        "enrolment": enrolment(status="leaving", outcome="exited"),
        "touches": touches(LATE, LATE),
        "policy": policy(topic_spacing_days={"nurture": 1}),
        "now": LATE,
    }
    return case(**worst | better)


def test_what_can_never_be_cured_is_the_reason_before_what_passes_with_time() -> None:
    ill: dict[str, Any] = {"erased": True, "attributes": {}, "suppressions": {"email": "complaint"}, "consents": {}}
    reasons = []
    cures: list[tuple[str, Any]] = [
        ("erased", False),
        ("enrolment", enrolment()),
        ("attributes", {"email": "lin@example.com"}),
        ("suppressions", {}),
        ("consents", answered(True, "email/*")),
        ("policy", policy()),
        ("touches", Touches()),
        ("now", NOON),
    ]
    better: dict[str, Any] = {}
    for name, cure in cures:
        verdict = judge(worst_case(**better, contact=contact(**ill))).verdict
        assert not isinstance(verdict, Allow)
        reasons.append(verdict.reason)
        (better if name in {"enrolment", "policy", "touches", "now"} else ill)[name] = cure
    assert reasons == [
        "erased",
        "left_journey",
        "missing_address",
        "suppressed_complaint",
        "no_consent",
        "same_topic",
        "frequency_cap",
        "quiet_hours",
    ]
    assert judge(worst_case(**better, contact=contact(**ill))).verdict == Allow()


def test_a_deferral_never_ends_inside_the_quiet_hours() -> None:
    sent = parse_instant("2027-02-28T23:00:00+08:00")
    verdict = judge(case(touches=touches(sent, sent), now=NOON)).verdict
    assert verdict == Defer("frequency_cap", parse_instant("2027-03-02T08:00:00+08:00"))


def test_a_deferral_that_ends_in_the_window_keeps_its_time() -> None:
    sent = parse_instant("2027-03-01T09:30:00+08:00")
    assert judge(case(touches=touches(sent, sent))).verdict == Defer("frequency_cap", sent + 24 * HOUR)


def test_local_time_is_what_the_contacts_clock_shows() -> None:
    assert case(zone=ZoneInfo("Europe/Berlin")).local_time == "2027-03-01T05:00:00+01:00"


# The hold-out


def test_the_hold_out_gets_no_marketing_and_what_it_asked_for() -> None:
    held_out = enrolment(held_out=True)
    assert HeldOut().check(case(enrolment=held_out)) == Skip("held_out")
    assert judge(case(enrolment=held_out, message=TRANSACTIONAL)).verdict == Allow()
    assert judge(case(enrolment=enrolment())).verdict == Allow()
    assert not HeldOut().concerns(case())
