"""Backups: other material goes out in place of a message that failed, in time, and never under a key that was called already."""

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.published_journeys import email, journey, published, sms
from tests.fakes.world import CONTACT, World, send_request
from waypost.channels.answers import AddressGone, RefusedMessage
from waypost.events.envelope import Event
from waypost.sending.backups import ReplaceUndelivered
from waypost.sending.request import SendRequest, SendResult

REFUSED = RefusedMessage("MessageRejected")
BACKUPS = {"messages": ["plain", "by-sms"], "minutes": 120}
BROKEN = {"subject": "{{ contact.nothing }}", "html": "<p>x</p>", "text": "x"}


@pytest.fixture
def world() -> World:
    return with_messages()


def with_messages(**welcome: Any) -> World:
    messages = {
        "welcome": {**email("welcome"), "backups": BACKUPS, **welcome},
        "plain": email("plain", kind=welcome.get("kind", "marketing")),
        "by-sms": sms("by-sms", kind=welcome.get("kind", "marketing")),
    }
    world = World(published=published(journey(messages=messages)))
    world.have_contact()
    return world


def ask(world: World) -> tuple[SendRequest, SendResult]:
    request = send_request(world.have_enrolment(), "welcome", state="Day 1, welcome")
    return request, world.send_message.send(request)


def settle(world: World) -> None:
    while len(world.schedules):
        world.fire_next()


def bounce(world: World, key: str, event: str = "message_bounced") -> bool:
    now = world.clock()
    undelivered = ReplaceUndelivered(ledger=world.ledger, schedules=lambda: world.schedules, clock=world.clock)
    return undelivered.see(Event("e-1", event, {"contact_id": CONTACT}, now, now, "ses", {"message_key": key}))


@pytest.mark.parametrize("refusal", [REFUSED, AddressGone("gone", suppression="hard_bounce")])
def test_what_the_provider_refuses_goes_out_as_its_backup_under_the_same_key(world: World, refusal: Any) -> None:
    world.email.answers = [refusal]
    request, result = ask(world)
    assert (result.outcome, result.reason) == ("deferred", f"provider: {refusal.reason}")
    settle(world)
    row = world.ledger[request.message_key]
    assert [each.outcome for each in row.decisions][-1] == "sent"
    assert row.decisions[-1].saw["vs"].endswith("backup 1") or row.decisions[-1].saw["vs"].endswith("backup 2")
    assert world.email.risky_calls(request.message_key) + len(world.sms.sent) == 1
    assert {mail.message_key for mail in [*world.email.sent, *world.sms.sent]} == {request.message_key}


def test_backups_follow_one_another_and_then_it_is_rejected(world: World) -> None:
    world.email.answers = [REFUSED, REFUSED]
    world.sms.answers = [REFUSED]
    request, _ = ask(world)
    settle(world)
    row = world.ledger[request.message_key]
    assert [(each.outcome, each.channel, each.saw.get("vs", "")) for each in row.decisions] == [
        ("deferred", "email", ""),
        ("deferred", "email", "plain: backup 1"),
        ("rejected", "sms", "by-sms: backup 2"),
    ]
    assert row.state == "rejected"


def test_material_that_cannot_go_out_is_replaced_without_a_call() -> None:
    world = with_messages(variants={"email": {"en": BROKEN, "zh-CN": BROKEN}})
    request, result = ask(world)
    assert result.reason.startswith("not_renderable")
    settle(world)
    assert [mail.content.subject for mail in world.email.sent] == ["Welcome Lin"]
    assert world.ledger[request.message_key].state == "accepted"


def test_what_no_material_cures_has_no_backup(world: World) -> None:
    world.have_contact(suppressions={"email": "complaint"})
    _, result = ask(world)
    assert (result.outcome, result.reason) == ("skipped", "suppressed_complaint")
    assert len(world.schedules) == 0


def test_a_backup_that_would_be_late_does_not_go_out(world: World) -> None:
    world.email.answers = [REFUSED]
    request, _ = ask(world)
    world.clock.set(world.clock() + timedelta(hours=2, minutes=1))
    settle(world)
    row = world.ledger[request.message_key]
    assert (row.state, row.decisions[-1].reason) == ("skipped", "too_late")
    assert world.email.sent == world.sms.sent == []


def test_what_left_and_bounced_is_replaced_under_the_next_key_of_the_chain() -> None:
    world = with_messages(kind="transactional")
    request, result = ask(world)
    assert result.outcome == "sent"
    world.clock.set(world.clock() + timedelta(minutes=5))
    assert bounce(world, request.message_key)
    assert bounce(world, request.message_key)
    settle(world)
    [first, second] = world.email.sent
    assert first.message_key == request.message_key != second.message_key
    row = world.ledger[second.message_key]
    assert (row.occasion.label, row.state) == ("Day 1, welcome / 1", "accepted")
    assert row.decisions[-1].saw["vs"] == "plain: backup 1"
    assert bounce(world, second.message_key, "message_failed")
    settle(world)
    assert len(world.sms.sent) == 1
    assert not bounce(world, world.sms.sent[0].message_key), "there is no third one"


def test_a_bounce_after_the_deadline_or_of_a_message_without_backups_brings_nothing(world: World) -> None:
    request, _ = ask(world)
    world.clock.set(world.clock() + timedelta(hours=3))
    assert not bounce(world, request.message_key)
    assert not bounce(world, "m-unknown")
    plain = with_messages(backups=None)
    request, _ = ask(plain)
    assert not bounce(plain, request.message_key)
    assert not bounce(plain, request.message_key, "message_delivered")


def test_a_notice_of_the_provider_books_the_backup(world: World) -> None:
    ask(world)
    [mail] = world.email.sent
    notice = {
        "id": "n-1",
        "source": "aws.ses",
        "detail": {
            "eventType": "Bounce",
            "mail": {
                "messageId": "ses-1",
                "timestamp": "2027-03-01T02:00:00.000Z",
                "destination": ["lin@example.com"],
                "tags": {name: [value] for name, value in mail.tags.items()},
            },
            "bounce": {"bounceType": "Permanent", "bounceSubType": "General", "timestamp": "2027-03-01T02:00:00.000Z"},
        },
    }
    recorded = world.record_delivery.record({"n-1": json.dumps(notice)})
    assert (recorded.failed, recorded.replaced) == ({}, 1)


def test_a_request_carries_its_place_in_the_chain() -> None:
    world = with_messages()
    request, _ = ask(world)
    later = SendRequest.from_dict({**request.to_dict(), "backup": 1, "backup_by": "2027-03-01T04:00:00.000Z"})
    assert SendRequest.from_dict(later.to_dict()) == later
    assert "backup" not in request.to_dict()["occasion"]
