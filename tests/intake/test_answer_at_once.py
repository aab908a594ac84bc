"""A new friend in WeCom is welcomed at once: from the callback, past the queue, at most once, within the 20 seconds of the code."""

import json
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

import pytest

from tests.fakes.callback_door import CallbackDoor, as_request
from tests.fakes.published_journeys import published, wecom
from tests.fakes.world import World
from waypost.aws.notice_queue import body_of
from waypost.channels.answers import RefusedForNow, RefusedMessage, RefusedUs, Unclear
from waypost.channels.callback_contract import CallbackRequest
from waypost.channels.wecom.fake import CALLBACK_TOKEN, ENCODING_KEY
from waypost.channels.wecom.fake import Qyapi as Fake
from waypost.contacts.channels import Address, Channel
from waypost.content.message import PublishedMessage
from waypost.intake.declared_replies import DeclaredReplies
from waypost.intake.receive_callback import Reply
from waypost.sending.ledger import LedgerRow
from waypost.tracking.record_delivery import delivery_events

CUSTOMER = "woAJ2GCAAAXtWyujaWJHDDGi0mACAAAA"
WECOM = Channel("wecom")
ADDED = ["contact_added_staff", "staff_added_contact"]
REPLIES = DeclaredReplies.from_dict(
    {
        "rules": [
            {"to": ADDED, "message": "replies/shop", "when": {"state": ["shop-7", "mall-*"]}},
            {"to": ["staff_added_contact"], "message": "replies/friend"},
        ]
    }
)


@dataclass
class Door(CallbackDoor):
    """The door for WeCom's callbacks."""

    fake: Fake

    def added(self, change: str = "add_external_contact", **more: str) -> CallbackRequest:
        given = {"WelcomeCode": "CODE", "State": "", **more}
        more = {name: text for name, text in given.items() if text}
        return as_request(self.fake.callback(change, CUSTOMER, "zhang.san", **more))


@pytest.fixture
def door() -> Door:
    messages = {f"replies/{name}": PublishedMessage.from_dict(wecom(name)) for name in ("friend", "shop")}
    world = World(published=replace(published(), messages={**published().messages, **messages}))
    secret = {"callback_token": CALLBACK_TOKEN, "encoding_key": ENCODING_KEY}
    return Door(world, WECOM, Fake(), REPLIES, secret)


def row_of(door: Door, reply: Reply) -> LedgerRow:
    return door.row_of(reply, "external_userid", CUSTOMER)


@pytest.mark.parametrize(
    ("change", "state", "message"),
    [
        ("add_external_contact", "", "friend"),
        ("add_external_contact", "other-1", "friend"),
        ("add_external_contact", "shop-7", "shop"),
        ("add_external_contact", "shop-70", "friend"),
        ("add_external_contact", "mall-3-lin", "shop"),
        ("add_half_external_contact", "shop-7", "shop"),
    ],
)
def test_the_state_of_the_contact_way_chooses_the_welcome(door: Door, change: str, state: str, message: str) -> None:
    reply = door.take(door.added(change, State=state))
    assert (reply.status, reply.text) == (HTTPStatus.OK, "success")
    assert reply.answered is not None
    assert (reply.answered.outcome, reply.answered.channel) == ("sent", "wecom")
    assert row_of(door, reply).message == f"replies/{message}"


def test_no_queue_stands_between_the_callback_and_the_welcome(door: Door) -> None:
    door.take(door.added())
    [outgoing] = door.world.providers[WECOM].sent
    assert (outgoing.content.kind, outgoing.content.code, outgoing.to.text) == ("welcome", "CODE", CUSTOMER)
    assert outgoing.content.until == str(int(door.world.clock().timestamp()) + 20)
    assert len(door.queue.kept) == 1
    assert door.world.queue.events == {}


def test_the_event_that_comes_by_the_queue_later_is_of_the_same_contact(door: Door) -> None:
    reply = door.take(door.added())
    [notice] = door.queue.kept
    [event] = delivery_events(json.loads(body_of(notice)), clock=door.world.clock)
    routed = door.world.route(event)
    assert (routed.contact_id, routed.repeated) == (row_of(door, reply).contact_id, False)


def test_what_wecom_repeats_is_welcomed_once(door: Door) -> None:
    request = door.added()
    first, again = door.take(request), door.take(request)
    assert len(door.world.providers[WECOM].sent) == 1
    assert first.answered == again.answered


def test_a_repetition_during_the_call_is_no_second_welcome(door: Door) -> None:
    request, provider = door.added(), door.world.providers[WECOM]
    provider.during_call = lambda: door.take(request)
    reply = door.take(request)
    assert provider.calls.total() == 1
    assert row_of(door, reply).state == "accepted"


@pytest.mark.parametrize(("seconds", "outcome"), [(0, "sent"), (20, "sent"), (21, "skipped"), (3_600, "skipped")])
def test_a_code_older_than_twenty_seconds_is_not_used_and_that_is_noted(door: Door, seconds: int, outcome: str) -> None:
    request = door.added()
    door.world.clock.advance(seconds=seconds)
    reply = door.take(request)
    assert reply.answered is not None
    assert reply.answered.outcome == outcome
    assert len(door.world.providers[WECOM].sent) == (outcome == "sent")
    if outcome == "skipped":
        assert (row_of(door, reply).state, reply.answered.reason) == ("skipped", "too_late")


def test_nothing_that_has_seconds_is_put_off(door: Door) -> None:
    door.world.rates = {WECOM: 0.001}
    sender = door.world.send_message
    answers = [door.take(door.added(UserID=member), sender).answered for member in ("zhang.san", "li.si")]
    assert [each.outcome for each in answers if each] == ["sent", "skipped"]
    assert door.world.schedules.booked == {}


@pytest.mark.parametrize(
    ("answers", "outcome", "reason"),
    [
        ([RefusedMessage("41051")], "rejected", "provider: 41051"),
        ([RefusedForNow("41096")], "sent", "every_guard_allowed"),
        ([RefusedForNow("41096")] * 3, "rejected", "provider: 41096"),
        ([RefusedUs("60020 add the address")], "rejected", "account: 60020 add the address"),
        ([Unclear("no answer within 4 seconds")], "unknown", "provider: no answer within 4 seconds"),
    ],
)
def test_what_wecom_answers_is_on_the_row_and_the_callback_is_taken(
    door: Door, answers: list[Any], outcome: str, reason: str
) -> None:
    door.world.providers[WECOM].answers = answers
    reply = door.take(door.added())
    assert reply.status == HTTPStatus.OK
    assert reply.answered is not None
    assert (reply.answered.outcome, reply.answered.reason) == (outcome, reason)
    assert door.world.schedules.booked == {}


def test_who_is_suppressed_gets_no_welcome(door: Door) -> None:
    address = Address(WECOM, "external_userid", CUSTOMER)
    door.world.addresses.suppress(address.digest, channel=WECOM, reason="not_a_customer", at=door.world.clock())
    reply = door.take(door.added())
    assert reply.answered is not None
    assert (reply.answered.outcome, reply.answered.reason) == ("skipped", "suppressed_not_a_customer")


def test_without_a_code_or_a_rule_nothing_is_answered(door: Door) -> None:
    assert door.take(door.added(WelcomeCode="")).answered is None
    assert door.take(door.added("add_half_external_contact")).answered is None
    door.replies = DeclaredReplies()
    assert door.take(door.added()).answered is None
    assert door.world.providers[WECOM].sent == []
    assert len(door.queue.kept) == 3


def test_a_callback_that_the_queue_does_not_have_is_not_answered(door: Door) -> None:
    door.queue.is_down = True
    assert door.take(door.added()).status == HTTPStatus.SERVICE_UNAVAILABLE
    assert door.world.providers[WECOM].sent == []


def test_a_message_that_does_not_exist_loses_no_callback(door: Door) -> None:
    door.replies = DeclaredReplies.from_dict({"rules": [{"to": ADDED, "message": "replies/gone"}]})
    reply = door.take(door.added())
    assert (reply.status, len(door.queue.kept)) == (HTTPStatus.OK, 1)
    assert reply.unanswered.startswith("UnknownMessage")


def test_the_code_is_stored_nowhere(door: Door) -> None:
    reply = door.take(door.added(WelcomeCode="CODE-OF-20-SECONDS"))
    assert "CODE-OF-20-SECONDS" not in repr((row_of(door, reply), door.queue.kept, door.world.providers[WECOM].sent))
