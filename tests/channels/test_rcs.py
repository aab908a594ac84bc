"""RCS: the card that a phone gets in place of the text message, which AWS sends where the card does not arrive."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.app import main, synthesize
from local.providers.server import Providers
from tests.channels.test_sms_replies import by_sns, payload
from tests.fakes.clock import FakeClock
from tests.fakes.world import World
from tests.infra.template import NO_BUNDLING, whole
from waypost.authoring.messages import MessageFolder
from waypost.aws.clients import provider_client
from waypost.aws.provider_calls import SendingService
from waypost.channels.answers import Accepted, RefusedMessage
from waypost.channels.contract import Outgoing
from waypost.channels.registry import plugin
from waypost.channels.sms.channel import RenderedSms
from waypost.channels.sms.notices import SOURCES
from waypost.channels.sms.provider_end_user_messaging import EndUserMessaging, is_pool
from waypost.channels.sms.rich_card import Button, RichCard
from waypost.contacts.channels import Address, Channel
from waypost.content.forbidden_words import ForbiddenWords
from waypost.content.render import Filler
from waypost.content.templates import prepared
from waypost.tracking.record_delivery import notices_in

PHONE, AGENT, SET = "+16505550101", "pool-1", "rcs-events"
TAGS = {"message_key": "m-1", "contact_id": "c-1"}
CARD = RichCard(
    "Tea is here",
    "Spring",
    "https://shop.example/tea.jpg",
    (Button("Shop", url="https://shop.example/tea"), Button("Stop", reply="STOP")),
    3_600,
)


def outgoing(card: RichCard | None) -> Outgoing[RenderedSms]:
    return Outgoing(
        to=Address(Channel("sms"), "phone", PHONE),
        content=RenderedSms("Tea is here. Reply STOP to opt out", card=card),
        message_key="m-1",
        transactional=False,
        unsubscribe_url="",
        tags=TAGS,
    )


@pytest.fixture
def providers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Providers]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with Providers(clock=FakeClock("2027-03-01T02:05:00.000Z")) as providers:
        for name, url in providers.endpoints.items():
            monkeypatch.setenv(name, url)
        yield providers


def provider(agent: str = AGENT, origination: str = "") -> EndUserMessaging:
    service = SendingService(provider_client.__wrapped__("pinpoint-sms-voice-v2"))
    return EndUserMessaging(service, origination, agent, SET if agent else "")


# --- what is sent ------------------------------------------------------------------------------------------------------


@pytest.mark.flow
def test_a_card_goes_out_with_the_text_message_that_takes_its_place_in_one_call(providers: Providers) -> None:
    answer = provider(origination="WAYPOST").send(outgoing(CARD))
    [call] = providers.calls
    assert answer == Accepted(call.message_id)
    assert (call.message_key, call.content.subject, call.content.text) == ("m-1", "Spring", "Tea is here")
    assert call.request["FallbackConfiguration"] == {
        "Channel": "SMS",
        "MessageBody": "Tea is here. Reply STOP to opt out",
        "OriginationIdentity": "WAYPOST",
    }
    assert (call.request["OriginationIdentity"], call.request["ConfigurationSetName"]) == (AGENT, SET)
    assert call.request["TimeToLive"] == 3_600
    [opens, answers] = call.request["RcsMessageContent"]["Content"]["RichCard"]["CardContent"]["Suggestions"]
    assert opens["OpenUrl"]["Url"] == "https://shop.example/tea"
    assert answers["Reply"] == {"Text": "Stop", "PostbackData": "STOP"}


@pytest.mark.flow
def test_without_a_title_or_picture_it_is_a_text_with_buttons(providers: Providers) -> None:
    assert isinstance(provider().send(outgoing(replace(CARD, title="", picture=""))), Accepted)
    [call] = providers.calls
    content = call.request["RcsMessageContent"]
    assert content["Content"] == {"TextMessage": {"Body": "Tea is here"}}
    assert len(content["Suggestions"]) == 2
    assert "OriginationIdentity" not in call.request["FallbackConfiguration"]


@pytest.mark.flow
@pytest.mark.parametrize(("agent", "card"), [("", CARD), (AGENT, None)])
def test_without_an_agent_or_a_card_the_text_message_goes_out(
    providers: Providers, agent: str, card: RichCard | None
) -> None:
    provider(agent).send(outgoing(card))
    [call] = providers.calls
    assert call.request["MessageBody"] == "Tea is here. Reply STOP to opt out"


@pytest.mark.flow
def test_what_aws_would_not_take_is_refused_by_its_fake_too(providers: Providers) -> None:
    too_long = replace(CARD, buttons=(Button("S" * 26, reply="S"),))
    assert isinstance(provider().send(outgoing(too_long)), RefusedMessage)
    assert [call.outcome for call in providers.calls] == ["reject"]


# --- what becomes of it ------------------------------------------------------------------------------------------------


@pytest.mark.flow
@pytest.mark.parametrize(
    ("word", "event"),
    [
        ("RCS_DELIVERED", "message_delivered"),
        ("RCS_READ", "message_opened"),
        ("RCS_FALLEN_BACK_TO_SMS", "message_accepted"),
        ("RCS_PROTECT_BLOCKED", "message_failed"),
        ("RCS_FAILED", ""),
        ("RCS_TTL_EXPIRED", ""),
        ("RCS_SENT", ""),
    ],
)
def test_a_card_that_does_not_arrive_is_no_failure_because_the_text_message_follows(
    providers: Providers, word: str, event: str
) -> None:
    provider().send(outgoing(CARD))
    [call] = providers.calls
    published = providers.notice_in_words(call, word, at=providers.clock())
    world = World()
    recorded = world.record_delivery.record({"q-1": by_sns(published.message)})
    assert (recorded.failed, [each.type for each in world.queue.sent]) == ({}, [event] if event else [])
    assert {each.properties["message_key"] for each in world.queue.sent} <= {"m-1"}
    assert {each.properties["provider_word"] for each in world.queue.sent} <= {word}


def test_text_messages_and_those_of_others_are_not_read_from_the_topic() -> None:
    detail = {"eventVersion": "1.0", "messageId": "1", "isFinal": True}
    for more in (
        {"eventType": "TEXT_DELIVERED", "context": TAGS},
        {"eventType": "RCS_DELIVERED", "context": {}},
        {"eventType": "RCS_DELIVERED"},
    ):
        assert notices_in(by_sns({**detail, **more})) == []


def test_a_tapped_button_is_a_reply_with_what_it_stands_for() -> None:
    world, address = World(), Address(Channel("sms"), "phone", PHONE)
    tapped = {**payload("No, thank you", sender=PHONE), "postbackData": "STOP"}
    assert world.record_delivery.record({"q-1": by_sns(tapped)}).failed == {}
    assert [event.type for event in world.queue.sent] == ["unsubscribed"]
    assert world.addresses.of([address])[address.digest].withdrawn


def test_a_word_that_nobody_knows_ends_in_the_dead_letters() -> None:
    detail = {"eventVersion": "1.0", "messageId": "1", "isFinal": True, "eventType": "RCS_TELEPORTED", "context": TAGS}
    assert list(World().record_delivery.record({"q-1": by_sns(detail)}).failed) == ["q-1"]
    assert SOURCES["aws.sms-voice"]({**detail, "eventType": "RCS_QUEUED"}) is None


# --- authored ----------------------------------------------------------------------------------------------------------

MANIFEST = """\
kind: marketing
topic: offers
channels: [sms]
rcs:
  within: 2h
  title: { en: Spring }
  picture: https://shop.example/tea.jpg
  buttons:
    - { label: { en: Shop }, url: https://shop.example/tea }
    - { label: { en: Stop }, reply: STOP }
"""


def authored(folder: Path, changed: Mapping[str, str] | None = None) -> tuple[dict[str, Any], str]:
    """The published variant, or what is wrong."""
    manifest = MANIFEST
    for old, new in (changed or {}).items():
        assert old in manifest
        manifest = manifest.replace(old, new)
    message = folder / "spring"
    message.mkdir()
    (message / "message.yaml").write_text(manifest, encoding="utf-8")
    text = "Hi {{ contact.name | default('friend') }}, tea is here. Reply STOP to opt out"
    (message / "sms.en.txt").write_text(text, encoding="utf-8")
    published, problems = MessageFolder(message, folder / "look", "en", lambda path: path.name, ForbiddenWords()).read()
    found = "; ".join(f"{each.file} {each.field}: {each.reason}" for each in problems)
    return (published["variants"]["sms"]["en"] if published else {}), found


def test_a_card_says_what_the_text_message_says_unless_it_has_a_text_of_its_own(tmp_path: Path) -> None:
    templates, problems = authored(tmp_path)
    assert problems == ""
    variables: dict[str, Any] = {name: {} for name in ("event", "journey", "message", "links")}
    filler = Filler(prepared(variables | {"contact": {"name": "Lin"}}), "spring")
    content = plugin(Channel("sms")).fill(json.loads(json.dumps(templates)), filler)
    assert content.card == RichCard(
        "Hi Lin, tea is here. Reply STOP to opt out",
        "Spring",
        "https://shop.example/tea.jpg",
        (Button("Shop", url="https://shop.example/tea"), Button("Stop", reply="STOP")),
        7_200,
    )


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"within: 2h": "within: 3d"}, "should be two days at most"),
        ({"within: 2h": "within: soon"}, "expected a duration such as"),
        ({"title: { en: Spring }": "title: { zh-CN: 春季 }"}, "rcs.title.en: is missing: there is sms.en.txt"),
        ({"label: { en: Shop }": "label: { zh-CN: 去看看 }"}, "rcs.buttons[0].label.en: is missing"),
        ({", reply: STOP": ""}, "rcs.buttons[1]: should have a url that it opens, or a reply that it sends"),
        (
            {"url: https://shop.example/tea ": "url: http://shop.example "},
            "rcs.buttons[0].url: should be an https address",
        ),
        ({"en: Shop": f"en: {'S' * 26}"}, "rcs.buttons"),
        ({"picture: https": "picture: ftp"}, "rcs.picture"),
        ({"en: Spring": "en: '{{ contact.nam }}'"}, "contact.nam"),
    ],
)
def test_what_rcs_would_refuse_is_refused_before_anything_is_deployed(
    tmp_path: Path, changed: Mapping[str, str], expected: str
) -> None:
    assert expected in authored(tmp_path, changed)[1]


def test_a_part_that_is_too_long_once_it_is_filled_in_is_named() -> None:
    over_limit = plugin(Channel("sms")).over_limit
    assert over_limit(RenderedSms("Hi", card=CARD)) == ""
    assert over_limit(RenderedSms("Hi", card=replace(CARD, text="x" * 2_001))) == (
        "rcs: the text has 2,001 characters; at most 2,000 are taken"
    )
    assert over_limit(RenderedSms("Hi", card=replace(CARD, title="", picture="", text="x" * 2_001))) == ""


# --- in the account ----------------------------------------------------------------------------------------------------


def test_a_pool_is_known_by_its_id_or_arn() -> None:
    assert [is_pool(each) for each in ("pool-1", "arn:aws:sms-voice:eu-west-1:1:pool/pool-1", "rcs-1", "WAYPOST", "")] == [
        True, True, False, False, False,
    ]  # fmt: skip


def test_what_becomes_of_cards_comes_by_a_topic_of_the_stage(tmp_path: Path) -> None:
    agent = "arn:aws:sms-voice:eu-west-1:123456789012:rcs-agent/rcs-1"
    choices = {"sms_rcs_agent": agent, "sms_configuration_set": SET, "sms_origination": "WAYPOST"}
    assembly = synthesize(context={**NO_BUNDLING, **choices}, output=tmp_path / "cdk.out")
    [stack] = assembly.stacks
    template = whole(Path(assembly.directory), stack.id)
    [topic] = template.all("SNS::Topic")
    assert template.content["Outputs"]["SmsEventsTopic"]["Value"] == {"Ref": topic}
    assert template.one("SNS::Subscription", Protocol="sqs")["TopicArn"] == {"Ref": topic}
    variables = template.functions()["send_message"]["Environment"]["Variables"]
    assert (variables["WAYPOST_SMS_RCS_AGENT"], variables["WAYPOST_SMS_CONFIGURATION_SET"]) == (agent, SET)


@pytest.mark.parametrize(
    ("choices", "reason"),
    [
        (["sms_rcs_agent=pool-1"], "context sms_configuration_set: is missing"),
        (["sms_rcs_agent=rcs-1", f"sms_configuration_set={SET}"], "context sms_origination: must be the number"),
    ],
)
def test_an_agent_without_reports_or_without_a_way_back_is_refused(
    choices: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([part for choice in choices for part in ("-c", choice)]) == 1
    assert reason in capsys.readouterr().err
