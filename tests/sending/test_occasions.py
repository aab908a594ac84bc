"""Broadcasts, notices to staff and replies: sent by the same sender as a journey's messages, without an enrolment."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.effects import CRASH_MODES, Crash, CrashMode
from tests.fakes.published_journeys import email, published
from tests.fakes.world import CONTACT, START, World, event, redelivered, task_payload, touch
from waypost.channels.answers import RefusedForNow
from waypost.clock import parse_instant
from waypost.content.message import PublishedMessage
from waypost.errors import InvalidInput, TemporarilyUnavailable
from waypost.reports.timeline import decisions
from waypost.sending.ledger import Touches
from waypost.sending.occasion import (
    BroadcastSlot,
    JourneyStep,
    Occasion,
    Reply,
    StaffNotice,
    dump_occasion,
    enrolment_origin,
    load_occasion,
    run_origin,
)
from waypost.sending.request import SendRequest

NOON = "2027-03-01T12:00:00+08:00"
LATE = "2027-03-01T23:30:00+08:00"
MORNING = parse_instant("2027-03-02T08:00:00+08:00")
WORK_BEGINS = parse_instant("2027-03-02T09:00:00+08:00")

SLOT = BroadcastSlot(CONTACT, "spring", "2027", "teaser", variant="a")
NOTICE = StaffNotice(CONTACT, "order_refused", "o-1")
REPLY = Reply(CONTACT, "e-question", "message_received", parse_instant(START))

TEASER = SendRequest(SLOT, "spring/teaser")
ALERT = SendRequest(NOTICE, "staff/alert")
ANSWER = SendRequest(REPLY, "service/answer")
REQUESTS = (TEASER, ALERT, ANSWER)

by_kind = pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: request.occasion.kind)


def answer(kind: str = "transactional") -> dict[str, Any]:
    """A message that speaks of the event it answers."""
    text = "{{ event.properties.question }}"
    variants = {"email": {"en": {"subject": text, "html": text, "text": text}}}
    return {"name": "answer", "kind": kind, "topic": "service", "channels": ["email"], "variants": variants}


@pytest.fixture
def world() -> World:
    return new_world()


def new_world(**sending: Any) -> World:
    usual = published(sending=sending)
    shared = {
        "spring/teaser": email("teaser"),
        "staff/alert": email("alert", kind="transactional"),
        "staff/advertisement": email("advertisement"),
        "service/answer": answer(),
        "service/offer": answer("marketing"),
    }
    messages = {message_id: PublishedMessage.from_dict(each) for message_id, each in shared.items()}
    world = World(published=replace(usual, messages={**usual.messages, **messages}))
    world.have_contact()
    asked = event("message_received", world.clock(), id="e-question", question="Where is my order?")
    world.history.record(CONTACT, asked, routed_at=world.clock())
    return world


def reasons(world: World, request: SendRequest) -> list[tuple[str, str]]:
    return [(each.outcome, each.reason) for each in world.ledger[request.message_key].decisions]


# Keys


@pytest.mark.parametrize(
    ("occasion", "same", "other"),
    [
        (
            JourneyStep(CONTACT, "n-1", "nurture", "Welcome"),
            [{"correlation_id": "r-2"}, {"journey": "renamed"}, {"after_exit": True}],
            [{"enrolment_id": "n-2"}, {"state": "Survey"}, {"occurrence": 2}],
        ),
        (SLOT, [{"variant": "b"}], [{"campaign": "autumn"}, {"run": "2028"}, {"phase": "last call"}, {"contact_id": "c-2"}]),
        (NOTICE, [{"urgent": True}], [{"notice": "order_lost"}, {"about": "o-2"}, {"contact_id": "c-2"}]),
        (REPLY, [{"event_type": "renamed"}], [{"event_id": "e-2"}, {"occurrence": 2}, {"contact_id": "c-2"}]),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)  # fmt: skip
def test_a_key_follows_from_what_makes_the_occasion_and_from_nothing_else(
    occasion: Occasion, same: list[dict[str, Any]], other: list[dict[str, Any]]
) -> None:
    for changes in same:
        assert replace(occasion, **changes).message_key == occasion.message_key
    keys = {occasion.message_key, *(replace(occasion, **changes).message_key for changes in other)}
    assert len(keys) == 1 + len(other)


def test_a_step_keeps_its_key_in_another_execution(world: World) -> None:
    payload = task_payload(world.have_enrolment(), "Welcome", message="welcome")
    restarted = json.loads(json.dumps(payload))
    restarted["context"]["Execution"]["Name"] += "-restarted"
    first, second = SendRequest.from_payload(payload), SendRequest.from_payload(restarted)
    assert redelivered(lambda: world.send_message.send(first)) == world.send_message.send(second)
    assert world.email.calls.total() == 1


words = st.text(min_size=1, max_size=5)
contacts = st.sampled_from(["c-1", "c-2"])
occasions: st.SearchStrategy[Occasion] = st.one_of(
    st.builds(JourneyStep, contacts, words, words, words, st.integers(1, 3), st.booleans()),
    st.builds(BroadcastSlot, contacts, words, words, words, words),
    st.builds(StaffNotice, contacts, words, words, st.booleans()),
    st.builds(Reply, contacts, words, words, st.just(parse_instant(START)), st.integers(1, 3)),
)


@given(occasions)
def test_an_occasion_survives_storage_with_its_key(occasion: Occasion) -> None:
    stored = load_occasion(json.loads(json.dumps(dump_occasion(occasion))))
    assert stored == occasion
    assert (stored.message_key, stored.origin, stored.label) == (occasion.message_key, occasion.origin, occasion.label)


@given(occasions, occasions)
def test_occasions_of_different_kinds_never_share_a_key(one: Occasion, other: Occasion) -> None:
    if one.kind != other.kind:
        assert one.message_key != other.message_key
        assert one.origin != other.origin


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({"kind": "carrier_pigeon"}, "occasion.kind"),
        ({}, "occasion.kind"),
        ({"kind": "reply", "contact_id": "c-1"}, "occasion"),
        ({"kind": "staff_notice", "contact_id": "c-1", "notice": "n", "about": "a", "loud": True}, "occasion"),
    ],
)
def test_an_occasion_that_cannot_be_read_says_so(value: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        load_occasion(value)
    assert raised.value.field == field


# Sent


@by_kind
def test_it_is_sent_once_under_its_key_without_an_enrolment(world: World, request_: SendRequest) -> None:
    result = world.send_message.send(request_)
    assert (result.outcome, result.reason) == ("sent", "every_guard_allowed")
    assert world.send_message.send(request_) == result
    assert world.email.calls == {request_.message_key: 1}
    row = world.ledger[request_.message_key]
    assert (row.state, row.occasion, row.contact_id) == ("accepted", request_.occasion, CONTACT)
    (mail,) = world.email.sent
    stream = "email.transactional" if mail.transactional else "email.marketing"
    assert mail.tags == {
        "message_key": request_.message_key,
        "contact_id": CONTACT,
        "address": mail.to.digest,
        **({} if isinstance(request_.occasion, StaffNotice) else {"stream": stream}),
    }


@by_kind
def test_of_two_calls_at_the_same_time_one_claims(world: World, request_: SendRequest) -> None:
    world.ledger.before_claim = lambda: world.send_message.send(request_)
    assert world.send_message.send(request_).outcome == "sent"
    assert world.email.calls.total() == 1


def test_a_slot_is_one_slot_whatever_its_variant(world: World) -> None:
    world.send_message.send(TEASER)
    again = replace(TEASER, occasion=replace(SLOT, variant="b"), message="service/answer")
    assert world.send_message.send(again).outcome == "sent"
    assert world.email.calls.total() == 1


def test_a_reply_speaks_of_the_event_it_answers(world: World) -> None:
    world.send_message.send(ANSWER)
    (mail,) = world.email.sent
    assert mail.content.subject == "Where is my order?"


def test_a_reply_to_an_event_that_is_not_kept_is_skipped_where_it_needs_it(world: World) -> None:
    result = world.send_message.send(replace(ANSWER, occasion=replace(REPLY, event_id="e-gone")))
    assert (result.outcome, world.email.calls.total()) == ("skipped", 0)
    assert result.reason.startswith("not_renderable")


def test_a_notice_to_staff_is_never_marketing(world: World) -> None:
    with pytest.raises(InvalidInput, match="staff/advertisement is marketing"):
        world.send_message.send(replace(ALERT, message="staff/advertisement"))
    assert len(world.ledger.rows) == 0


# The cap


@pytest.mark.parametrize(
    ("request_", "outcome"),
    [(TEASER, "deferred"), (ALERT, "sent"), (ANSWER, "sent"), (replace(ANSWER, message="service/offer"), "sent")],
)
def test_a_broadcast_is_capped_like_a_journey_and_what_is_needed_now_is_not(
    world: World, request_: SendRequest, outcome: str
) -> None:
    known = [touch(f"m-{number}", world.clock()) for number in range(2)]
    world.ledger.touches[CONTACT] = Touches(known, 2)
    assert world.send_message.send(request_).outcome == outcome


def test_every_marketing_message_counts_towards_the_cap_of_all(world: World) -> None:
    assert world.send_message.send(TEASER).outcome == "sent"
    assert world.send_message.send(replace(ANSWER, message="service/offer")).outcome == "sent"
    assert world.send_message.send(ALERT).outcome == "sent"
    assert [touch.message_key for touch in world.ledger.touches[CONTACT].recent] == [
        TEASER.message_key,
        ANSWER.message_key,
    ]
    assert world.send(world.have_enrolment(), "welcome").reason == "frequency_cap"


# Quiet hours and deferral


@pytest.mark.parametrize(
    ("request_", "waits"),
    [
        (TEASER, MORNING),
        (ALERT, WORK_BEGINS),
        (replace(ALERT, occasion=replace(NOTICE, urgent=True)), None),
        (ANSWER, None),
    ],
)
def test_at_night_what_can_wait_waits_for_the_morning(
    world: World, request_: SendRequest, waits: datetime | None
) -> None:
    world.clock.set(LATE)
    result = world.send_message.send(request_)
    if waits is None:
        assert result.outcome == "sent"
        return
    assert (result.outcome, result.reason, result.at) == ("deferred", "quiet_hours", waits)
    assert world.fire_next().at == waits
    assert reasons(world, request_) == [("deferred", "quiet_hours"), ("sent", "every_guard_allowed")]


def test_a_deferred_request_is_booked_without_personal_data(world: World) -> None:
    world.clock.set(LATE)
    world.send_message.send(TEASER)
    booking = world.schedules.next_due()
    assert booking is not None
    assert SendRequest.from_payload(json.loads(json.dumps(booking.payload))).message_key == TEASER.message_key
    for secret in ("lin@example.com", "+8613800000001", "Lin"):
        assert secret not in str(booking)


def test_leaving_a_journey_keeps_what_other_occasions_have_deferred(world: World) -> None:
    enrolment = world.have_enrolment()
    world.clock.set(LATE)
    for request in (TEASER, ALERT):
        world.send_message.send(request)
    world.send(enrolment, "welcome")
    world.deferrals.call_off(CONTACT, enrolment_origin(enrolment.enrolment_id), reason="left_journey")
    while len(world.schedules):
        world.fire_next()
    assert world.ledger.states() == {
        "spring / 2027 / teaser / a": "accepted",
        "order_refused / o-1": "accepted",
        "welcome": "skipped",
    }


@pytest.mark.parametrize(
    ("request_", "origin", "reason"),
    [(TEASER, run_origin("spring", "2027"), "run_stopped"), (ALERT, NOTICE.origin, "settled")],
)
def test_what_is_called_off_is_never_sent_and_says_why(
    world: World, request_: SendRequest, origin: str, reason: str
) -> None:
    other_run = replace(TEASER, occasion=replace(SLOT, run="2028"))
    world.clock.set(LATE)
    for request in (request_, other_run):
        assert world.send_message.send(request).outcome == "deferred"
    world.deferrals.call_off(CONTACT, origin, reason=reason)
    while len(world.schedules):
        world.fire_next()
    assert reasons(world, request_) == [("deferred", "quiet_hours"), ("skipped", reason)]
    assert world.ledger[other_run.message_key].state == "accepted"
    assert world.email.calls == {other_run.message_key: 1}


@pytest.mark.parametrize("mode", CRASH_MODES)
@pytest.mark.parametrize("write", [0, 1])
def test_a_call_off_that_dies_and_is_not_repeated_leaves_no_message_open(
    world: World, write: int, mode: CrashMode
) -> None:
    enrolment = world.have_enrolment()
    world.clock.set(LATE)
    world.send(enrolment, "welcome")
    world.enrolments.put(replace(world.stored(enrolment), status="leaving", outcome="goal"))
    world.effects.crash_at, world.effects.mode = len(world.effects.log) + write, mode
    with suppress(Crash, TemporarilyUnavailable):
        world.deferrals.call_off(CONTACT, enrolment_origin(enrolment.enrolment_id), reason="left_journey")
    assert world.effects.crashed
    while len(world.schedules):
        world.fire_next()
    assert world.ledger.states() == {"welcome": "skipped"}
    assert world.email.calls == {}


def test_a_throttled_reply_is_called_off_by_the_event_it_answers(world: World) -> None:
    world.email.answers = [RefusedForNow("TooManyRequestsException")] * 3
    assert world.send_message.send(ANSWER).outcome == "deferred"
    world.deferrals.call_off(CONTACT, REPLY.origin, reason="answered_by_hand")
    assert (len(world.schedules), world.email.risky_calls(ANSWER.message_key)) == (0, 0)
    assert reasons(world, ANSWER)[-1] == ("skipped", "answered_by_hand")


# Explained


class Rows:
    """The contact's items as the table has them."""

    def __init__(self, world: World) -> None:
        self.world = world

    def everything(self, contact_id: str) -> list[Mapping[str, Any]]:
        """See ContactItems."""
        rows: list[Mapping[str, Any]] = [{"sk": "profile", **self.world.contacts[contact_id].to_dict()}]
        for row in self.world.ledger:
            written = {"sk": f"message#{row.message_key}", "message_key": row.message_key, "message": row.message}
            made = [decision.to_dict() for decision in row.decisions]
            rows.append({**written, "occasion": dump_occasion(row.occasion), "state": row.state, "decisions": made})
        return rows


@by_kind
def test_why_it_was_sent_or_not_is_in_the_decision_log(world: World, request_: SendRequest) -> None:
    world.have_contact(suppressions={"email": "complaint"}, version=1)
    world.send_message.send(request_)
    (decision,) = decisions(CONTACT, Rows(world))
    assert (decision.occasion, decision.journey, decision.step, decision.message) == (
        request_.occasion.kind, "", request_.occasion.label, request_.message
    )  # fmt: skip
    assert (decision.outcome, decision.reason) == ("skipped", "suppressed_complaint")


# Crashes: a request that is delivered again after a crash at any of its writes


def wait_for_the_morning(world: World) -> None:
    world.clock.set(LATE)


def be_throttled(world: World) -> None:
    world.email.answers = [RefusedForNow("TooManyRequestsException")] * 3


def have_the_channel_closed(world: World) -> None:
    world.have_contact(suppressions={"email": "complaint"}, version=1)


def nothing(world: World) -> None:
    """The message goes out at once."""


PREPARATIONS: tuple[Callable[[World], None], ...] = (
    nothing,
    wait_for_the_morning,
    be_throttled,
    have_the_channel_closed,
)


def lived(request: SendRequest, prepare: Callable[[World], None], crash_at: int | None, mode: CrashMode) -> World:
    world = new_world()
    prepare(world)
    world.effects.log.clear()
    world.effects.crash_at, world.effects.mode = crash_at, mode
    redelivered(lambda: world.send_message.send(request))
    while len(world.schedules):
        world.fire_next()
    return world


def crashes() -> list[Any]:
    """Every write of every request under every preparation, in every mode."""
    return [
        pytest.param(request, prepare, index, mode, id=f"{request.occasion.kind}-{prepare.__name__}-{index}-{mode}")
        for request in REQUESTS
        for prepare in PREPARATIONS
        for index in range(len(lived(request, prepare, None, "before").effects.log))
        for mode in CRASH_MODES
    ]


@pytest.mark.parametrize(("request_", "prepare", "index", "mode"), crashes())
def test_a_crash_at_any_write_sends_at_most_once_and_leaves_nothing_open(
    request_: SendRequest, prepare: Callable[[World], None], index: int, mode: CrashMode
) -> None:
    expected = lived(request_, prepare, None, "before").ledger[request_.message_key].state
    world = lived(request_, prepare, index, mode)
    assert world.effects.crashed
    row, calls = world.ledger[request_.message_key], world.email.risky_calls(request_.message_key)
    assert calls <= 1
    assert row.state in {expected, "unknown"}
    if row.state == "accepted":
        assert calls == 1
    assert row.decisions
    assert len(world.ledger.rows) == 1
