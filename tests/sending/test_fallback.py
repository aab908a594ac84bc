"""A message tries its channels in their order, under one key: at most one accepted send, and never after an unclear answer."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.published_journeys import either, journey, published
from tests.fakes.world import CONTACT, World, send_request, touch
from waypost.channels.answers import AddressGone, RefusedForNow, RefusedMessage, RefusedUs, Unclear
from waypost.contacts.channels import Channel
from waypost.sending.ledger import Touches
from waypost.sending.request import SendRequest

EMAIL, SMS = Channel("email"), Channel("sms")
DAY = timedelta(days=1)


def world_of(*channels: str, **sending: Any) -> World:
    made = World(published=published(journey(messages={"reminder": either("reminder", *channels)}), sending=sending))
    made.have_contact()
    return made


def reminded(world: World) -> SendRequest:
    return send_request(world.have_enrolment(), "reminder", state="Remind")


def decisions(world: World, request: SendRequest) -> list[tuple[str, str | None, str]]:
    return [(each.outcome, each.channel, each.reason) for each in world.ledger[request.message_key].decisions]


@pytest.mark.parametrize("refusal", [RefusedMessage("MessageRejected"), AddressGone("gone", suppression="hard_bounce")])
def test_what_a_provider_definitely_refuses_goes_out_on_the_next_channel_under_the_same_key(refusal: Any) -> None:
    world = world_of("email", "sms")
    world.email.answers = [refusal]
    request = reminded(world)
    assert world.send_message.send(request).outcome == "deferred"
    assert world.fire_next().function == "send_deferred"
    made = decisions(world, request)
    assert [(outcome, channel) for outcome, channel, _ in made] == [("deferred", EMAIL), ("sent", SMS)]
    assert (len(world.sms.sent), world.sms.sent[0].message_key) == (1, request.message_key)
    assert world.ledger[request.message_key].decisions[-1].elsewhere == {EMAIL: "provider"}
    assert [each.channel for each in world.ledger.snapshot(request).touches.recent] == [SMS]


def test_when_every_channel_has_refused_the_message_is_rejected() -> None:
    world = world_of("email", "sms")
    world.email.answers, world.sms.answers = [RefusedMessage("no")], [RefusedMessage("never")]
    request = reminded(world)
    world.send_message.send(request)
    world.fire_next()
    assert decisions(world, request)[-1] == ("rejected", SMS, "provider: never")
    assert world.send_message.send(request).outcome == "rejected"
    assert (world.email.calls.total(), world.sms.calls.total()) == (1, 1)


@pytest.mark.parametrize(
    "answer", [Unclear("timeout"), RefusedForNow("throttled"), RefusedUs("paused", for_everyone=True)]
)
def test_an_unclear_or_passing_answer_leads_to_no_other_channel(answer: Any) -> None:
    world = world_of("email", "sms")
    world.email.answers = [answer] * 10
    request = reminded(world)
    world.send_message.send(request)
    assert {channel for _, channel, _ in decisions(world, request)} == {EMAIL}
    assert world.sms.sent == []


def test_after_an_unclear_answer_a_repeated_request_sends_nothing_anywhere() -> None:
    world = world_of("email", "sms")
    world.email.answers = [Unclear("timeout")]
    request = reminded(world)
    outcomes = [world.send_message.send(request).outcome for _ in range(3)]
    assert outcomes == ["unknown"] * 3
    assert (world.email.calls.total(), world.sms.sent) == (1, [])


def test_a_channel_that_was_asked_for_is_the_only_one() -> None:
    world = world_of("email", "sms")
    world.email.answers = [RefusedMessage("no")]
    assert world.send_message.send(replace(reminded(world), channel=EMAIL)).outcome == "rejected"


def test_the_first_request_again_while_the_next_channel_is_booked_sends_nothing() -> None:
    world = world_of("email", "sms")
    world.email.answers = [RefusedMessage("no")]
    request = reminded(world)
    assert [world.send_message.send(request).outcome for _ in range(2)] == ["deferred", "deferred"]
    world.fire_next()
    assert world.send_message.send(request).outcome == "sent"
    assert (world.email.calls.total(), world.sms.calls.total()) == (1, 1)


def test_a_refused_channel_survives_the_schedule() -> None:
    request = replace(reminded(world_of("email", "sms")), refused=(EMAIL,), visit=None)
    assert SendRequest.from_dict(request.to_dict()) == request


@pytest.mark.parametrize(
    ("unopened", "opened_today", "channel"), [(2, False, EMAIL), (3, False, SMS), (5, False, SMS), (5, True, EMAIL)]
)
def test_after_three_unopened_mails_the_sms_comes_first_until_one_is_opened(
    unopened: int, opened_today: bool, channel: Channel
) -> None:
    world = world_of("email", "sms", switch_channel_after=3)
    now = world.clock()
    recent = Touches([touch(f"m-{day}", now - (day + 2) * DAY, channel="email") for day in range(unopened)])
    if opened_today:
        known = world.contacts[CONTACT]
        world.contacts.put(replace(known, seen={**known.seen, "message_opened": (now.date(), now.date())}))
    request = reminded(world)
    world.ledger.touches[CONTACT] = recent
    assert world.send_message.send(request).channel == channel


def test_without_the_setting_the_order_stays() -> None:
    world = world_of("email", "sms")
    assert world.send_message.send(reminded(world)).channel == EMAIL
