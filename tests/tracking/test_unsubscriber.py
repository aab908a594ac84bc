"""What following an unsubscribe link does."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fakes.addresses import FakeAddressRecords
from tests.fakes.queue import FakeQueue
from tests.fakes.secrets import FakeSecret
from tests.intake.fakes import NOW
from waypost.errors import TemporarilyUnavailable
from waypost.tracking.tokens import Unsubscription, sign
from waypost.tracking.unsubscribe_contact import UnsubscribeContact

KEY, NEW_KEY = "k" * 32, "n" * 32
ASKED = Unsubscription(contact_id="c-" + "0a" * 12, journey="nurture", message_key="m-1", channel="sms", topic="offers")
TOKEN = sign(ASKED, KEY)


def test_reading_a_link_changes_nothing() -> None:
    queue = FakeQueue()
    assert (
        UnsubscribeContact(
            queue=queue, addresses=FakeAddressRecords(), secret=FakeSecret({"link_keys": [KEY]}), clock=lambda: NOW
        ).read(TOKEN)
        == ASKED
    )
    assert queue.sent == []


def test_confirming_sends_an_unsubscribed_event_to_the_contact() -> None:
    queue = FakeQueue()
    unsubscriber = UnsubscribeContact(
        queue=queue, addresses=FakeAddressRecords(), secret=FakeSecret({"link_keys": [KEY]}), clock=lambda: NOW
    )
    assert unsubscriber.unsubscribe(TOKEN, correlation_id="req-1") == ASKED
    (event,) = queue.sent
    assert (event.type, event.contact, event.source) == ("unsubscribed", {"contact_id": ASKED.contact_id}, "waypost")
    assert event.properties == {
        "channel": "sms",
        "topic": "offers",
        "message_key": "m-1",
        "journey": "nurture",
        "address": "",
    }
    assert (event.occurred_at, event.correlation_id) == (NOW, "req-1")


def test_posting_twice_is_one_event_but_next_week_is_another() -> None:
    queue, now = FakeQueue(), NOW
    unsubscriber = UnsubscribeContact(
        queue=queue, addresses=FakeAddressRecords(), secret=FakeSecret({"link_keys": [NEW_KEY, KEY]}), clock=lambda: now
    )
    unsubscriber.unsubscribe(TOKEN, correlation_id="1")
    unsubscriber.unsubscribe(sign(ASKED, NEW_KEY), correlation_id="2")
    now += timedelta(days=7)
    unsubscriber.unsubscribe(TOKEN, correlation_id="3")
    assert len({event.id for event in queue.sent}) == 2


def test_a_forged_token_changes_nothing() -> None:
    queue = FakeQueue()
    unsubscriber = UnsubscribeContact(
        queue=queue, addresses=FakeAddressRecords(), secret=FakeSecret({"link_keys": [NEW_KEY]}), clock=lambda: NOW
    )
    assert unsubscriber.unsubscribe(TOKEN, correlation_id="1") is None
    assert queue.sent == []


def test_a_new_key_verifies_at_once() -> None:
    secret = FakeSecret({"link_keys": [NEW_KEY]}, newer={"link_keys": [KEY, NEW_KEY]})
    assert (
        UnsubscribeContact(queue=FakeQueue(), addresses=FakeAddressRecords(), secret=secret, clock=lambda: NOW).read(
            TOKEN
        )
        == ASKED
    )


def test_a_broken_queue_is_not_success() -> None:
    unsubscriber = UnsubscribeContact(
        queue=FakeQueue(broken=True),
        addresses=FakeAddressRecords(),
        secret=FakeSecret({"link_keys": [KEY]}),
        clock=lambda: NOW,
    )
    with pytest.raises(TemporarilyUnavailable):
        unsubscriber.unsubscribe(TOKEN, correlation_id="1")


def test_everybody_who_reads_there_is_unsubscribed_before_the_event_is_queued() -> None:
    addresses, asked = FakeAddressRecords(), replace(ASKED, topic=None, address="0a" * 12)
    unsubscriber = UnsubscribeContact(
        queue=FakeQueue(broken=True), addresses=addresses, secret=FakeSecret({"link_keys": [KEY]}), clock=lambda: NOW
    )
    with pytest.raises(TemporarilyUnavailable):  # the client posts again
        unsubscriber.unsubscribe(sign(asked, KEY), correlation_id="1")
    assert addresses.records["0a" * 12].withdrawn == {"*": NOW}
