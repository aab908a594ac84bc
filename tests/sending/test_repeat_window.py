"""Where a provider itself sends once, an unknown may be repeated in its window, with the same key; nowhere else."""

from datetime import timedelta

import pytest

from tests.fakes.effects import CRASH_MODES, Crash, CrashMode
from tests.fakes.provider import FakeProvider
from tests.fakes.published_journeys import WECHAT_ACCOUNT, email, journey, published, wechat
from tests.fakes.world import World, redelivered, send_request
from waypost.channels.answers import Accepted, AddressGone, Answer, RefusedForNow, RefusedMessage, RefusedUs, Unclear
from waypost.channels.wechat.channel import REPEATABLE
from waypost.contacts.channels import Channel
from waypost.journeys.enrolment import Enrolment
from waypost.sending.request import SendRequest

TIMEOUT = Unclear("no answer within 8 seconds")
MESSAGES = (wechat("shipped"), wechat("news", form="subscription"), email("welcome"))


@pytest.fixture
def world() -> World:
    world = World(published=published(journey(messages={each["name"]: each for each in MESSAGES})))
    world.have_contact(identities={"openid": [f"{WECHAT_ACCOUNT}:oA1"]})
    return world


@pytest.fixture
def weixin(world: World) -> FakeProvider:
    return world.providers[Channel("wechat")]


def shipped(enrolment: Enrolment, message: str = "shipped") -> SendRequest:
    return send_request(enrolment, message, state="Shipped")


def test_a_call_without_an_answer_is_repeated_at_once_with_the_same_key_and_content(
    world: World, enrolment: Enrolment, weixin: FakeProvider
) -> None:
    weixin.answers = [TIMEOUT, Accepted("7")]
    assert world.send_message.send(shipped(enrolment)).outcome == "sent"
    first, second = weixin.sent
    assert first == second
    assert first.message_key == shipped(enrolment).message_key


@pytest.mark.parametrize(
    "second",
    [TIMEOUT, RefusedForNow("-1"), RefusedMessage("47003"), RefusedUs("48004"), AddressGone("43004", "unfollowed")],
)
def test_only_an_acceptance_settles_what_may_have_been_sent(
    world: World, enrolment: Enrolment, weixin: FakeProvider, second: Answer
) -> None:
    weixin.answers = [TIMEOUT, second]
    result = world.send_message.send(shipped(enrolment))
    assert (result.outcome, result.reason) == ("unknown", f"provider: {TIMEOUT.reason}")
    assert weixin.calls.total() == 2


@pytest.mark.parametrize("message", ["news", "welcome"])
def test_what_no_provider_sends_once_is_never_repeated(world: World, message: str) -> None:
    enrolment = world.have_enrolment()
    channel = Channel("email" if message == "welcome" else "wechat")
    provider = world.providers[channel]
    provider.answers = [TIMEOUT, Accepted("7")]
    results = {world.send_message.send(shipped(enrolment, message)).outcome for _ in range(3)}
    assert (results, provider.calls.total()) == ({"unknown"}, 1)


def test_an_unknown_is_repeated_by_a_later_request_while_the_window_is_open(
    world: World, enrolment: Enrolment, weixin: FakeProvider
) -> None:
    weixin.answers = [TIMEOUT, TIMEOUT]
    assert world.send_message.send(shipped(enrolment)).outcome == "unknown"
    world.clock.advance(minutes=5)
    assert world.send_message.send(shipped(enrolment)).outcome == "sent"
    row = world.ledger[shipped(enrolment).message_key]
    assert [each.outcome for each in row.decisions] == ["unknown", "sent"]
    assert world.send_message.send(shipped(enrolment)).outcome == "sent"
    assert weixin.calls.total() == 3


def test_the_window_begins_with_the_first_call_and_no_repetition_moves_it(
    world: World, enrolment: Enrolment, weixin: FakeProvider
) -> None:
    weixin.answers = [TIMEOUT] * 6
    for minutes in (0, 4, 4):
        world.clock.advance(minutes=minutes)
        assert world.send_message.send(shipped(enrolment)).outcome == "unknown"
    assert weixin.calls.total() == 6
    world.clock.advance(minutes=2)
    assert world.send_message.send(shipped(enrolment)).outcome == "unknown"
    assert weixin.calls.total() == 6


def test_what_the_guards_no_longer_allow_is_not_repeated(
    world: World, enrolment: Enrolment, weixin: FakeProvider
) -> None:
    weixin.answers = [TIMEOUT, TIMEOUT]
    world.send_message.send(shipped(enrolment))
    world.addresses.suppress(weixin.sent[0].to.digest, channel="wechat", reason="unfollowed", at=world.clock())
    assert world.send_message.send(shipped(enrolment)).outcome == "unknown"
    assert weixin.calls.total() == 2


@pytest.mark.parametrize("mode", CRASH_MODES)
@pytest.mark.parametrize("at", range(4))
def test_a_crash_anywhere_is_repeated_with_the_same_key_and_sends_once(
    world: World, weixin: FakeProvider, at: int, mode: CrashMode
) -> None:
    enrolment = world.have_enrolment()
    world.effects.crash_at, world.effects.mode = len(world.effects.log) + at, mode
    redelivered(lambda: world.send_message.send(shipped(enrolment)))
    assert world.ledger[shipped(enrolment).message_key].state == "accepted"
    assert {each.message_key for each in weixin.sent} == {shipped(enrolment).message_key}
    assert len({each.content.fields["thing1"] for each in weixin.sent}) == 1


def test_a_crash_after_the_window_stays_unknown(world: World, enrolment: Enrolment, weixin: FakeProvider) -> None:
    world.effects.crash_on, world.effects.mode = "wechat.send", "after"
    with pytest.raises(Crash):
        world.send_message.send(shipped(enrolment))
    world.clock.advance(minutes=int(REPEATABLE / timedelta(minutes=1)) + 1)
    assert world.send_message.send(shipped(enrolment)).outcome == "unknown"
    assert weixin.calls.total() == 1
