"""One message to one contact: at most one provider call per key, and an outcome with its reason for every case."""

import heapq
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.effects import CRASH_MODES, Crash, CrashMode
from tests.fakes.published_journeys import either, email, journey, published
from tests.fakes.world import CONTACT, World, redelivered, send_request, touch
from waypost.channels.answers import Accepted, AddressGone, RefusedForNow, RefusedMessage, RefusedUs, Unclear
from waypost.clock import parse_instant
from waypost.contacts.channels import Channel
from waypost.contacts.consent import Consent
from waypost.contacts.profile import Contact
from waypost.content.brands import Brand
from waypost.errors import (
    ConcurrentUpdate,
    ContactNotFound,
    EnrolmentNotFound,
    TemporarilyUnavailable,
    UnknownMessage,
    WaypostError,
)
from waypost.item_size import stored_size
from waypost.journeys.enrolment import Enrolment
from waypost.sending.ledger import Decision, Touches
from waypost.sending.request import SendRequest, SendResult
from waypost.sending.send_message import PROVIDER_ATTEMPTS, THROTTLE_WINDOWS, throttled_pause

THROTTLED = RefusedForNow("TooManyRequestsException")
REFUSED = RefusedMessage("MessageRejected")
LATE = "2027-03-01T23:30:00+08:00"
HOUR = timedelta(hours=1)
EMAIL = Channel("email")


def welcome(enrolment: Enrolment, **changes: Any) -> SendRequest:
    return replace(send_request(enrolment, "welcome", state="Day 1, welcome"), **changes)


def reasons(world: World, request: SendRequest) -> list[tuple[str, str]]:
    return [(each.outcome, each.reason) for each in world.ledger[request.message_key].decisions]


def fire(world: World) -> None:
    """The next deferred message is tried."""
    assert world.fire_next().function == "send_deferred"


# Sent


def test_a_message_is_sent_and_the_ledger_says_why(world: World, enrolment: Enrolment) -> None:
    request = welcome(enrolment)
    result = world.send_message.send(request)
    assert result == SendResult("sent", "every_guard_allowed", "email", request.message_key, world.clock())
    row = world.ledger[request.message_key]
    assert (row.state, row.provider_message_id, row.occasion.label) == ("accepted", "email-1", "Day 1, welcome")
    (decision,) = row.decisions
    assert (decision.at, decision.local_time) == (world.clock(), "2027-03-01T10:00:00+08:00")


def test_a_branded_mail_comes_from_its_brand_in_a_stream_of_its_own(world: World) -> None:
    words = {variant: f"{{{{ brand.name }}}} {variant}" for variant in ("subject", "html", "text")}
    branded = {**email("welcome"), "brand": "harbour", "variants": {"email": {"en": words, "zh-CN": words}}}
    world.published = published(journey(messages={"welcome": branded}))
    world.have_contact()
    request = welcome(world.have_enrolment())
    harbour = Brand(id="harbour", name={"en": "Harbour", "zh-CN": "海港"}, sender="Harbour <hello@harbour.example>")
    world.brands = {"harbour": harbour}
    assert world.send_message.send(request).outcome == "sent"
    (mail,) = world.email.sent
    assert (mail.brand, mail.content.subject) == (harbour, "Harbour subject")
    assert mail.tags["stream"] == "email.marketing.harbour"


def test_a_message_whose_brand_is_gone_is_not_sent_from_another_sender(world: World) -> None:
    world.published = published(journey(messages={"welcome": {**email("welcome"), "brand": "harbour"}}))
    world.have_contact()
    result = world.send_message.send(welcome(world.have_enrolment()))
    assert (result.outcome, result.reason) == ("skipped", "not_renderable: welcome: the brand harbour is not declared")
    assert world.email.sent == []


def test_a_decision_keeps_what_each_guard_saw_and_the_policy_it_applied(world: World, enrolment: Enrolment) -> None:
    request = welcome(enrolment)
    world.send_message.send(request)
    (decision,) = world.ledger[request.message_key].decisions
    assert decision.saw == {
        "er": "",
        "na": "",
        "lj": "active",
        "ad": "1 known",
        "su": "",
        "co": "known 2027-03-01",
        "cr": "",
        "tp": "",
        "st": "",
        "cc": "",
        "fa": "",
        "fc": "0/2 in 24h",
        "qh": "08:00-22:00",
    }
    assert decision.policy == world.published.policy.version
    assert Decision.from_dict(decision.to_dict()) == decision


def test_a_decision_of_a_journey_costs_no_more_than_before(world: World, enrolment: Enrolment) -> None:
    request = welcome(enrolment)
    world.send_message.send(request)
    (decision,) = world.ledger[request.message_key].decisions
    without = replace(decision, saw={}, policy="")
    assert (
        stored_size(decision.to_dict()) - stored_size(without.to_dict()) < 110
    )  # a usual row has that much left of 1 KB


def test_what_was_wrong_with_the_channels_passed_over_is_kept(world: World) -> None:
    world.have_contact(attributes={"email": "lin@example.com"})
    enrolment = world.have_enrolment()
    result = world.send(enrolment, "reminder")
    assert result.channel == "email"
    (decision,) = world.ledger[result.message_key].decisions
    assert decision.elsewhere == {"sms": "missing_address"}


def test_a_message_that_is_called_off_was_judged_by_no_guard(world: World, enrolment: Enrolment) -> None:
    world.clock.set(LATE)
    request = welcome(enrolment)
    world.send_message.send(request)
    world.deferrals.call_off(CONTACT, request.occasion.origin, reason="left_journey")
    deferred, called_off = world.ledger[request.message_key].decisions
    assert deferred.saw
    assert (called_off.reason, called_off.saw, called_off.policy) == ("left_journey", {}, "")


def test_a_marketing_mail_carries_the_key_and_one_click_unsubscription(world: World, enrolment: Enrolment) -> None:
    request = welcome(enrolment)
    world.send_message.send(request)
    (mail,) = world.email.sent
    link = f"https://links.example/u/{request.message_key}/email"
    assert mail.to.text == "lin@example.com"
    assert mail.content.subject == "Welcome Lin"
    assert link in mail.content.text
    assert (mail.unsubscribe_url, mail.transactional) == (link, False)
    assert mail.tags == {
        "message_key": request.message_key,
        "contact_id": CONTACT,
        "journey": enrolment.journey,
        "address": mail.to.digest,
        "stream": "email.marketing",
    }


def test_a_transactional_sms_takes_the_providers_transactional_route(world: World, enrolment: Enrolment) -> None:
    assert world.send(enrolment, "order_confirmation").outcome == "sent"
    assert world.send(enrolment, "survey").outcome == "sent"
    assert [sms.transactional for sms in world.sms.sent] == [True, False]


def test_a_transactional_mail_is_marked_as_one() -> None:
    receipt = email("receipt", kind="transactional")
    world = World(published=published(journey(messages={"receipt": receipt})))
    world.have_contact(consents={})
    assert world.send(world.have_enrolment(), "receipt").outcome == "sent"
    assert world.email.sent[0].transactional


@pytest.mark.parametrize(
    ("locale", "subject"), [("en", "Welcome Lin"), ("zh-CN", "欢迎 Lin"), (None, "欢迎 Lin"), (7, "欢迎 Lin")]
)
def test_a_message_speaks_the_contacts_language(locale: object, subject: str) -> None:
    world = World()
    world.have_contact(attributes={"email": "lin@example.com", "name": "Lin", "locale": locale})
    world.send(world.have_enrolment(), "welcome")
    assert world.email.sent[0].content.subject == subject


@pytest.mark.parametrize(
    ("name", "greeting"),
    [("Lin", "Welcome Lin"), ("http://evil.example [click](http://evil.example)", "Welcome friend"), ("evil.com", "Welcome friend")],
)  # fmt: skip
def test_a_name_that_looks_like_a_link_is_greeted_as_no_name(name: str, greeting: str) -> None:
    message = email("welcome")
    variants = message["variants"]["email"]
    guarded = {
        each: text.replace("contact.name", 'contact.name | default("friend")') for each, text in variants["en"].items()
    }
    usual = journey()
    welcomed = message | {"variants": {"email": {"en": guarded, "zh-CN": guarded}}}
    world = World(published=published(usual | {"messages": usual["messages"] | {"welcome": welcomed}}))
    world.have_contact(attributes={"email": "lin@example.com", "name": name, "locale": "en"})
    world.send(world.have_enrolment(), "welcome")
    content = world.email.sent[0].content
    assert content.subject == greeting
    assert "evil" not in content.text + content.html


# At most once


def test_the_same_request_again_gets_the_same_answer_and_calls_nobody(world: World, enrolment: Enrolment) -> None:
    request = welcome(enrolment)
    first = world.send_message.send(request)
    world.clock.advance(days=1)
    assert [world.send_message.send(request) for _ in range(3)] == [first] * 3
    assert world.email.calls.total() == 1


def test_another_round_of_a_loop_is_another_message(world: World, enrolment: Enrolment) -> None:
    for occurrence in (1, 2, 2):
        assert world.send(enrolment, "welcome", occurrence=occurrence).outcome == "sent"
    assert world.email.calls.total() == 2


@pytest.mark.parametrize("mode", ["before", "after", "ambiguous", "refused"])
@pytest.mark.parametrize("effect", ["ledger.count", "ledger.take", "email.send", "ledger.settle"])
def test_a_call_that_dies_is_never_followed_by_a_second_one(effect: str, mode: CrashMode) -> None:
    probe = World()
    probe.have_contact()
    probe.send(probe.have_enrolment(), "welcome")
    world = World()
    world.effects.crash_at, world.effects.mode = probe.effects.log.index(effect), mode
    world.have_contact()
    result = world.send(world.have_enrolment(), "welcome")
    key = result.message_key
    assert world.effects.crashed
    assert world.email.risky_calls(key) <= 1
    assert (result.outcome, world.ledger[key].state) in {("sent", "accepted"), ("unknown", "unknown")}
    if result.outcome == "sent":
        assert world.email.risky_calls(key) == 1


def test_a_claim_found_is_unknown_and_stays_unsent(world: World, enrolment: Enrolment) -> None:
    world.effects.crash_on, world.effects.mode = "ledger.take", "after"
    request = welcome(enrolment)
    with pytest.raises(Crash):
        world.send_message.send(request)
    assert world.ledger[request.message_key].state == "claimed"
    result = world.send_message.send(request)
    assert (result.outcome, result.reason) == ("unknown", "no_answer")
    assert world.send_message.send(request).outcome == "unknown"
    assert world.email.calls.total() == 0
    assert reasons(world, request) == [("unknown", "no_answer")]


def test_a_call_that_comes_while_the_provider_is_thinking_calls_nobody(world: World, enrolment: Enrolment) -> None:
    request = welcome(enrolment)
    meanwhile: list[SendResult] = []
    world.email.during_call = lambda: meanwhile.append(world.send_message.send(request))
    assert world.send_message.send(request).outcome == "sent"
    assert [result.outcome for result in meanwhile] == ["unknown"]
    assert world.email.calls.total() == 1
    assert world.ledger[request.message_key].state == "accepted"
    assert world.send_message.send(request).outcome == "sent"


@pytest.mark.parametrize(
    ("answer", "state"),
    [(Accepted("ses-1"), "accepted"), (THROTTLED, "unknown"), (REFUSED, "rejected"), (Unclear("http_500"), "unknown")],
)
def test_whatever_the_provider_answers_then_it_is_called_no_more(
    world: World, enrolment: Enrolment, answer: Any, state: str
) -> None:
    request = welcome(enrolment)
    world.email.answers = [answer] * PROVIDER_ATTEMPTS
    world.email.during_call = lambda: world.send_message.send(request)
    world.send_message.send(request)
    while len(world.schedules):
        fire(world)
    assert world.ledger[request.message_key].state == state
    assert world.email.risky_calls(request.message_key) <= 1


def test_of_two_calls_at_the_same_time_one_claims(world: World, enrolment: Enrolment) -> None:
    request = welcome(enrolment)
    world.ledger.before_claim = lambda: world.send_message.send(request)
    assert world.send_message.send(request).outcome == "sent"
    assert world.email.calls.total() == 1


def test_a_call_that_is_always_second_is_left_for_a_retry(world: World, enrolment: Enrolment) -> None:
    def count_another() -> None:
        known = world.ledger.touches.get(CONTACT, Touches())
        world.ledger.touches[CONTACT] = Touches(known.recent, known.version + 1)
        world.ledger.before_claim = count_another

    world.ledger.before_claim = count_another
    with pytest.raises(ConcurrentUpdate):
        world.send_message.send(welcome(enrolment))
    assert world.email.calls.total() == 0


# What the provider answers


def test_a_throttled_message_is_tried_again_at_once(world: World, enrolment: Enrolment) -> None:
    world.email.answers = [THROTTLED, THROTTLED]
    assert world.send(enrolment, "welcome").outcome == "sent"
    assert world.email.calls.total() == 3
    assert world.naps == [0.4, 0.8]


def test_a_message_throttled_all_along_waits_longer_and_longer_until_it_is_too_late(
    world: World, enrolment: Enrolment
) -> None:
    world.email.answers = [THROTTLED] * 1000
    request = welcome(enrolment)
    started = world.clock()
    first = world.send_message.send(request)
    assert (first.outcome, first.reason) == ("deferred", "provider: TooManyRequestsException")
    assert first.at == started + throttled_pause(request.message_key, 0)
    waits = []
    while len(world.schedules):
        before = world.clock()
        fire(world)
        waits.append(world.clock() - before)
    windows = [*THROTTLE_WINDOWS, THROTTLE_WINDOWS[-1]]
    assert all(wait <= window + timedelta(seconds=1) for wait, window in zip(waits, windows, strict=False))
    row = world.ledger[request.message_key]
    assert row.state in {"rejected", "skipped"}
    assert world.clock() - started <= timedelta(hours=72)
    assert world.email.risky_calls(request.message_key) == 0
    assert list(world.ledger.touches[CONTACT].recent) == []


def test_messages_of_one_instant_go_at_the_rate_of_the_account_whoever_sends_them() -> None:
    world = World(published=published(sending={"frequency_cap": {"count": 100, "hours": 24}}), rates={EMAIL: 2})
    world.have_contact()
    enrolment = world.have_enrolment()
    requests = [send_request(enrolment, "welcome", state=f"Step {number}") for number in range(30)]
    started = world.clock()

    first = [world.send_message.send(request) for request in requests]  # each by a process of its own

    assert Counter((each.outcome, each.reason) for each in first) == {
        ("sent", "every_guard_allowed"): 2,
        ("deferred", "paced"): 28,
    }
    assert world.email.calls.total() == 2, "what waits for its turn calls no provider"
    assert all(world.ledger[each.message_key].state in {"accepted", "deferred"} for each in requests)
    while len(world.schedules):
        fire(world)
    assert [world.ledger[each.message_key].state for each in requests] == ["accepted"] * 30
    assert set(world.email.calls.values()) == {1}
    assert timedelta(seconds=14) <= world.clock() - started <= timedelta(seconds=30)


def test_a_message_whose_turn_comes_too_late_is_skipped_without_a_call() -> None:
    world = World(published=published(sending={"send_within_hours": 1}), rates={EMAIL: 0.1})
    world.have_contact()
    enrolment = world.have_enrolment()
    world.rate_marks.move(EMAIL, "spent", by=HOUR, now=world.clock(), within=None)
    world.rate_marks.move(EMAIL, "promised", by=2 * HOUR, now=world.clock(), within=None)
    result = world.send_message.send(welcome(enrolment))
    assert (result.outcome, result.reason) == ("skipped", "too_late")
    assert world.email.calls.total() == 0


def test_a_store_that_cannot_say_whose_turn_it_is_lets_nothing_be_claimed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(published=published(), rates={EMAIL: 14})
    world.have_contact()
    request = welcome(world.have_enrolment())

    def unavailable(*_: Any, **__: Any) -> None:
        raise TemporarilyUnavailable("throttled")

    with monkeypatch.context() as patched:
        patched.setattr(world.rate_marks, "move", unavailable)
        with pytest.raises(TemporarilyUnavailable):
            world.send_message.send(request)
    assert request.message_key not in world.ledger
    assert world.send_message.send(request).outcome == "sent"


def test_a_message_throttled_past_its_last_moment_is_rejected() -> None:
    world = World(published=published(sending={"send_within_hours": 1}))
    world.have_contact()
    world.email.answers = [THROTTLED] * 1000
    request = welcome(world.have_enrolment())
    world.send_message.send(request)
    while len(world.schedules):
        fire(world)
    assert reasons(world, request)[-1] == ("rejected", "provider: TooManyRequestsException")
    assert list(world.ledger.touches[CONTACT].recent) == []


def test_a_throttled_message_gets_through_later_and_counts_once(world: World, enrolment: Enrolment) -> None:
    world.email.answers = [THROTTLED] * 7
    request = welcome(enrolment)
    assert world.send_message.send(request).outcome == "deferred"
    fire(world)
    fire(world)
    assert world.ledger[request.message_key].state == "accepted"
    assert world.email.risky_calls(request.message_key) == 1
    assert [touch.message_key for touch in world.ledger.touches[CONTACT].recent] == [request.message_key]


def test_a_message_the_provider_refuses_is_rejected_and_counts_for_nothing(world: World, enrolment: Enrolment) -> None:
    world.email.answers = [REFUSED]
    request = welcome(enrolment)
    result = world.send_message.send(request)
    assert (result.outcome, result.reason) == ("rejected", "provider: MessageRejected")
    assert world.send_message.send(request) == result
    assert world.email.calls.total() == 1
    assert list(world.ledger.touches[CONTACT].recent) == []


def test_a_provider_that_refuses_the_account_defers_the_message_until_its_send_by(
    world: World, enrolment: Enrolment
) -> None:
    world.email.answers = [RefusedUs("SendingPausedException")] * 1000
    request = welcome(enrolment)
    result = world.send_message.send(request)
    assert (result.outcome, result.reason) == ("deferred", "account: SendingPausedException")
    assert result.account_refused
    assert world.email.calls.total() == 1  # nothing cures within the same call
    assert list(world.ledger.touches[CONTACT].recent) == []
    while len(world.schedules):
        fire(world)
    assert reasons(world, request)[-1] == ("rejected", "account: SendingPausedException")
    assert world.email.risky_calls(request.message_key) == 0
    assert world.contacts[CONTACT].suppressions == {}


def test_a_refused_account_stops_the_channel_for_a_minute(world: World, enrolment: Enrolment) -> None:
    world.email.answers = [RefusedUs("AccountSuspendedException")]
    requests = [
        welcome(enrolment),
        send_request(enrolment, "welcome", state="Day 2"),
    ]
    sender = world.send_message
    results = [sender.send(request) for request in requests]
    assert {(each.outcome, each.reason) for each in results} == {("deferred", "account: AccountSuspendedException")}
    assert world.email.calls.total() == 1
    assert all(each.account_refused for each in results)
    while len(world.schedules):
        fire(world)
    assert [world.ledger[request.message_key].state for request in requests] == ["accepted", "accepted"]
    assert [world.email.risky_calls(request.message_key) for request in requests] == [1, 1]


def test_a_refusal_that_does_not_meet_every_number_stops_nobody_else(world: World, enrolment: Enrolment) -> None:
    world.email.answers = [RefusedUs("DESTINATION_PHONE_NUMBER_NOT_VERIFIED", for_everyone=False)]
    request = welcome(enrolment)
    other = send_request(enrolment, "welcome", state="Day 2")
    sender = world.send_message
    assert sender.send(request).outcome == "deferred"
    assert sender.send(other).outcome == "sent"


@pytest.mark.parametrize("answer", [RefusedUs("SendingPausedException"), THROTTLED], ids=["account", "throttled"])
def test_the_last_attempt_is_just_before_the_send_by(answer: Any) -> None:
    world = World(published=published(sending={"send_within_hours": 1}))
    world.have_contact()
    world.email.answers = [answer] * 1000
    request = welcome(world.have_enrolment())
    started = world.clock()
    world.send_message.send(request)
    while len(world.schedules):
        fire(world)
    assert reasons(world, request)[-1][0] == "rejected"
    assert timedelta(minutes=57) < world.clock() - started < timedelta(hours=1)


def test_a_channel_that_stopped_too_late_for_a_message_is_asked_all_the_same() -> None:
    world = World(published=published(sending={"send_within_hours": 1}))
    world.have_contact()
    world.email.answers = [RefusedUs("SendingPausedException")]
    enrolment = world.have_enrolment()
    sender = world.send_message
    sender.send(welcome(enrolment))
    other = send_request(enrolment, "welcome", state="Day 2")
    late = replace(other, send_by=world.clock() + timedelta(minutes=1))
    assert sender.send(late).outcome == "sent"


@pytest.mark.parametrize("mode", CRASH_MODES)
@pytest.mark.parametrize("number", range(8))
def test_a_crash_while_the_account_is_refused_sends_at_most_once(number: int, mode: CrashMode) -> None:
    world = World()
    world.have_contact()
    request = welcome(world.have_enrolment())
    world.email.answers = [RefusedUs("SendingPausedException")]
    world.effects.crash_at, world.effects.mode = len(world.effects.log) + number, mode
    for _ in range(2):
        with suppress(Crash, WaypostError):
            world.send_message.send(request)
    while len(world.schedules):
        with suppress(Crash, WaypostError):
            fire(world)
    assert world.email.risky_calls(request.message_key) <= 1
    assert world.ledger[request.message_key].state in {"accepted", "unknown"}


def test_a_message_gets_through_once_the_account_may_send_again(world: World, enrolment: Enrolment) -> None:
    world.email.answers = [RefusedUs("ServiceQuotaExceededException")]
    request = welcome(enrolment)
    assert world.send_message.send(request).outcome == "deferred"
    fire(world)
    assert world.ledger[request.message_key].state == "accepted"
    assert not world.send_message.send(request).account_refused


def test_a_message_to_an_address_that_is_gone_is_rejected(world: World, enrolment: Enrolment) -> None:
    world.email.answers = [AddressGone("opted out", suppression="opted_out")]
    request = welcome(enrolment)
    result = world.send_message.send(request)
    assert (result.outcome, result.reason) == ("rejected", "provider: opted out")
    assert list(world.ledger.touches[CONTACT].recent) == []
    assert len(world.schedules) == 0


@pytest.mark.parametrize("reason", ["http_500", "ReadTimeoutError", "ConnectionClosedError"])
def test_an_unclear_answer_is_unknown_and_never_tried_again(world: World, enrolment: Enrolment, reason: str) -> None:
    world.email.answers = [Unclear(reason)]
    request = welcome(enrolment)
    result = world.send_message.send(request)
    assert (result.outcome, result.reason) == ("unknown", f"provider: {reason}")
    world.clock.advance(days=2)
    assert world.send_message.send(request) == result
    assert world.email.calls.total() == 1
    assert len(world.schedules) == 0


# Skipped


def test_a_message_that_cannot_be_filled_in_is_skipped_by_name_of_the_variable() -> None:
    world = World()
    world.have_contact(attributes={"email": "lin@example.com", "locale": "en"})
    enrolment = world.have_enrolment()
    result = world.send(enrolment, "welcome")
    assert (result.outcome, result.reason) == ("skipped", "not_renderable: welcome email.en: contact.name is unknown")
    assert world.email.calls.total() == 0
    assert CONTACT not in world.ledger.touches


def test_a_channel_the_message_does_not_have_is_skipped(world: World, enrolment: Enrolment) -> None:
    result = world.send(enrolment, "welcome", channel="sms")
    assert (result.outcome, result.channel) == ("skipped", "sms")
    assert result.reason.startswith("not_renderable")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"erased": True}, "erased"),
        ({"attributes": {"name": "Lin"}}, "missing_address"),
        ({"suppressions": {"email": "complaint"}}, "suppressed_complaint"),
        ({"consents": {}}, "no_consent"),
    ],
)
def test_a_guard_that_says_no_is_the_answer_and_stays_it(changes: dict[str, Any], reason: str) -> None:
    world = World()
    world.have_contact(**changes)
    request = welcome(world.have_enrolment(enrolled_at=world.clock() - HOUR))
    result = world.send_message.send(request)
    assert (result.outcome, result.reason) == ("skipped", reason)
    world.have_contact(version=1)
    assert world.send_message.send(request) == result
    assert world.email.calls.total() == 0


LATER_EVENTS = pytest.mark.parametrize(
    ("lacks", "reason"),
    [
        ({"attributes": {"name": "Lin"}}, "missing_address"),
        ({"consents": {}}, "no_consent"),
        ({"attributes": {}, "consents": {}}, "missing_address"),
    ],
)


@LATER_EVENTS
def test_what_the_next_event_brings_is_waited_for_once(lacks: dict[str, Any], reason: str) -> None:
    world = World()
    world.have_contact(**lacks)
    request = welcome(world.have_enrolment())
    result = world.send_message.send(request)
    assert (result.outcome, result.reason) == ("deferred", reason)
    assert result.at == world.clock() + timedelta(minutes=1)
    world.have_contact(version=1)
    fire(world)
    assert world.ledger[request.message_key].state == "accepted"
    assert world.email.risky_calls(request.message_key) == 1


@LATER_EVENTS
def test_what_no_event_brings_is_skipped_after_a_minute(lacks: dict[str, Any], reason: str) -> None:
    world = World()
    world.have_contact(**lacks)
    request = welcome(world.have_enrolment())
    world.send_message.send(request)
    fire(world)
    assert len(world.schedules) == 0
    assert reasons(world, request) == [("deferred", reason), ("skipped", reason)]


def test_a_withdrawal_is_not_waited_for() -> None:
    world = World()
    world.have_contact(consents={"email/*": Consent(granted=False, at=world.clock(), source="shop")})
    assert world.send_message.send(welcome(world.have_enrolment())).outcome == "skipped"


@pytest.mark.parametrize("mode", CRASH_MODES)
@pytest.mark.parametrize("number", range(4))
def test_a_crash_while_the_address_is_waited_for_loses_and_doubles_nothing(number: int, mode: CrashMode) -> None:
    world = World()
    world.have_contact(attributes={})
    request = welcome(world.have_enrolment())
    world.effects.crash_at, world.effects.mode = len(world.effects.log) + number, mode
    for _ in range(2):
        with suppress(Crash, WaypostError):
            world.send_message.send(request)
    world.have_contact(version=1)
    while len(world.schedules):
        with suppress(Crash, WaypostError):
            fire(world)
    assert world.email.risky_calls(request.message_key) <= 1
    assert world.ledger[request.message_key].state in {"accepted", "unknown"}


def test_ten_thousand_mails_that_are_due_at_once_are_through_within_two_hours() -> None:
    """Fourteen a second pass; 1,000 a second are handed over, as Scheduler does."""
    waiting = [(number / 1000, 0, f"m-{number}") for number in range(10_000)]
    heapq.heapify(waiting)
    sent: Counter[int] = Counter()
    at = half_after = 0.0
    while waiting:
        at, attempt, key = heapq.heappop(waiting)
        if sent[int(at)] < 14:
            sent[int(at)] += 1
            half_after = half_after or (at if sent.total() >= 5_000 else 0.0)
        else:
            heapq.heappush(waiting, (at + throttled_pause(key, attempt).total_seconds(), attempt + 1, key))
    assert sent.total() == 10_000
    assert half_after < 20 * 60
    assert at < 2 * 60 * 60


def test_who_has_left_gets_nothing_more_but_what_follows_the_exit(world: World) -> None:
    enrolment = world.have_enrolment(status="leaving", outcome="goal")
    assert world.send(enrolment, "survey").reason == "left_journey"
    assert world.send(enrolment, "order_confirmation", after_exit=True).outcome == "sent"


# Channels


def people(world: World, **changes: Any) -> Contact:
    return world.have_contact(**changes)


@pytest.mark.parametrize(
    ("changes", "channel", "outcome"),
    [
        ({}, "sms", "sent"),
        ({"attributes": {"email": "lin@example.com", "name": "Lin"}}, "email", "sent"),
        ({"suppressions": {"sms": "invalid_number"}}, "email", "sent"),
        ({"suppressions": {"sms": "invalid_number", "email": "complaint"}}, "sms", "skipped"),
        ({"erased": True}, "sms", "skipped"),
    ],
)
def test_the_next_channel_stands_in_for_a_closed_one(changes: dict[str, Any], channel: str, outcome: str) -> None:
    world = World()
    people(world, **changes)
    result = world.send(world.have_enrolment(), "reminder")
    assert (result.channel, result.outcome) == (channel, outcome)


def test_a_channel_that_opens_later_is_waited_for() -> None:
    world = World(published=published(journey(messages={"reminder": either("reminder", "sms", "email")})))
    world.clock.set("2027-03-01T21:30:00+08:00")
    world.have_contact()
    result = world.send(world.have_enrolment(), "reminder")
    assert (result.outcome, result.channel) == ("deferred", "sms")
    assert result.at == parse_instant("2027-03-02T09:00:00+08:00")


def test_a_journey_may_force_a_channel(world: World, enrolment: Enrolment) -> None:
    result = world.send(enrolment, "reminder", channel="email")
    assert (result.outcome, result.channel) == ("sent", "email")


# Deferred


def test_a_message_in_the_quiet_hours_goes_out_when_they_are_over(world: World, enrolment: Enrolment) -> None:
    world.clock.set(LATE)
    request = welcome(enrolment)
    result = world.send_message.send(request)
    morning = parse_instant("2027-03-02T08:00:00+08:00")
    assert (result.outcome, result.reason, result.at) == ("deferred", "quiet_hours", morning)
    assert world.email.calls.total() == 0
    held = world.enrolments.load(CONTACT, enrolment.enrolment_id)
    assert held is not None
    assert held.anchor_at == morning
    assert world.send_message.send(request) == result
    assert len(world.schedules) == 1
    fire(world)
    assert world.clock() == morning
    assert reasons(world, request) == [("deferred", "quiet_hours"), ("sent", "every_guard_allowed")]


def test_a_schedule_that_fires_twice_sends_once(world: World, enrolment: Enrolment) -> None:
    world.clock.set(LATE)
    world.send_message.send(welcome(enrolment))
    booking = world.schedules.next_due()
    assert booking is not None
    fire(world)
    for _ in range(2):
        world.call(booking)
    assert world.email.calls.total() == 1


def test_the_guards_are_asked_again_after_a_deferral(world: World, enrolment: Enrolment) -> None:
    world.clock.set(LATE)
    request = welcome(enrolment)
    world.send_message.send(request)
    world.have_contact(consents={"email/*": Consent(granted=False, at=world.clock(), source="shop")}, version=1)
    fire(world)
    assert world.ledger[request.message_key].state == "skipped"
    assert reasons(world, request)[-1] == ("skipped", "consent_withdrawn")
    assert world.email.calls.total() == 0


def test_a_message_may_be_deferred_more_than_once(world: World, enrolment: Enrolment) -> None:
    world.clock.set(LATE)
    request = welcome(enrolment)
    world.send_message.send(request)
    sent_at = parse_instant("2027-03-02T07:00:00+08:00")
    world.ledger.touches[CONTACT] = Touches([touch("m-1", sent_at), touch("m-2", sent_at)], 2)
    fire(world)
    assert world.ledger[request.message_key].deferred_until == parse_instant("2027-03-03T08:00:00+08:00")
    fire(world)
    assert [outcome for outcome, _ in reasons(world, request)] == ["deferred", "deferred", "sent"]


def test_a_message_of_a_journey_that_is_over_still_goes_out(world: World, enrolment: Enrolment) -> None:
    world.clock.set(LATE)
    request = welcome(enrolment)
    world.send_message.send(request)
    world.close(enrolment)
    fire(world)
    assert world.ledger[request.message_key].state == "accepted"


def test_a_message_of_a_journey_that_failed_does_not(world: World, enrolment: Enrolment) -> None:
    world.clock.set(LATE)
    request = welcome(enrolment)
    world.send_message.send(request)
    world.close(enrolment, "failed")
    fire(world)
    assert reasons(world, request)[-1] == ("skipped", "left_journey")


def test_a_message_that_would_come_too_late_is_skipped() -> None:
    world = World(published=published(sending={"send_within_hours": 4}))
    world.have_contact()
    enrolment = world.have_enrolment()
    world.clock.set(LATE)
    assert world.send(enrolment, "welcome").reason == "too_late"
    assert len(world.schedules) == 0


def test_what_must_go_out_within_seconds_is_not_put_off_by_a_schedule_that_may_fire_a_minute_late(
    world: World, enrolment: Enrolment
) -> None:
    world.clock.set("2027-03-02T07:59:40+08:00")
    request = replace(welcome(enrolment), send_by=world.clock() + timedelta(seconds=30))
    result = world.send_message.send(request)
    assert (result.outcome, result.reason) == ("skipped", "quiet_hours")
    assert len(world.schedules) == 0


def test_after_an_outage_nothing_stale_goes_out(world: World, enrolment: Enrolment) -> None:
    world.clock.set(LATE)
    request = welcome(enrolment)
    world.send_message.send(request)
    booking = world.schedules.next_due()
    assert booking is not None
    world.clock.set("2027-03-06T12:00:00+08:00")
    world.call(booking)
    assert reasons(world, request)[-1] == ("skipped", "too_late")


def test_the_last_moment_counts_from_the_first_try(world: World, enrolment: Enrolment) -> None:
    world.clock.set(LATE)
    world.send_message.send(welcome(enrolment))
    booking = world.schedules.next_due()
    assert booking is not None
    assert booking.payload["send_by"] == "2027-03-04T15:30:00.000Z"
    assert SendRequest.from_payload(booking.payload).message_key == welcome(enrolment).message_key


def test_a_booking_that_nobody_noted_is_never_a_lost_message(world: World, enrolment: Enrolment) -> None:
    """The call that booked the second deferral dies before it notes so, and is never repeated."""
    world.clock.set(LATE)
    request = welcome(enrolment)
    world.send_message.send(request)
    booking = world.schedules.next_due()
    assert booking is not None
    world.clock.set(booking.at)
    world.schedules.take(booking)
    world.email.answers = [THROTTLED] * PROVIDER_ATTEMPTS
    world.ledger.touches[CONTACT] = Touches([touch(f"m-{n}", world.clock()) for n in range(2)], 2)
    world.effects.crash_at = len(world.effects.log) + 2
    with pytest.raises(Crash):
        world.call(booking)
    assert world.effects.log[-1] == "ledger.defer"
    world.email.answers = []
    fire(world)
    assert world.ledger[request.message_key].state == "accepted"


def test_a_deferral_carries_no_personal_data(world: World, enrolment: Enrolment) -> None:
    world.clock.set(LATE)
    world.send_message.send(welcome(enrolment))
    booking = world.schedules.next_due()
    for secret in ("lin@example.com", "+8613800000001", "Lin"):
        assert secret not in str(booking)


# The cap


def test_two_messages_at_the_same_time_cannot_both_be_the_last_one_allowed() -> None:
    world = World(published=published(sending={"frequency_cap": {"count": 1, "hours": 24}}))
    world.have_contact()
    enrolment = world.have_enrolment()
    world.ledger.before_claim = lambda: world.send(enrolment, "survey")
    result = world.send(enrolment, "welcome")
    assert (result.outcome, result.reason) == ("deferred", "frequency_cap")
    assert (world.sms.calls.total(), world.email.calls.total()) == (1, 0)


def test_a_transactional_message_is_neither_capped_nor_counted(world: World, enrolment: Enrolment) -> None:
    for state in ("welcome", "survey"):
        assert world.send(enrolment, state).outcome == "sent"
    assert world.send(enrolment, "order_confirmation").outcome == "sent"
    assert len(world.ledger.touches[CONTACT].recent) == 2
    assert world.send(enrolment, "reminder").reason == "frequency_cap"


def test_a_message_does_not_count_against_itself(world: World, enrolment: Enrolment) -> None:
    """A claim whose call died between giving it back and taking the touch back."""
    request = welcome(enrolment)
    known = [touch(request.message_key, world.clock()), touch("m-other", world.clock())]
    world.ledger.touches[CONTACT] = Touches(known, 2)
    assert world.send_message.send(request).outcome == "sent"
    assert len(world.ledger.touches[CONTACT].recent) == 2


# Mistakes


@pytest.mark.parametrize(
    ("prepare", "error"),
    [
        (lambda world: world.have_enrolment(), ContactNotFound),
        (lambda world: world.have_contact(), EnrolmentNotFound),
    ],
)
def test_a_message_to_nobody_is_an_error(prepare: Callable[[World], object], error: type[Exception]) -> None:
    world = World()
    prepare(world)
    request = welcome(World().have_enrolment())
    with pytest.raises(error):
        world.send_message.send(request)


def test_a_message_nobody_wrote_is_an_error(world: World, enrolment: Enrolment) -> None:
    with pytest.raises(UnknownMessage, match="goodbye"):
        redelivered(lambda: world.send_message.send(send_request(enrolment, "goodbye", state="Goodbye")))
