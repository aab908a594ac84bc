"""What providers say of a message after they have taken it, as events."""

from dataclasses import replace
from typing import Any

import pytest

from tests.engine.world import CONTACT, START, World
from tests.fakes import FakeClock
from waypost.clock import parse_instant
from waypost.errors import InvalidInput
from waypost.tracking.record_delivery import SMS_TYPES, delivery_events

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
    section = {"Send": "send", "DeliveryDelay": "deliveryDelay"}.get(kind, kind.lower())
    return {"id": "notice-1", "source": "aws.ses", "detail": {"eventType": kind, "mail": mail, section: content or {}}}


def sms(kind: str, context: dict[str, str] | None = None) -> dict[str, Any]:
    detail = {
        "eventType": kind,
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
        (ses("Send"), "email_accepted", {}),
        (ses("Delivery", {"timestamp": "2027-03-01T02:01:00.000Z"}), "email_delivered", {}),
        (ses("Bounce", {"bounceType": "Permanent"}), "email_bounced", {"bounce_type": "permanent"}),
        (ses("Bounce", {"bounceType": "Transient"}), "email_bounced", {"bounce_type": "transient"}),
        (ses("Complaint"), "email_complained", {}),
        (ses("Reject", {"reason": "Bad content"}), "email_rejected", {"reason": "Bad content"}),
    ],
)
def test_a_notice_of_ses_is_an_event(
    notice: dict[str, Any], kind: str, properties: dict[str, Any], clock: FakeClock
) -> None:
    (said,) = delivery_events(notice, clock=clock)
    assert (said.type, said.contact, said.is_our_own) == (kind, {"contact_id": CONTACT}, True)
    known = {"provider_message_id": "ses-1", "message_key": "m-1", "journey": "nurture"}
    assert said.properties == known | properties
    assert said.received_at == clock()


def test_a_notice_says_when_it_happened(clock: FakeClock) -> None:
    (delivered,) = delivery_events(ses("Delivery", {"timestamp": "2027-03-01T02:01:00.000Z"}), clock=clock)
    assert delivered.occurred_at == parse_instant("2027-03-01T02:01:00Z")
    (accepted,) = delivery_events(ses("Send"), clock=clock)
    assert accepted.occurred_at == parse_instant(START)


@pytest.mark.parametrize("kind", ["Open", "Click", "DeliveryDelay", "Rendering Failure", "Subscription"])
def test_what_nobody_acts_on_is_no_event(kind: str, clock: FakeClock) -> None:
    assert delivery_events(ses(kind), clock=clock) == []


@pytest.mark.parametrize("kind", sorted(SMS_TYPES))
def test_a_notice_about_an_sms_is_an_event(kind: str, clock: FakeClock) -> None:
    said = delivery_events(sms(kind), clock=clock)[0]
    assert said.type == ("sms_delivered" if kind == "TEXT_DELIVERED" else "sms_failed")
    assert said.properties["message_key"] == "m-1"
    assert said.is_our_own


@pytest.mark.parametrize("kind", ["TEXT_QUEUED", "TEXT_SENT", "TEXT_PENDING", "TEXT_SUCCESSFUL"])
def test_an_sms_on_its_way_is_no_event(kind: str, clock: FakeClock) -> None:
    assert delivery_events(sms(kind), clock=clock) == []


def test_a_number_that_does_not_exist_closes_the_channel(clock: FakeClock) -> None:
    failed, invalid = delivery_events(sms("TEXT_INVALID"), clock=clock)
    assert (failed.type, invalid.type) == ("sms_failed", "sms_number_invalid")
    assert failed.id != invalid.id
    world = World()
    world.have_contact()
    for each in (failed, invalid):
        world.route(each)
    assert world.contacts[CONTACT].suppressions == {"sms": "invalid_number"}


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
