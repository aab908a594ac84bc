"""What belongs to an address is kept at the address: suppressions and unsubscribes, for all contacts that have it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.effects import CRASH_MODES, Crash
from tests.fakes.published_journeys import journey, published, push
from tests.fakes.queue import FakeQueue
from tests.fakes.secrets import FakeSecret
from tests.fakes.world import CONTACT, World
from waypost import ids
from waypost.channels.answers import AddressGone
from waypost.contacts.channels import Address, Channel
from waypost.contacts.identity.merge import merge_of
from waypost.contacts.identity.rules import BUILT_IN
from waypost.contacts.profile import with_event
from waypost.errors import InvalidInput, TemporarilyUnavailable
from waypost.events.envelope import Event
from waypost.tracking.tokens import Unsubscription, sign
from waypost.tracking.unsubscribe_contact import UnsubscribeContact

OTHER = ids.contact_id("user_id", "u-2")
BAD, GOOD = "h@example.com", "h.new@example.com"
KEY = "k" * 32


def at(text: str) -> Address:
    return Address(Channel("email"), "email", text)


def reads_at(world: World, email: str, contact_id: str = CONTACT, **changes: Any) -> None:
    """A contact with this address."""
    number = "u-1" if contact_id == CONTACT else "u-2"
    known = {"attributes": {"email": email, "name": "H"}, "identities": {"user_id": [number], "email": [email]}}
    world.have_contact(contact_id, **known | changes)


def moves_to(world: World, email: str) -> None:
    """An event of the contact corrects its address."""
    world.clock.advance(minutes=1)
    now = world.clock()
    world.route(Event(f"e-{email}", "identified", {"user_id": "u-1"}, now, now, "shop", profile={"email": email}))


def sent(world: World, contact_id: str = CONTACT, message: str = "welcome") -> tuple[str, str]:
    """What becomes of a message to the contact, as a state of its own that nothing else has asked for."""
    enrolment = world.have_enrolment(contact_id, enrolment_id=f"n-{contact_id}-{len(world.effects.log)}")
    result = world.send(enrolment, message)
    return result.outcome, result.reason


def bounce(key: str, recipient: str, tags: Mapping[str, str], contact_id: str = CONTACT) -> dict[str, str]:
    """SES's notice of a hard bounce; ``tags`` are those of the message."""
    named = {"message_key": [key], "contact_id": [contact_id]} | {name: [value] for name, value in tags.items()}
    detail = {
        "eventType": "Bounce",
        "mail": {"timestamp": "2027-03-01T02:00:00.000Z", "messageId": "ses-1", "destination": [], "tags": named},
        "bounce": {
            "bounceType": "Permanent",
            "timestamp": "2027-03-01T02:05:00.000Z",
            "bouncedRecipients": [{"emailAddress": recipient}],
        },
    }
    return {"n-1": json.dumps({"id": "notice-1", "source": "aws.ses", "detail": detail})}


def delivered(world: World, notices: Mapping[str, str]) -> None:
    """The notices come, and the events they become."""
    known = len(world.queue.sent)
    assert not world.record_delivery.record(notices).failed
    for event in world.queue.sent[known:]:
        world.route(event)


def test_a_corrected_address_is_open_again() -> None:
    world = World()
    reads_at(world, BAD)
    delivered(world, bounce("m-1", BAD, {}))
    assert sent(world) == ("skipped", "suppressed_hard_bounce")
    moves_to(world, GOOD)
    assert world.contacts[CONTACT].closed == {}
    assert sent(world) == ("sent", "every_guard_allowed")
    moves_to(world, BAD)
    assert world.contacts[CONTACT].closed == {"email": "hard_bounce"}
    assert sent(world)[0] == "skipped"


@pytest.mark.parametrize("named_by", ["tag", "recipient"])
def test_the_late_bounce_of_an_old_address_leaves_the_new_one_open(named_by: str) -> None:
    world = World()
    reads_at(world, BAD)
    assert sent(world)[0] == "sent"
    (mail,) = world.email.sent
    moves_to(world, GOOD)
    tags = {"address": mail.tags["address"]} if named_by == "tag" else {}
    delivered(world, bounce(mail.message_key, "H@EXAMPLE.com" if named_by == "recipient" else "else@example.com", tags))
    assert world.contacts[CONTACT].closed == {}
    assert sent(world) == ("sent", "every_guard_allowed")
    assert world.addresses.records[at(BAD).digest].closed == "hard_bounce"


def test_a_push_message_goes_to_the_newest_device_that_is_not_closed() -> None:
    world = World(published=published(journey(messages={"new-in": push("new-in")})))
    devices = [{"token": token, "platform": "ios"} for token in ("old", "new", "newest")]
    reads_at(world, GOOD, attributes={"name": "H", "locale": "en", "push_tokens": devices})

    assert sent(world, message="new-in")[0] == "sent"
    world.push.answers = [AddressGone("EndpointDisabled", suppression="unregistered")]
    assert sent(world, message="new-in") == ("rejected", "provider: EndpointDisabled")
    assert sent(world, message="new-in")[0] == "sent"
    assert [each.to.text for each in world.push.sent] == ["newest", "new"]

    for device in ("new", "old"):
        world.push.answers = [AddressGone("EndpointDisabled", suppression="unregistered")]
        assert sent(world, message="new-in")[0] == "rejected", device
    assert sent(world, message="new-in") == ("skipped", "suppressed_unregistered")


def test_a_merge_brings_no_suppression_of_another_address() -> None:
    world = World()
    reads_at(world, GOOD)
    reads_at(world, BAD, OTHER)
    delivered(world, bounce("m-2", BAD, {}, OTHER))
    survivor, absorbed = (replace(world.contacts[each], version=1) for each in (CONTACT, OTHER))
    absorbed = replace(absorbed, identities={"anonymous_id": ["a-1"], "email": [BAD]})
    done = merge_of(survivor, absorbed, rules=BUILT_IN, at=world.clock(), ground="event")
    assert done is not None
    kept = replace(done.result, attributes={"email": GOOD, "name": "H"})
    assert (kept.closed, replace(kept, attributes={"email": BAD}).closed) == ({}, {"email": "hard_bounce"})
    world.contacts.put(kept)
    assert sent(world) == ("sent", "every_guard_allowed")


def test_a_bounce_closes_the_mailbox_to_everybody_who_has_it() -> None:
    world = World()
    reads_at(world, BAD)
    reads_at(world, BAD, OTHER)
    delivered(world, bounce("m-1", BAD, {}))
    assert [sent(world, each) for each in (CONTACT, OTHER)] == [("skipped", "suppressed_hard_bounce")] * 2
    assert world.email.sent == []


def unsubscribe(world: World, contact_id: str, email: str, topic: str | None = None) -> None:
    """Somebody follows the link of a mail to this contact at this address."""
    queue = FakeQueue()
    token = sign(Unsubscription(contact_id, "nurture", "m-1", "email", topic, at(email).digest), KEY)
    unsubscriber = UnsubscribeContact(
        queue=queue, addresses=world.addresses, secret=FakeSecret({"link_keys": [KEY]}), clock=world.clock
    )
    assert unsubscriber.unsubscribe(token, correlation_id="r-1")
    for event in queue.sent:
        world.route(event)


def test_an_unsubscribe_ends_what_two_contacts_with_one_mailbox_get() -> None:
    world = World()
    reads_at(world, BAD)
    reads_at(world, BAD, OTHER)
    world.clock.advance(minutes=1)
    unsubscribe(world, CONTACT, BAD)
    assert [sent(world, each) for each in (CONTACT, OTHER)] == [("skipped", "consent_withdrawn")] * 2


def test_the_other_reader_may_agree_again_by_a_signed_word_and_not_by_a_trait() -> None:
    world = World()
    reads_at(world, BAD)
    reads_at(world, BAD, OTHER)
    world.clock.advance(minutes=1)
    unsubscribe(world, CONTACT, BAD)
    world.clock.advance(minutes=1)
    now = world.clock()
    trait = Event("e-t", "identified", {"user_id": "u-2"}, now, now, "segment", profile={"consent": {"email": True}})
    world.route(trait)
    assert sent(world, OTHER) == ("skipped", "consent_withdrawn")
    world.route(Event("e-c", "consent_granted", {"user_id": "u-2"}, now, now, "shop", {"channel": "email"}))
    assert sent(world, OTHER)[0] == "sent"
    assert sent(world, CONTACT) == ("skipped", "consent_withdrawn")


def test_the_unsubscribe_of_a_topic_leaves_the_others_at_that_mailbox() -> None:
    world = World()
    reads_at(world, BAD, OTHER)
    world.clock.advance(minutes=1)
    unsubscribe(world, CONTACT if CONTACT in world.contacts else OTHER, BAD, topic="another")
    assert sent(world, OTHER)[0] == "sent"


def opted_out(world: World) -> None:
    world.sms.answers = [AddressGone("DESTINATION_PHONE_NUMBER_OPTED_OUT", suppression="opted_out")]


def texted(world: World, contact_id: str) -> tuple[str, str]:
    enrolment = world.have_enrolment(contact_id, enrolment_id=f"n-{contact_id}-{len(world.effects.log)}")
    result = world.send(enrolment, "order_confirmation", channel="sms")
    return result.outcome, result.reason


def test_a_number_that_opted_out_is_closed_to_everybody_who_has_it() -> None:
    world = World()
    world.have_contact()
    world.have_contact(OTHER, identities={"user_id": ["u-2"]})
    opted_out(world)
    assert texted(world, CONTACT)[0] == "rejected"
    assert [texted(world, each) for each in (CONTACT, OTHER)] == [("skipped", "suppressed_opted_out")] * 2
    assert sum(world.sms.calls.values()) == 1


@pytest.mark.parametrize("mode", CRASH_MODES)
def test_a_crash_around_the_closing_of_an_address_sends_nothing_twice(mode: Any) -> None:
    world = World()
    world.have_contact()
    opted_out(world)
    world.effects.crash_on, world.effects.mode = "addresses.suppress", mode
    enrolment = world.have_enrolment()
    for _ in range(3):
        try:
            world.send(enrolment, "order_confirmation", channel="sms")
        except Crash:
            continue
    assert sum(world.sms.calls.values()) == 1
    assert world.effects.crashed


def test_an_older_report_changes_nothing_and_a_lift_holds_until_a_newer_one() -> None:
    world = World()
    now, digest = world.clock(), at(BAD).digest
    for day, reason in ((2, "complaint"), (1, "hard_bounce")):
        world.addresses.suppress(digest, channel="email", reason=reason, at=now + timedelta(days=day))
    record = world.addresses.records[digest]
    assert record.closed == "complaint"
    lifted = replace(record, lifted_at=now + timedelta(days=3))
    assert lifted.closed == ""
    assert replace(lifted, suppressed_at=now + timedelta(days=4)).closed == "complaint"


def test_a_profile_from_before_addresses_had_records_stays_closed() -> None:
    world = World()
    reads_at(world, BAD, suppressions={"email": "complaint"})
    assert sent(world) == ("skipped", "suppressed_complaint")


def test_an_event_that_names_no_address_closes_the_one_in_use() -> None:
    world = World()
    reads_at(world, BAD)
    now = world.clock()
    event = Event("e-b", "message_bounced", {}, now, now, "waypost.ses", {"channel": "email", "suppression": "x"})
    known = with_event(world.contacts[CONTACT], event)
    assert known.suppressions == {f"email/{at(BAD).digest}": "x"}
    assert known.consents == world.contacts[CONTACT].consents


def lift(world: World, action: str = "lift", **request: str) -> dict[str, Any]:
    asked = {"action": action, "contact": {"user_id": "u-1"}, "channel": "email", "by": "lin.chen", "reason": "full"}
    known = len(world.queue.sent)
    try:
        return world.lift_suppression.act(asked | request)
    finally:
        for event in world.queue.sent[known:]:
            world.route(event)


def bounced_at(world: World, email: str) -> None:
    reads_at(world, email)
    world.contacts.identities["user_id", "u-1"] = CONTACT
    delivered(world, bounce("m-1", email, {}))
    world.clock.advance(days=1)


def test_a_lift_opens_the_address_to_everybody_and_stands_on_the_timeline() -> None:
    world = World()
    bounced_at(world, BAD)
    reads_at(world, BAD, OTHER)
    assert lift(world, "preview")["suppression"] == "hard_bounce"
    assert lift(world)["suppression"] == ""
    assert [sent(world, each)[0] for each in (CONTACT, OTHER)] == ["sent", "sent"]
    assert world.contacts[CONTACT].closed == {}
    lifted = world.queue.sent[-1]
    assert (lifted.type, lifted.properties["by"], lifted.properties["reason"]) == (
        "suppression_lifted",
        "lin.chen",
        "full",
    )
    assert "@" not in json.dumps(lifted.to_dict())


def test_the_same_report_again_does_not_close_what_was_lifted_and_a_newer_one_does() -> None:
    world = World()
    bounced_at(world, BAD)
    lift(world)
    world.record_delivery.record(bounce("m-1", BAD, {}))
    assert world.addresses.records[at(BAD).digest].closed == ""
    now = world.clock() + timedelta(seconds=1)
    world.addresses.suppress(at(BAD).digest, channel="email", reason="complaint", at=now)
    assert sent(world) == ("skipped", "suppressed_complaint")


def test_a_lift_asked_for_twice_is_one_and_one_that_opens_nothing_is_refused() -> None:
    world = World()
    bounced_at(world, BAD)
    first = lift(world)
    world.clock.advance(days=1)
    assert lift(world) == first
    assert len({each.id for each in world.queue.sent if each.type == "suppression_lifted"}) == 1
    moves_to(world, GOOD)
    for request, field in (
        ({}, "channel"), ({"channel": "fax"}, "channel"), ({"reason": " "}, "reason"), ({"by": ""}, "by"),
        ({"action": "open"}, "action"),
    ):  # fmt: skip
        with pytest.raises(InvalidInput, match=field):
            lift(world, **request)


def test_a_channel_closed_before_addresses_had_records_is_lifted_too() -> None:
    world = World()
    reads_at(world, BAD, suppressions={"email": "complaint"})
    world.contacts.identities["user_id", "u-1"] = CONTACT
    lift(world)
    assert sent(world)[0] == "sent"


def test_a_lift_does_not_undo_an_unsubscribe() -> None:
    world = World()
    bounced_at(world, BAD)
    unsubscribe(world, CONTACT, BAD)
    assert lift(world)["unsubscribed"] == ["*"]
    assert sent(world) == ("skipped", "consent_withdrawn")


@pytest.mark.parametrize("mode", CRASH_MODES)
@pytest.mark.parametrize("write", ["addresses.lift", "queue.send"])
def test_a_lift_that_crashed_is_completed_by_the_same_request(write: str, mode: Any) -> None:
    world = World()
    bounced_at(world, BAD)
    world.effects.crash_on, world.effects.mode, world.effects.crashed = write, mode, False
    with pytest.raises((Crash, TemporarilyUnavailable)):
        lift(world)
    world.clock.advance(minutes=1)
    lift(world)
    assert sent(world)[0] == "sent"
    assert world.contacts[CONTACT].closed == {}
    assert len({each.id for each in world.queue.sent if each.type == "suppression_lifted"}) == 1
