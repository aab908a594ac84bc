"""What providers say of a message after they have taken it, as events."""

import json
from dataclasses import replace
from typing import Any

import pytest
from botocore.session import Session

from local.providers.server import fakes
from tests.fakes.clock import FakeClock
from tests.fakes.world import CONTACT, START, World
from waypost.channels.answers import Unclear
from waypost.clock import parse_instant
from waypost.contacts.channels import Address, Channel
from waypost.errors import InvalidInput, TemporarilyUnavailable
from waypost.events.listening import Listening
from waypost.tracking.record_delivery import delivery_events

LIN, LINS_PHONE = (
    Address(Channel("email"), "email", "lin@example.com"),
    Address(Channel("sms"), "phone", "+8613800000001"),
)
TAGS = {"message_key": "m-1", "contact_id": CONTACT, "journey": "nurture"}


def ses(kind: str, content: dict[str, Any] | None = None, tags: dict[str, str] | None = None) -> dict[str, Any]:
    mail = {
        "timestamp": "2027-03-01T02:00:00.000Z",
        "messageId": "ses-1",
        "destination": ["lin@example.com"],
        "tags": {
            **{name: [value] for name, value in (TAGS if tags is None else tags).items()},
            "ses:configuration-set": ["waypost-dev"],
        },
    }
    section = {"DeliveryDelay": "deliveryDelay", "Rendering Failure": "failure"}.get(kind, kind.lower())
    return {"id": "notice-1", "source": "aws.ses", "detail": {"eventType": kind, "mail": mail, section: content or {}}}


def sms(kind: str, context: dict[str, str] | None = None, *, final: bool = False) -> dict[str, Any]:
    detail = {
        "eventType": kind,
        "isFinal": final,
        "messageId": "sms-1",
        "messageStatus": kind.removeprefix("TEXT_"),
        "destinationPhoneNumber": "+8613800000001",
        "context": TAGS if context is None else context,
    }
    return {"id": "notice-1", "source": "aws.sms-voice", "detail": detail}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock("2027-03-01T02:05:00.000Z")


@pytest.mark.parametrize(
    ("notice", "kind", "properties"),
    [
        (ses("Send"), "message_accepted", {}),
        (ses("Delivery", {"timestamp": "2027-03-01T02:01:00.000Z"}), "message_delivered", {}),
        (
            ses("Bounce", {"bounceType": "Permanent"}),
            "message_bounced",
            {"bounce_type": "permanent", "suppression": "hard_bounce"},
        ),
        (ses("Bounce", {"bounceType": "Transient"}), "message_bounced", {"bounce_type": "transient"}),
        (ses("Bounce", {"bounceType": "Undetermined"}), "message_bounced", {"bounce_type": "undetermined"}),
        (ses("Complaint"), "message_complained", {"suppression": "complaint"}),
        (ses("Complaint", {"complaintFeedbackType": "abuse"}), "message_complained", {"suppression": "complaint"}),
        (ses("Complaint", {"complaintFeedbackType": "virus"}), "message_complained", {"suppression": "complaint"}),
        (ses("Complaint", {"complaintFeedbackType": None}), "message_complained", {"suppression": "complaint"}),
        (ses("Reject", {"reason": "Bad content"}), "message_failed", {"reason": "Bad content"}),
        (
            ses("Rendering Failure", {"errorMessage": "Attribute 'name' is missing.", "templateName": "welcome"}),
            "message_failed",
            {"reason": "Attribute 'name' is missing."},
        ),
    ],
)
def test_a_notice_of_ses_is_an_event(
    notice: dict[str, Any], kind: str, properties: dict[str, Any], clock: FakeClock
) -> None:
    (emitted,) = delivery_events(notice, clock=clock)
    assert (emitted.type, emitted.contact, emitted.is_our_own) == (kind, {"contact_id": CONTACT}, True)
    known = {
        "channel": "email",
        "provider_word": notice["detail"]["eventType"],
        "provider_message_id": "ses-1",
        "message_key": "m-1",
        "journey": "nurture",
    }
    closed = {"address": LIN.digest} if "suppression" in properties else {}
    assert emitted.properties == known | properties | closed
    assert emitted.received_at == clock()


def test_a_notice_says_when_it_happened(clock: FakeClock) -> None:
    (delivered,) = delivery_events(ses("Delivery", {"timestamp": "2027-03-01T02:01:00.000Z"}), clock=clock)
    assert delivered.occurred_at == parse_instant("2027-03-01T02:01:00Z")
    (accepted,) = delivery_events(ses("Send"), clock=clock)
    assert accepted.occurred_at == parse_instant(START)


@pytest.mark.parametrize("kind", ["Open", "Click", "DeliveryDelay", "Subscription"])
def test_what_nobody_acts_on_is_no_event(kind: str, clock: FakeClock) -> None:
    assert delivery_events(ses(kind), clock=clock) == []


@pytest.mark.parametrize("word", ["not-spam", "NOT-SPAM"])
def test_a_mail_that_its_reader_took_out_of_the_spam_folder_is_no_complaint(word: str) -> None:
    world = World()
    world.have_contact()
    enrolment = world.have_enrolment()
    key = world.send(enrolment, "welcome").message_key
    notice = ses("Complaint", {"complaintFeedbackType": word}, TAGS | {"message_key": key})
    assert delivery_events(notice, clock=world.clock) == []
    world.clock.advance(days=1)
    assert world.send(enrolment, "welcome", "Again").outcome == "sent"


@pytest.mark.parametrize(
    "notice",
    [
        ses("Quarantine"),
        ses("Bounce", {"bounceType": "Deferred"}),
        ses("Bounce", {}),
        sms("TEXT_TELEPORTED", final=True),
        sms("TEXT_ROUTE_REFUSED", final=True),
    ],
)
def test_a_final_word_that_is_in_no_table_ends_in_the_dead_letters(notice: dict[str, Any], clock: FakeClock) -> None:
    with pytest.raises(InvalidInput, match="has no meaning here"):
        delivery_events(notice, clock=clock)
    recorded = World().record_delivery.record({"n-1": json.dumps(notice), "n-2": json.dumps(ses("Send"))})
    assert (set(recorded.failed), recorded.queued) == ({"n-1"}, 1)


def test_a_word_on_the_way_that_is_in_no_table_is_no_event(clock: FakeClock) -> None:
    assert delivery_events(sms("TEXT_ROUTING"), clock=clock) == []


def test_the_providers_play_every_word_that_aws_declares() -> None:
    declared = Session().get_service_model("pinpoint-sms-voice-v2").shape_for("EventType").enum
    (texts,) = (fake.words for fake in fakes()[Channel("sms")] if fake.provider == "end_user_messaging")
    assert texts == {word for word in declared if word.startswith(("TEXT_", "RCS_"))} - {"TEXT_ALL", "RCS_ALL"}
    declared = Session().get_service_model("sesv2").shape_for("EventType").enum
    (mails,) = (fake.words for fake in fakes()[Channel("email")] if fake.provider == "ses")
    spelled = {word.upper().replace(" ", "_") for word in mails} | {"DELIVERY_DELAY"}
    assert {word for word in declared if not any(each.startswith(word) for each in spelled)} == set()
    bounces = Session().get_service_model("sesv2").shape_for("BounceType").enum
    assert {f"BOUNCE_{kind}" for kind in bounces} == {word for word in spelled if word.startswith("BOUNCE")}


@pytest.mark.parametrize(
    ("word", "kind", "more"),
    [
        ("TEXT_DELIVERED", "message_delivered", {}),
        ("TEXT_INVALID", "message_bounced", {"bounce_type": "permanent", "suppression": "invalid_number"}),
        ("TEXT_CARRIER_UNREACHABLE", "message_bounced", {"bounce_type": "transient"}),
        ("TEXT_UNREACHABLE", "message_bounced", {"bounce_type": "transient"}),
        ("TEXT_TTL_EXPIRED", "message_bounced", {"bounce_type": "transient"}),
        ("TEXT_UNKNOWN", "message_bounced", {"bounce_type": "undetermined"}),
        ("TEXT_BLOCKED", "message_failed", {}),
        ("TEXT_CARRIER_BLOCKED", "message_failed", {}),
        ("TEXT_INVALID_MESSAGE", "message_failed", {}),
        ("TEXT_PROTECT_BLOCKED", "message_failed", {}),
        ("TEXT_SPAM", "message_failed", {}),
    ],
)
def test_a_notice_about_an_sms_is_an_event(word: str, kind: str, more: dict[str, str], clock: FakeClock) -> None:
    (event,) = delivery_events(sms(word), clock=clock)
    assert (event.type, event.is_our_own) == (kind, True)
    closed = {"address": LINS_PHONE.digest} if "suppression" in more else {}
    assert event.properties == closed | {
        "channel": "sms",
        "provider_word": word,
        "provider_message_id": "sms-1",
        "status": word.removeprefix("TEXT_"),
        "message_key": "m-1",
        "journey": "nurture",
        **more,
    }


def test_the_last_word_of_a_carrier_that_reports_no_arrival_counts_as_one(clock: FakeClock) -> None:
    (event,) = delivery_events(sms("TEXT_SUCCESSFUL", final=True), clock=clock)
    assert (event.type, event.properties["provider_word"]) == ("message_delivered", "TEXT_SUCCESSFUL")


@pytest.mark.parametrize("kind", ["TEXT_QUEUED", "TEXT_SENT", "TEXT_PENDING", "TEXT_SUCCESSFUL"])
def test_an_sms_on_its_way_is_no_event(kind: str, clock: FakeClock) -> None:
    assert delivery_events(sms(kind), clock=clock) == []


def test_a_number_that_does_not_exist_closes_the_channel(clock: FakeClock) -> None:
    world = World()
    world.have_contact()
    for each in delivery_events(sms("TEXT_INVALID"), clock=clock):
        world.route(each)
    assert world.contacts[CONTACT].closed == {"sms": "invalid_number"}


def test_the_same_notice_is_the_same_event(clock: FakeClock) -> None:
    first = delivery_events(ses("Send"), clock=clock)
    clock.advance(minutes=5)
    assert [each.id for each in delivery_events(ses("Send"), clock=clock)] == [each.id for each in first]


@pytest.mark.parametrize("notice", [ses("Send", tags={}), sms("TEXT_DELIVERED", context={"message_key": "m-1"})])
def test_a_message_that_is_not_ours_is_refused(notice: dict[str, Any], clock: FakeClock) -> None:
    with pytest.raises(InvalidInput, match="not sent by Waypost"):
        delivery_events(notice, clock=clock)


def test_a_stranger_sends_no_notices(clock: FakeClock) -> None:
    with pytest.raises(InvalidInput, match=r"aws\.s3"):
        delivery_events({**ses("Send"), "source": "aws.s3"}, clock=clock)


def test_a_hard_bounce_closes_the_channel_and_marks_the_message() -> None:
    world = World()
    world.have_contact()
    enrolment = world.have_enrolment()
    key = world.send(enrolment, "welcome").message_key
    notice = ses("Bounce", {"bounceType": "Permanent"}, TAGS | {"message_key": key})
    (bounced,) = delivery_events(notice, clock=world.clock)
    world.route(bounced)
    world.route(replace(bounced))
    assert world.ledger[key].state == "bounced"
    world.clock.advance(days=1)
    assert world.send(enrolment, "welcome", "Again").reason == "suppressed_hard_bounce"


SETTLED = Listening(bus=(), settled=frozenset({"message_accepted", "message_delivered"}))


def sent(world: World) -> str:
    """The key of a message that the provider took."""
    world.have_contact()
    return world.send(world.have_enrolment(), "welcome").message_key


def delivered(key: str, at: str = "2027-03-01T02:01:00.000Z") -> str:
    return json.dumps(ses("Delivery", {"timestamp": at}, TAGS | {"message_key": key}))


def test_a_delivery_that_nothing_listens_to_is_settled_on_the_row_and_is_no_event() -> None:
    world = World(listening=SETTLED)
    key = sent(world)
    recorded = world.record_delivery.record({"1": delivered(key), "2": delivered(key)})
    assert (recorded.settled, recorded.queued, recorded.failed) == (2, 0, {})
    assert world.ledger[key].state == "delivered"
    assert not world.queue.events


def test_a_delivery_that_something_listens_to_is_an_event() -> None:
    world = World(listening=replace(SETTLED, settled=frozenset({"message_accepted"})))
    key = sent(world)
    recorded = world.record_delivery.record({"1": delivered(key)})
    assert (recorded.settled, recorded.queued) == (0, 1)
    (event,) = world.queue.events.values()
    world.route(event)
    assert world.ledger[key].state == "delivered"


def test_a_delivery_without_a_row_is_an_event_so_that_a_merged_contact_is_found() -> None:
    world = World(listening=SETTLED)
    recorded = world.record_delivery.record({"1": delivered("m-elsewhere")})
    assert (recorded.settled, recorded.queued) == (0, 1)


def test_a_bounce_is_never_settled_alone_because_it_closes_an_address() -> None:
    world = World(listening=SETTLED)
    key = sent(world)
    bounce = json.dumps(ses("Bounce", {"bounceType": "Permanent"}, TAGS | {"message_key": key}))
    assert world.record_delivery.record({"1": bounce}).queued == 1


def test_a_delivery_that_comes_after_the_complaint_does_not_hide_it() -> None:
    world = World(listening=SETTLED)
    key = sent(world)
    complaint = ses("Complaint", {"timestamp": "2027-03-01T03:00:00.000Z"}, TAGS | {"message_key": key})
    for event in delivery_events(complaint, clock=world.clock):
        world.route(event)
    world.record_delivery.record({"1": delivered(key)})
    for event in list(world.queue.events.values()):
        world.route(event)
    assert world.ledger[key].state == "complained"


def test_one_bad_notice_loses_no_other() -> None:
    world = World(listening=SETTLED)
    key = sent(world)
    bad = {
        "no json": "{",
        "a list": "[]",
        "not ours": json.dumps(ses("Delivery", tags={})),
        "no mail": '{"source": "aws.ses", "id": "n", "detail": {}}',
    }
    recorded = world.record_delivery.record({**bad, "good": delivered(key)})
    assert recorded.failed.keys() == bad.keys()
    assert recorded.settled == 1


def test_what_the_queue_refuses_comes_again_and_what_was_settled_does_not() -> None:
    world = World(listening=SETTLED)
    key = sent(world)
    world.queue.broken = True
    bounce = json.dumps(ses("Bounce", {"bounceType": "Transient"}, TAGS))
    recorded = world.record_delivery.record({"settled": delivered(key), "bounced": bounce})
    assert recorded.failed.keys() == {"bounced"}
    assert isinstance(recorded.failed["bounced"], TemporarilyUnavailable)
    assert recorded.settled == 1


def test_an_unknown_message_is_settled_by_a_delivery_that_is_no_event() -> None:
    world = World(listening=SETTLED)
    world.have_contact()
    world.email.answers = [Unclear("ReadTimeoutError")]
    key = world.send(world.have_enrolment(), "welcome").message_key
    assert world.ledger[key].state == "unknown"
    world.record_delivery.record({"1": delivered(key)})
    assert world.ledger[key].state == "delivered"
