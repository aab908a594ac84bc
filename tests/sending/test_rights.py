"""A message for which a person has to act first goes out as often as the person acted, and never once more."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import pytest

from local.providers.server import Providers
from tests.fakes.effects import CRASH_MODES, CrashMode
from tests.fakes.provider import FakeProvider
from tests.fakes.published_journeys import WECHAT_ACCOUNT, WECHAT_TEMPLATE, journey, published, wechat
from tests.fakes.secrets import FakeSecret
from tests.fakes.token_store import FakeTokenStore
from tests.fakes.world import CONTACT, World, redelivered, send_request
from waypost.channels.answers import AddressGone, RefusedForNow, RefusedMessage, Unclear
from waypost.channels.contract import ProviderPorts
from waypost.channels.registry import rights_in
from waypost.channels.wechat.fake import FAKES, Weixin
from waypost.channels.wechat.provider_weixin import connect
from waypost.contacts.channels import Address, Channel
from waypost.events.envelope import SERVER_KEY_SOURCE, UNPROVEN_SOURCE, WRITE_KEY_SOURCE, Event
from waypost.http.poster import PinnedPoster
from waypost.journeys.enrolment import Enrolment
from waypost.routing.reactions import GiveRights
from waypost.sending.guards.no_credit import NoCredit
from waypost.sending.request import SendResult

WECHAT = Channel("wechat")
OPENID = f"{WECHAT_ACCOUNT}:oA1b2c3"
DIGEST = Address(WECHAT, "openid", OPENID).digest
MESSAGES = (wechat("news", form="subscription"), wechat("answer", form="customer_service"), wechat("shipped"))


@pytest.fixture
def world() -> World:
    world = World(published=published(journey(messages={each["name"]: each for each in MESSAGES})))
    world.have_contact(identities={"openid": [OPENID]})
    return world


@pytest.fixture
def weixin(world: World) -> FakeProvider:
    return world.providers[WECHAT]


def act(
    world: World, kind: str, event_id: str = "e-1", *, source: str = "waypost.wechat", openid: str = OPENID
) -> Event:
    """The person does something, as the router comes to know it."""
    event = Event(
        id=event_id,
        type=kind,
        contact={"openid": openid},
        occurred_at=world.clock(),
        received_at=world.clock(),
        source=source,
        properties={"template": WECHAT_TEMPLATE},
    )
    contact = world.contacts.load(CONTACT)
    assert contact is not None
    GiveRights(world.addresses).react(contact, event, ())
    return event


def send(world: World, enrolment: Enrolment, message: str = "news", state: str = "News") -> SendResult:
    return world.send_message.send(send_request(enrolment, message, state=state))


def left(world: World, name: str = f"template:{WECHAT_TEMPLATE}") -> int:
    return world.addresses.records[DIGEST].rights[name].left


def test_without_an_agreement_nothing_is_sent_and_the_reason_says_so(
    world: World, enrolment: Enrolment, weixin: FakeProvider
) -> None:
    result = send(world, enrolment)
    assert (result.outcome, result.reason, weixin.calls.total()) == ("skipped", "no_credit", 0)


def test_each_agreement_is_worth_one_message(world: World, enrolment: Enrolment, weixin: FakeProvider) -> None:
    for number in range(2):
        act(world, "wechat_subscription_accepted", f"e-{number}")
    outcomes = [send(world, enrolment, state=f"News {number}").outcome for number in range(4)]
    assert outcomes == ["sent", "sent", "skipped", "skipped"]
    assert (weixin.calls.total(), left(world)) == (2, 0)


def test_the_same_event_twice_is_one_agreement(world: World) -> None:
    for _ in range(3):
        act(world, "wechat_subscription_accepted")
    assert left(world) == 1


@pytest.mark.parametrize(
    ("source", "counts"),
    [("waypost.wechat", True), (SERVER_KEY_SOURCE, True), (WRITE_KEY_SOURCE, False), (UNPROVEN_SOURCE, False)],
)
def test_a_browser_cannot_agree_for_anybody(world: World, enrolment: Enrolment, source: str, counts: bool) -> None:
    act(world, "wechat_subscription_accepted", source=source)
    assert (send(world, enrolment).outcome == "sent") is counts


def test_a_conversation_takes_five_messages_for_two_days(world: World, enrolment: Enrolment) -> None:
    assert send(world, enrolment, "answer").reason == "window_closed"
    act(world, "wechat_message_received")
    results = [send(world, enrolment, "answer", f"Answer {number}") for number in range(6)]
    assert [each.outcome for each in results] == ["sent"] * 5 + ["skipped"]
    assert results[-1].reason == "allowance_used"
    act(world, "wechat_message_received", "e-0")
    assert send(world, enrolment, "answer", "Again").reason == "allowance_used"  # not a newer message
    world.clock.advance(seconds=1)
    act(world, "wechat_message_received", "e-2")
    assert send(world, enrolment, "answer", "Newer").outcome == "sent"
    world.clock.advance(hours=49)
    assert send(world, enrolment, "answer", "Late").reason == "window_closed"


@pytest.mark.parametrize("kind", ["wechat_followed", "wechat_scanned", "wechat_menu_clicked"])
def test_an_act_takes_three_messages_within_a_minute(world: World, enrolment: Enrolment, kind: str) -> None:
    act(world, kind)
    assert [send(world, enrolment, "answer", f"{number}").outcome for number in range(4)] == ["sent"] * 3 + ["skipped"]
    world.clock.advance(seconds=1)
    act(world, kind, "e-2")
    world.clock.advance(seconds=61)
    assert send(world, enrolment, "answer", "Late").reason == "window_closed"


def test_an_act_adds_nothing_to_a_conversation_that_is_open(world: World, enrolment: Enrolment) -> None:
    act(world, "wechat_message_received")
    for number in range(5):
        send(world, enrolment, "answer", f"{number}")
    act(world, "wechat_menu_clicked", "e-2")
    assert send(world, enrolment, "answer", "Sixth").reason == "allowance_used"


def test_a_template_message_needs_no_agreement(world: World, enrolment: Enrolment) -> None:
    assert send(world, enrolment, "shipped").outcome == "sent"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (RefusedMessage("47003 thing1"), 2),
        (AddressGone("43004", "unfollowed"), 2),
        (RefusedMessage("43101", ends_right=True), 0),
        (Unclear("no answer"), 1),
    ],
)
def test_what_was_definitely_not_sent_is_not_counted(
    world: World, enrolment: Enrolment, weixin: FakeProvider, answer: Any, expected: int
) -> None:
    for number in range(2):
        act(world, "wechat_subscription_accepted", f"e-{number}")
    weixin.answers = [answer]
    send(world, enrolment)
    assert left(world) == expected


def test_a_message_that_waits_keeps_what_it_was_counted_against(
    world: World, enrolment: Enrolment, weixin: FakeProvider
) -> None:
    act(world, "wechat_subscription_accepted")
    weixin.answers = [RefusedForNow("-1")] * 3
    assert send(world, enrolment).outcome == "deferred"
    assert send(world, enrolment, state="Another").reason == "no_credit"
    world.fire_next()
    assert world.ledger[send_request(enrolment, "news", state="News").message_key].state == "accepted"
    assert left(world) == 0


@pytest.mark.parametrize("mode", CRASH_MODES)
@pytest.mark.parametrize("at", range(4))
def test_a_crash_anywhere_counts_a_message_once(
    world: World, enrolment: Enrolment, weixin: FakeProvider, at: int, mode: CrashMode
) -> None:
    for number in range(2):
        act(world, "wechat_subscription_accepted", f"e-{number}")
    world.effects.crash_at, world.effects.mode = len(world.effects.log) + at, mode
    redelivered(lambda: send(world, enrolment))
    assert weixin.calls.total() <= 1 + weixin.definitely_refused.total()
    assert left(world) == 1


def test_each_reason_says_what_would_help() -> None:
    assert {each.name for each in NoCredit.reasons} == {"no_credit", "window_closed", "allowance_used"}
    assert all(each.what_would_help for each in NoCredit.reasons)


def test_an_event_without_an_openid_gives_nothing(world: World) -> None:
    event = act(world, "wechat_followed")
    assert rights_in(event)
    assert (
        rights_in(Event(**{**{name: getattr(event, name) for name in event.__slots__}, "contact": {"user_id": "u"}}))
        == []
    )


# --- through the real provider to the fake -------------------------------------------------------------------------------


@pytest.fixture
def fake(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Weixin]:
    [fake] = FAKES
    with Providers(clock=world.clock) as providers:
        store = FakeTokenStore()
        ports = ProviderPorts(
            aws=pytest.fail,
            secret=lambda _: FakeSecret(Weixin.credentials),
            clock=world.clock,
            poster=lambda: PinnedPoster(loopback=True),
            tokens=lambda: store,
            inbox=pytest.fail,
        )
        real = connect({"accounts": WECHAT_ACCOUNT, "endpoint": providers.url}, ports)
        monkeypatch.setitem(world.providers, WECHAT, real)
        yield fake


@pytest.mark.flow
def test_hundreds_of_contacts_never_meet_a_refusal_of_what_they_did_not_agree_to(world: World, fake: Weixin) -> None:
    random, template = Random(7), WECHAT_TEMPLATE  # noqa: S311 -- the same people each time
    sent: Counter[str] = Counter()
    for number in range(300):
        openid = f"oContact{number:04d}"
        contact_id = f"c-{number}"
        world.have_contact(contact_id=contact_id, identities={"openid": [f"{WECHAT_ACCOUNT}:{openid}"]})
        enrolment = world.have_enrolment(enrolment_id=f"n-{number}", contact_id=contact_id)
        for step in range(4):
            if random.random() < 0.5:
                fake.agree(openid, template)
                act(world, "wechat_subscription_accepted", f"e-{number}-{step}", openid=f"{WECHAT_ACCOUNT}:{openid}")
            if random.random() < 0.3:
                fake.write(openid)
                act(world, "wechat_message_received", f"m-{number}-{step}", openid=f"{WECHAT_ACCOUNT}:{openid}")
            for message in ("news", "answer", "answer"):
                result = send(world, enrolment, message, f"{message} {step} {random.random()}")
                assert result.outcome in {"sent", "skipped"}, result
                sent[result.outcome] += 1
        world.clock.advance(minutes=random.choice([0, 1, 2]))
    assert sent["sent"] > 500
    assert sent["skipped"] > 500


def test_a_hundred_senders_at_once_send_no_more_than_was_agreed_to(world: World, weixin: FakeProvider) -> None:
    for number in range(7):
        act(world, "wechat_subscription_accepted", f"e-{number}")
    enrolment = world.have_enrolment()
    with ThreadPoolExecutor(100) as pool:
        results = list(pool.map(lambda number: send(world, enrolment, state=f"News {number}"), range(100)))
    assert Counter(each.outcome for each in results) == {"sent": 7, "skipped": 93}
    assert (weixin.calls.total(), left(world)) == (7, 0)
