"""What every channel promises, asked of each channel folder: its real provider over HTTP to its own fake."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from local.providers.record import Fault, FaultKind
from local.providers.server import Providers, fakes
from tests.fakes.clock import FakeClock
from tests.fakes.secrets import FakeSecret
from tests.fakes.token_store import FakeTokenStore
from waypost import channels
from waypost.authoring.channels import authored_channels
from waypost.aws.clients import provider_client
from waypost.aws.inbox import DynamoInboxWriter
from waypost.aws.provider_calls import SendingService
from waypost.channels.answers import Accepted, AddressGone, Answer, RefusedForNow, RefusedMessage, RefusedUs, Unclear
from waypost.channels.contract import Outgoing, Provider, ProviderPorts
from waypost.channels.fake_contract import FATES, REFUSAL_KINDS, FakeProvider, Fate, Published, RefusalKind
from waypost.channels.registry import connect, notice_readers, plugin, provider_names
from waypost.clock import parse_instant
from waypost.contacts.channels import CHANNELS, Address, Channel, declared_channels
from waypost.contacts.profile import Contact, with_event
from waypost.content.render import Filler
from waypost.content.templates import prepared
from waypost.events.envelope import Event
from waypost.events.message_events import MESSAGE_EVENTS
from waypost.http.poster import PinnedPoster
from waypost.pages.texts import LANGUAGES
from waypost.settings import channel_settings
from waypost.tracking.record_delivery import delivery_events, notices_in

pytestmark = pytest.mark.flow  # for its sockets

FOLDER = Path(channels.__file__).parent
EVENT_OF: dict[Fate, str] = {
    "accepted": "message_accepted",
    "delivered": "message_delivered",
    "bounced": "message_bounced",
    "bounced_for_now": "message_bounced",
    "complained": "message_complained",
    "failed": "message_failed",
}
OF_READERS = {"opened", "clicked", "dismissed"}
"""What comes from our own links, pixels and feed, for every provider."""
TAGS = {"message_key": "m-1", "contact_id": "c-1", "journey": "nurture"}
NOW = datetime(2027, 3, 1, 2, 5, tzinfo=UTC)

EVERY_PROVIDER = pytest.mark.parametrize(
    ("channel", "fake"),
    [pytest.param(channel, fake, id=f"{channel}-{fake.provider}") for channel in CHANNELS for fake in fakes()[channel]],
)
EVERY_CHANNEL = pytest.mark.parametrize("channel", CHANNELS)


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW.isoformat())


@pytest.fixture
def providers(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Providers]:
    with Providers(clock=clock) as providers:
        for name, url in providers.endpoints.items():
            monkeypatch.setenv(name, url)
        yield providers


def sample(channel: Channel) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((FOLDER / channel / "samples" / "message.json").read_text(encoding="utf-8"))
    return content


def connected(channel: Channel, fake: FakeProvider) -> Provider[Any]:
    """The provider as send_message gets it, with clients of its own."""
    ports = ProviderPorts(
        aws=lambda service: SendingService(provider_client.__wrapped__(service)),
        secret=lambda _: FakeSecret(fake.credentials),
        poster=lambda: PinnedPoster(loopback=True),
        clock=FakeClock(NOW.isoformat()),
        tokens=FakeTokenStore,
        inbox=lambda address: DynamoInboxWriter(
            SendingService(provider_client.__wrapped__("dynamodb", address)), "waypost-local-contacts"
        ),
    )
    settings = {**sample(channel)["settings"], **channel_settings(channel), "provider": fake.provider}
    return connect(channel, settings=settings, ports=ports)


def outgoing(channel: Channel, *, transactional: bool = False) -> Outgoing[Any]:
    given = sample(channel)
    variables: dict[str, Any] = {name: {} for name in ("event", "journey", "message", "links")} | {
        "contact": {"name": "Lin"}
    }
    source = declared_channels()[channel].address
    return Outgoing(
        to=Address(channel, source.name, given["address"], given.get("qualifier", "")),
        content=plugin(channel).fill(given["templates"], Filler(prepared(variables), "sample")),
        message_key="m-1",
        transactional=transactional,
        unsubscribe_url="https://links.example.com/u/1",
        tags=TAGS,
    )


# --- sending -----------------------------------------------------------------------------------------------------------


@EVERY_PROVIDER
@pytest.mark.parametrize("transactional", [True, False])
def test_an_accepted_message_arrives_once_with_its_key(
    channel: Channel, fake: FakeProvider, providers: Providers, transactional: bool
) -> None:
    answer = connected(channel, fake).send(outgoing(channel, transactional=transactional))
    [call] = providers.calls
    assert isinstance(answer, Accepted)
    assert answer.provider_message_id == call.message_id
    assert (call.channel, call.outcome, call.message_key) == (channel, "accepted", "m-1")
    assert call.tags.items() >= {name: tag for name, tag in TAGS.items() if name in (fake.carries or TAGS)}.items()
    assert call.recipient == sample(channel)["address"]
    assert "Lin" in call.content.text


EXPECTED: dict[RefusalKind, type[Answer]] = {
    "throttle": RefusedForNow,
    "reject": RefusedMessage,
    "refuse_us": RefusedUs,
    "address_gone": AddressGone,
    "error": Unclear,
}
REFUSALS = [
    pytest.param(channel, fake, kind, id=f"{channel}-{fake.provider}-{kind}")
    for channel in CHANNELS
    for fake in fakes()[channel]
    for kind in REFUSAL_KINDS
    if kind in fake.refusals
]


@pytest.mark.parametrize(("channel", "fake", "kind"), REFUSALS)
def test_a_refusal_is_what_the_provider_means_by_it_and_is_called_once(
    channel: Channel, fake: FakeProvider, kind: RefusalKind, providers: Providers
) -> None:
    providers.fail(Fault(kind=kind))
    answer = connected(channel, fake).send(outgoing(channel))
    assert type(answer) is EXPECTED[kind]
    assert getattr(answer, "reason", "")
    assert (len(providers.calls), providers.accepted) == (1, [])
    if isinstance(answer, AddressGone):
        assert answer.suppression in declared_channels()[channel].suppressions


@EVERY_PROVIDER
def test_every_provider_can_throttle_refuse_a_message_refuse_us_and_fail(channel: Channel, fake: FakeProvider) -> None:
    del channel
    assert fake.refusals >= set(REFUSAL_KINDS) - {"address_gone"}
    for kind in set(REFUSAL_KINDS) - fake.refusals:
        with pytest.raises(ValueError, match=fake.provider.split("_")[0].upper()[:3]):
            fake.refusal(kind)


@EVERY_PROVIDER
def test_a_connection_that_breaks_before_an_answer_is_unclear(
    channel: Channel, fake: FakeProvider, providers: Providers
) -> None:
    kind: FaultKind = "drop"
    providers.fail(Fault(kind=kind))
    assert isinstance(connected(channel, fake).send(outgoing(channel)), Unclear)
    assert len(providers.calls) == 1


@EVERY_PROVIDER
def test_a_connection_that_was_never_opened_is_refused_for_now(
    channel: Channel, fake: FakeProvider, providers: Providers
) -> None:
    with providers.refusing_connections():
        assert isinstance(connected(channel, fake).send(outgoing(channel)), RefusedForNow)
    assert providers.calls == []


@EVERY_PROVIDER
def test_the_fake_refuses_what_the_provider_would(channel: Channel, fake: FakeProvider, providers: Providers) -> None:
    message = outgoing(channel)
    nowhere = Outgoing(
        to=Address(channel, message.to.kind, "nowhere", message.to.qualifier),
        content=message.content,
        message_key="m-1",
        transactional=True,
        unsubscribe_url="",
        tags=TAGS,
    )
    if fake.takes_any_address:
        assert isinstance(connected(channel, fake).send(nowhere), Accepted)
        return
    assert isinstance(connected(channel, fake).send(nowhere), RefusedMessage | AddressGone)
    assert {call.outcome for call in providers.calls} <= {
        "reject"
    }  # where an address is registered first, that is refused


# --- what becomes of it ------------------------------------------------------------------------------------------------


@EVERY_PROVIDER
@pytest.mark.parametrize("fate", FATES)
def test_what_a_provider_reports_becomes_the_event_of_every_channel(
    channel: Channel, fake: FakeProvider, fate: Fate, providers: Providers, clock: FakeClock
) -> None:
    connected(channel, fake).send(outgoing(channel))
    [call] = providers.calls
    if fate not in fake.fates:
        is_reported = EVENT_OF[fate].removeprefix("message_") in declared_channels()[channel].reports
        assert not is_reported or any(fate in other.fates for other in fakes()[channel])
        return
    clock.advance(minutes=1)
    (event,) = delivery_events(as_delivered(providers.notice(call, fate, at=clock())), clock=clock)
    assert (event.type, event.contact, event.is_our_own) == (EVENT_OF[fate], {"contact_id": "c-1"}, True)
    assert call.at <= event.occurred_at <= clock()
    assert event.properties["channel"] == channel
    assert event.properties["provider_message_id"] == call.message_id
    assert event.properties["message_key"] == "m-1"
    assert event.properties["provider_word"]
    contact = with_event(Contact(contact_id="c-1", created_at=NOW), event)
    assert {key.partition("/")[0] for key in contact.suppressions} == (
        {channel} if fate in {"bounced", "complained"} else set()
    )
    if event.type == "message_bounced":
        assert event.properties["bounce_type"] == ("permanent" if fate == "bounced" else "transient")


WORDS = [
    pytest.param(channel, fake, word, id=f"{channel}-{fake.provider}-{word}")
    for channel in CHANNELS
    for fake in fakes()[channel]
    for word in sorted(fake.words)
]


@pytest.mark.parametrize(("channel", "fake", "word"), WORDS)
def test_every_word_that_a_provider_has_is_played_and_read(
    channel: Channel, fake: FakeProvider, word: str, providers: Providers, clock: FakeClock
) -> None:
    connected(channel, fake).send(outgoing(channel))
    [call] = providers.calls
    events = delivery_events(as_delivered(providers.notice_in_words(call, word, at=clock())), clock=clock)
    assert len(events) <= 1
    assert {event.type for event in events} <= {*EVENT_OF.values(), "message_opened"}
    assert {event.properties["message_key"] for event in events} <= {"m-1"}


@EVERY_PROVIDER
def test_a_provider_reports_nothing_that_is_no_fate_of_its_channel_and_no_word_of_its_own(
    channel: Channel, fake: FakeProvider, providers: Providers, clock: FakeClock
) -> None:
    connected(channel, fake).send(outgoing(channel))
    [call] = providers.calls
    assert set(fake.fates.values()) <= fake.words
    for fate in set(FATES) - set(fake.fates):
        with pytest.raises(ValueError, match=fate):
            providers.notice(call, fate, at=clock())
    with pytest.raises(ValueError, match="Teleported"):
        providers.notice_in_words(call, "Teleported", at=clock())


def as_delivered(entry: Any) -> Mapping[str, Any]:
    """What the queue gets for a PutEvents entry or for what is published to a topic, as the notice of the message."""
    if isinstance(entry, Published):
        notice, *_ = notices_in(json.dumps({"Type": "Notification", "Message": json.dumps(entry.message)}))
        return notice
    return {"id": "notice-1", "source": entry["Source"], "detail": json.loads(entry["Detail"])}


@EVERY_CHANNEL
def test_every_channel_reports_arrivals_and_lost_addresses_and_can_send_none_it_does_not_declare(
    channel: Channel,
) -> None:
    declared = declared_channels()[channel].reports
    reported = {EVENT_OF[fate].removeprefix("message_") for fake in fakes()[channel] for fate in fake.fates}
    assert reported <= declared
    assert declared - reported <= OF_READERS
    assert {f"message_{report}" for report in declared} <= set(MESSAGE_EVENTS)


NOTICES = [
    pytest.param(channel, path, id=f"{channel}-{path.stem}")
    for channel in CHANNELS
    for path in sorted((FOLDER / channel / "samples" / "notices").glob("*.json"))
]


@pytest.mark.parametrize(("channel", "path"), NOTICES)
def test_a_sample_notice_is_read_as_the_sample_says(channel: Channel, path: Path, clock: FakeClock) -> None:
    sample = json.loads(path.read_text(encoding="utf-8"))
    events = delivery_events({"id": "notice-1", **sample["notice"]}, clock=clock)
    assert [essence(event) for event in events] == ([] if sample["event"] is None else [sample["event"]])
    for event in events:
        assert event.properties["channel"] == channel
        assert event.properties.get("suppression", "") in {"", *declared_channels()[channel].suppressions}
        assert event.occurred_at == (parse_instant(at) if (at := sample["event"]["occurred_at"]) else clock())


def essence(event: Event) -> dict[str, Any]:
    known = {"channel", "provider_word", "provider_message_id", "message_key", "journey", "address"}
    at = event.occurred_at
    return {
        "type": event.type,
        "provider_word": event.properties["provider_word"],
        "provider_message_id": event.properties["provider_message_id"],
        "occurred_at": None
        if at == event.received_at
        else at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "properties": {name: value for name, value in event.properties.items() if name not in known},
    }


# --- the folder --------------------------------------------------------------------------------------------------------


@EVERY_CHANNEL
def test_a_channel_folder_has_every_part(channel: Channel) -> None:
    for name in (
        "channel.json",
        "channel.py",
        "notices.py",
        "authored.py",
        "fake.py",
        "infra.py",
        "samples/message.json",
    ):
        assert (FOLDER / channel / name).is_file(), f"channels/{channel}/{name} is missing"
    assert provider_names(channel) == sorted(fake.provider for fake in fakes()[channel])
    is_read = channel in {name for name, _ in notice_readers().values()}
    is_reported = bool(declared_channels()[channel].reports - OF_READERS)
    assert is_reported == any(fake.fates for fake in fakes()[channel])
    assert is_reported <= is_read
    assert authored_channels()[channel].kind


@EVERY_CHANNEL
def test_a_channel_has_a_name_in_every_language_of_the_pages(channel: Channel) -> None:
    declared = declared_channels()[channel]
    for names in (declared.names, declared.messages):
        assert set(names) == set(LANGUAGES)
        assert all(names.values())


@EVERY_CHANNEL
def test_addresses_are_values_of_the_channel(channel: Channel) -> None:
    source = declared_channels()[channel].address
    text = sample(channel)["address"]
    nobody = Contact(contact_id="c-1", created_at=NOW)
    kept = {source.name: text} if source.kept_as == "attribute" else {source.name: [text]}
    contact = Contact(
        contact_id="c-1",
        created_at=NOW,
        attributes=kept if source.kept_as == "attribute" else {},
        identities=kept if source.kept_as == "identity" else {},
    )
    assert list(plugin(channel).addresses(nobody)) == []
    [address] = plugin(channel).addresses(contact)
    assert (address.channel, address.kind, address.text) == (channel, source.name, text)
    assert text not in address.digest
    assert address.digest != Address(Channel("another"), source.name, text).digest


@EVERY_CHANNEL
def test_a_message_beyond_the_limit_of_the_channel_is_named(channel: Channel) -> None:
    given = sample(channel)

    def over_limit(name: str) -> str:
        variables: dict[str, Any] = {each: {} for each in ("event", "journey", "message", "links")}
        filler = Filler(prepared(variables | {"contact": {"name": name}}), "sample")
        return plugin(channel).over_limit(plugin(channel).fill(given["templates"], filler))

    assert over_limit("Lin") == ""
    assert "at most" in over_limit("x" * 10_000_001)
