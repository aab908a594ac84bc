"""A message sent to a member of staff to look at: the real sender, the member's own address, and no contact's."""

import json
from typing import Any

import pytest

from tests.fakes.published_journeys import JOURNEY, email, journey, published, sms
from tests.fakes.staff import directory
from tests.fakes.world import CONTACT, World
from waypost.channels.answers import RefusedForNow
from waypost.clock import parse_instant
from waypost.contacts.profile import Contact
from waypost.errors import ContactNotFound, InvalidInput
from waypost.sending.occasion import TEST, StaffNotice
from waypost.sending.request import SendRequest

NIGHT = "2027-03-01T18:00:00.000Z"
"""02:00 in Shanghai."""

HELLO = "Hello {{ contact.first_name }}, {{ event.properties.total | default(0) }}, {{ journey.name }}"


@pytest.fixture
def world() -> World:
    texts = {"html": f"<p>{HELLO}</p>", "text": HELLO}
    messages = {
        "hello": {**email("hello"), "variants": {"email": {"en": {"subject": "Hello", **texts}}}},
        "note": sms("note"),
    }
    made = World(published=published(journey(messages=messages)), staff=directory("lin.chen", "wei.zhang"))
    reader = Contact(
        CONTACT,
        created_at=parse_instant("2027-01-01T00:00:00.000Z"),
        attributes={"email": "reader@example.com", "first_name": "Ann", "locale": "en"},
        identities={"user_id": ["u-1"]},
    )
    made.contacts.put(reader)
    made.clock.set(NIGHT)
    return made


def shown(world: World, **changes: Any) -> dict[str, Any]:
    request = {"message": f"{JOURNEY}/hello", "to": "lin.chen", "as": {"user_id": "u-1"}, "run": "run-1", **changes}
    return world.send_test.send({name: value for name, value in request.items() if value is not None})


def test_a_test_shows_the_contacts_values_and_goes_to_the_member(world: World) -> None:
    result = shown(world, event={"properties": {"total": 129}})
    assert (result["outcome"], result["to"]) == ("sent", "lin.chen")
    [mail] = world.email.sent
    assert mail.to.text == "lin.chen@staff.example"
    assert mail.content.text == f"Hello Ann, 129, {JOURNEY}"
    assert not mail.transactional, "its headers are those that contacts get"


def test_without_a_contact_the_members_own_values_are_shown(world: World) -> None:
    shown(world, **{"as": None})
    assert world.email.sent[0].content.text == f"Hello Lin Chen, 0, {JOURNEY}"


def test_neither_consent_nor_hours_nor_caps_of_contacts_hold_for_staff(world: World) -> None:
    outcomes = [shown(world, run=f"run-{number}")["outcome"] for number in range(4)]
    assert outcomes == ["sent"] * 4


def test_a_run_that_is_repeated_sends_nothing_more(world: World) -> None:
    assert shown(world) == shown(world)
    assert world.email.calls.total() == 1
    assert shown(world, to="wei.zhang")["message_key"] != shown(world)["message_key"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"to": "reader@example.com"}, "to: should be the id of a member"),
        ({"to": CONTACT}, "to: should be the id of a member"),
        ({"to": {"user_id": "u-1"}}, "to: should be the id of a member"),
        ({"to": None}, "to: should be the id of a member"),
        ({"message": "nothing/there"}, "message: there is no message"),
        ({"message": ""}, "message: should be text"),
        ({"run": None}, "run: should be text"),
        ({"channel": "fax"}, "channel: there is no channel"),
        ({"event": [1]}, "event: should be an object"),
        ({"as": "u-1"}, "as: should be an object"),
    ],
)
def test_what_cannot_be_tested_is_refused_with_its_field(world: World, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        shown(world, **changes)
    assert world.email.calls.total() == 0


def test_an_unknown_contact_is_named(world: World) -> None:
    with pytest.raises(ContactNotFound, match="as"):
        shown(world, **{"as": {"user_id": "u-2"}})


def test_a_channel_on_which_the_member_has_no_address_is_skipped(world: World) -> None:
    result = shown(world, message=f"{JOURNEY}/note", channel="sms")
    assert (result["outcome"], result["reason"]) == ("skipped", "missing_address")


def test_a_test_that_the_provider_throttles_comes_back_with_the_same_values(world: World) -> None:
    world.email.answers += [RefusedForNow("Throttling")] * 3
    assert shown(world)["outcome"] == "deferred"
    [booked] = world.schedules.booked.values()
    world.clock.set(booked.at)
    assert world.send_message.send(SendRequest.from_payload(booked.payload)).outcome == "sent"
    assert world.email.sent[0].content.text == f"Hello Ann, 0, {JOURNEY}"


def test_values_of_a_contact_that_is_gone_by_then_are_not_shown(world: World) -> None:
    notice = StaffNotice(world.staff.member("lin.chen", "to").contact_id, TEST, "m/r", urgent=True, shown_for="c-gone")
    result = world.send_message.send(SendRequest(notice, f"{JOURNEY}/hello"))
    assert (result.outcome, "is gone" in result.reason) == ("skipped", True)


def test_a_notice_that_is_no_test_stays_transactional(world: World) -> None:
    notice = StaffNotice(world.staff.member("lin.chen", "to").contact_id, "order_refused", "o-1")
    with pytest.raises(InvalidInput, match="transactional"):
        world.send_message.send(SendRequest(notice, f"{JOURNEY}/hello"))


def test_someone_who_left_the_staff_gets_nothing(world: World) -> None:
    notice = StaffNotice("staff-jo_doe", TEST, "m/r")
    with pytest.raises(ContactNotFound):
        world.send_message.send(SendRequest(notice, f"{JOURNEY}/hello"))


def test_what_a_provider_reports_of_a_test_is_no_event_of_a_contact(world: World) -> None:
    key = shown(world)["message_key"]
    member = world.staff.member("lin.chen", "to")
    mail = {"messageId": "ses-1", "timestamp": NIGHT, "tags": {"message_key": [key], "contact_id": [member.contact_id]}}
    delivery = {"eventType": "Delivery", "mail": mail, "delivery": {"timestamp": "2027-03-01T18:00:01.000Z"}}
    opening = {"eventType": "Open", "mail": mail, "open": {"timestamp": "2027-03-01T18:00:09.000Z"}}
    notices = {
        name: json.dumps({"id": name, "source": "aws.ses", "time": "2027-03-01T18:00:01Z", "detail": detail})
        for name, detail in {"n-1": delivery, "n-2": opening}.items()
    }
    recorded = world.record_delivery.record(notices)
    assert (recorded.queued, recorded.failed) == (0, {})
    assert world.ledger[key].state == "delivered"
