"""WhatsApp: what Meta gets, what it says, and what an author is warned of before Meta refuses it."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from infra.app import main, synthesize
from tests.channels.test_sms_replies import by_sns
from tests.fakes.clock import FakeClock
from tests.fakes.world import World
from tests.infra.template import NO_BUNDLING, whole
from waypost.authoring.messages import MessageFolder
from waypost.channels.answers import RefusedUs
from waypost.channels.contract import CREDIT, Outgoing
from waypost.channels.fake_contract import HttpRequest, Published
from waypost.channels.whatsapp.channel import CHANNEL, MOST_IN_WINDOW, WINDOW, RenderedWhatsApp
from waypost.channels.whatsapp.fake import NUMBER, SocialMessaging
from waypost.channels.whatsapp.provider_social_messaging import (
    MOST_CALLBACK_DATA,
    callback_data,
    meta_message,
)
from waypost.channels.whatsapp.provider_social_messaging import (
    SocialMessaging as Provider,
)
from waypost.contacts.channels import Address, Channel
from waypost.contacts.consent import ALL_TOPICS
from waypost.content.forbidden_words import ForbiddenWords
from waypost.content.message import PublishedMessage
from waypost.events.envelope import Event
from waypost.tracking.record_delivery import notices_in

PHONE = "+16505550101"
TAGS = {"message_key": "m-1", "contact_id": "c-1"}
TEMPLATE = RenderedWhatsApp(
    "template",
    "Hi ${name}, ${code} takes 20% off.",
    name="spring_sale",
    language="en_US",
    header="For ${name}",
    footer="Reply STOP to stop",
    button="Shop",
    url="https://shop.example/s?c=${code}",
    values={"code": "SPRING", "name": "Lin"},
)


def outgoing(content: RenderedWhatsApp) -> Outgoing[RenderedWhatsApp]:
    return Outgoing(
        to=Address(Channel("whatsapp"), "phone", PHONE),
        content=content,
        message_key="m-1",
        transactional=False,
        unsubscribe_url="",
        tags=TAGS,
    )


# --- what Meta gets ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("named", "extra"), [(False, set()), (True, {"parameter_name"})])
def test_each_part_of_a_template_gets_its_own_values_in_the_declared_order(named: bool, extra: set[str]) -> None:
    content = RenderedWhatsApp(**{**as_dict(TEMPLATE), "named": named})
    message = meta_message(outgoing(content))
    assert (message["messaging_product"], message["to"], message["type"]) == ("whatsapp", PHONE, "template")
    assert (message["template"]["name"], message["template"]["language"]) == ("spring_sale", {"code": "en_US"})
    header, body, button = message["template"]["components"]
    assert [each["text"] for each in header["parameters"]] == ["Lin"]
    assert [each["text"] for each in body["parameters"]] == ["SPRING", "Lin"]
    assert all(each.keys() == {"type", "text"} | extra for each in [*header["parameters"], *body["parameters"]])
    assert (button["sub_type"], button["index"], button["parameters"]) == (
        "url",
        "0",
        [{"type": "text", "text": "SPRING"}],
    )


def test_a_text_shows_its_link_and_carries_the_key() -> None:
    message = meta_message(outgoing(RenderedWhatsApp("text", "Track it: https://shop.example/t/1")))
    assert message["text"] == {"body": "Track it: https://shop.example/t/1", "preview_url": True}
    assert dict(parse_qsl(message["biz_opaque_callback_data"])) == TAGS


def test_what_identifies_a_message_comes_back_however_long_the_rest_is() -> None:
    tags = {**TAGS, "journey": "j" * 300, "address": "a" * 300, "stream": "whatsapp.marketing"}
    kept = callback_data(tags)
    assert len(kept) <= MOST_CALLBACK_DATA
    assert dict(parse_qsl(kept)).items() >= {**TAGS, "stream": "whatsapp.marketing"}.items()


def test_without_a_number_the_channel_waits_for_an_operator() -> None:
    class NoService:
        def call(self, operation: Any) -> Mapping[str, Any]:
            raise AssertionError("nothing is called")

    assert Provider(NoService(), "", "v20.0").send(outgoing(TEMPLATE)) == RefusedUs("no_number")


def test_the_words_of_a_message_are_those_that_are_read() -> None:
    assert CHANNEL.words(TEMPLATE).splitlines() == [
        "For Lin", "Hi Lin, SPRING takes 20% off.", "Reply STOP to stop", "Shop", "https://shop.example/s?c=SPRING",
    ]  # fmt: skip


# --- the conversation --------------------------------------------------------------------------------------------------


def published(kind: str) -> PublishedMessage:
    whatsapp = Channel("whatsapp")
    variants = {whatsapp: {"en": {"kind": kind, "body": "Hello"}}}
    return PublishedMessage("shipped", "transactional", "orders", (whatsapp,), variants)


def test_a_text_needs_an_open_conversation_and_a_template_none() -> None:
    [name] = CHANNEL.rights_for(published("text"))
    assert not name.startswith(CREDIT)
    assert CHANNEL.rights_for(published("template")) == ()
    clock = FakeClock("2027-03-01T02:05:00.000Z")
    wrote = Event(
        id="1",
        type="whatsapp_reply",
        contact={"phone": PHONE},
        occurred_at=clock(),
        received_at=clock(),
        source="waypost",
    )
    [right] = CHANNEL.rights_in(wrote)
    assert (right.name, right.messages, right.within, right.address.text) == (name, MOST_IN_WINDOW, WINDOW, PHONE)


# --- what it says ------------------------------------------------------------------------------------------------------


def performed(fake: SocialMessaging, action: str, **values: str) -> str:
    made = fake.perform(action, {**fake.actions[action].values, **values})
    assert isinstance(made, Published)
    return by_sns(made.message)


@pytest.mark.parametrize("text", ["STOP", "Stop promotions", "退订"])
def test_who_answers_with_a_word_for_it_gets_no_more_marketing(text: str) -> None:
    world, address = World(), Address(Channel("whatsapp"), "phone", PHONE)
    recorded = world.record_delivery.record({"q-1": performed(SocialMessaging(), "write", text=text)})
    assert (recorded.failed, recorded.queued) == ({}, 1)
    assert {*world.addresses.of([address])[address.digest].withdrawn} == {ALL_TOPICS}


def test_marketing_that_is_stopped_in_whatsapp_itself_is_withdrawn_here() -> None:
    world, address = World(), Address(Channel("whatsapp"), "phone", PHONE)
    world.record_delivery.record({"q-1": performed(SocialMessaging(), "stop")})
    assert {*world.addresses.of([address])[address.digest].withdrawn} == {ALL_TOPICS}


def test_what_somebody_writes_is_an_event_of_the_contact_with_that_number() -> None:
    world = World()
    world.record_delivery.record({"q-1": performed(SocialMessaging(), "write", text="Where is my order?")})
    [event] = world.queue.sent
    assert (event.type, event.contact) == ("whatsapp_reply", {"phone": PHONE})
    assert event.properties["text"] == "Where is my order?"


def entry(*changes: Mapping[str, Any]) -> str:
    return by_sns({"whatsAppWebhookEntry": json.dumps({"id": "1", "changes": list(changes)})})


def written(kind: str, content: Mapping[str, Any], number: int = 1) -> dict[str, Any]:
    return {"from": "16505550101", "id": f"wamid.{number}", "timestamp": "1803866700", "type": kind, kind: content}


@pytest.mark.parametrize(
    ("kind", "content", "text"),
    [
        ("text", {"body": "Hello"}, "Hello"),
        ("button", {"text": "Yes, please", "payload": "1"}, "Yes, please"),
        ("interactive", {"type": "button_reply", "button_reply": {"id": "1", "title": "Later"}}, "Later"),
        ("interactive", {"type": "list_reply", "list_reply": {"id": "1", "title": "Tea"}}, "Tea"),
        ("image", {"id": "1", "mime_type": "image/png", "caption": "This one"}, "This one"),
        ("audio", {"id": "1", "mime_type": "audio/ogg"}, ""),
    ],
)
def test_a_message_of_any_kind_is_read_by_its_words(kind: str, content: dict[str, Any], text: str) -> None:
    world = World()
    change = {"field": "messages", "value": {"messages": [written(kind, content)]}}
    assert world.record_delivery.record({"q-1": entry(change)}).failed == {}
    assert [event.properties["text"] for event in world.queue.sent] == [text]


def test_a_reaction_and_the_news_of_a_template_say_nothing() -> None:
    changes = (
        {"field": "messages", "value": {"messages": [written("reaction", {"emoji": "👍"})]}},
        {"field": "message_template_status_update", "value": {"event": "APPROVED"}},
    )
    recorded = World().record_delivery.record({"q-1": entry(*changes)})
    assert (recorded.failed, recorded.queued) == ({}, 0)


def test_one_bad_item_of_an_entry_loses_none_of_the_others() -> None:
    world = World()
    status = {"status": "teleported", "biz_opaque_callback_data": "message_key=m-1&contact_id=c-1", "id": "wamid.9"}
    value = {"messages": [written("text", {"body": "Hello"})], "statuses": [status]}
    recorded = world.record_delivery.record({"q-1": entry({"field": "messages", "value": value})})
    assert (list(recorded.failed), recorded.queued) == (["q-1"], 1)


def test_the_refusal_of_who_stopped_marketing_is_a_withdrawal_too() -> None:
    status = {
        "id": "wamid.1",
        "status": "failed",
        "timestamp": "1803866700",
        "recipient_id": "16505550101",
        "biz_opaque_callback_data": "message_key=m-1&contact_id=c-1",
        "errors": [{"code": 131050, "title": "stopped"}],
    }
    world, address = World(), Address(Channel("whatsapp"), "phone", PHONE)
    world.record_delivery.record({"q-1": entry({"field": "messages", "value": {"statuses": [status]}})})
    assert [event.type for event in world.queue.sent] == ["message_failed", "unsubscribed"]
    record = world.addresses.of([address])[address.digest]
    assert {*record.withdrawn} == {ALL_TOPICS}
    assert not record.closed


def test_a_repeated_entry_has_the_same_notices() -> None:
    change = {"field": "messages", "value": {"messages": [written("text", {"body": "Hello"})]}}
    first, again = (notices_in(entry(change))[0]["id"] for _ in range(2))
    other = notices_in(entry({**change, "value": {"messages": [written("text", {"body": "Hello"}, number=2)]}}))[0][
        "id"
    ]
    assert first == again != other


# --- the fake ----------------------------------------------------------------------------------------------------------


def sent(fake: SocialMessaging, content: RenderedWhatsApp) -> str:
    """What Meta says of the message by itself, in the fake's words."""
    body = {
        "originationPhoneNumberId": NUMBER,
        "metaApiVersion": "v20.0",
        "message": base64.b64encode(json.dumps(meta_message(outgoing(content))).encode()).decode(),
    }
    request = HttpRequest(method="POST", path="/v1/whatsapp/send", headers={}, body=json.dumps(body).encode())
    message = fake.read(request)
    fake.check(message)
    return fake.outcome(message)


def test_meta_delivers_approved_templates_and_texts_in_an_open_conversation() -> None:
    fake, clock = SocialMessaging(), FakeClock("2027-03-01T02:05:00.000Z")
    fake.clock = clock
    fake.learn(
        {"whatsapp": {"template": "spring_sale", "category": "marketing", "variables": {"code": "", "name": ""}}}
    )
    text = RenderedWhatsApp("text", "Hello")
    assert sent(fake, text) == "failed 131047"
    fake.perform("write", {"phone": PHONE, "text": "hi"})
    assert sent(fake, text) == ""
    clock.advance(hours=24)
    assert sent(fake, text) == "failed 131047"
    assert sent(fake, RenderedWhatsApp(**{**as_dict(TEMPLATE), "header": "", "url": "", "button": ""})) == ""
    assert sent(fake, RenderedWhatsApp("template", "Hi", name="nobody_knows", language="en")) == "failed 132001"
    assert sent(fake, RenderedWhatsApp("template", "Hi", name="spring_sale", language="en")) == "failed 132000"
    fake.perform("stop", {"phone": PHONE})
    assert (
        sent(fake, RenderedWhatsApp(**{**as_dict(TEMPLATE), "header": "", "url": "", "button": ""})) == "failed 131050"
    )
    fake.perform("leave", {"phone": PHONE})
    assert sent(fake, text) == "failed 131026"


def as_dict(content: RenderedWhatsApp) -> dict[str, Any]:
    return {name: getattr(content, name) for name in RenderedWhatsApp.__dataclass_fields__}


# --- in the account ----------------------------------------------------------------------------------------------------


def test_events_come_by_a_topic_that_only_social_messaging_of_this_account_may_publish_to(tmp_path: Path) -> None:
    number = "phone-number-id-0123456789abcdef0123456789abcdef"
    assembly = synthesize(context={**NO_BUNDLING, "whatsapp_number": number}, output=tmp_path / "cdk.out")
    [stack] = assembly.stacks
    template = whole(Path(assembly.directory), stack.id)
    [topic] = template.all("SNS::Topic")
    assert template.one("SNS::Subscription", Protocol="sqs")["TopicArn"] == {"Ref": topic}
    statements = template.one("SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    [allowed] = [each for each in statements if each["Effect"] == "Allow"]
    assert allowed["Principal"] == {"Service": "social-messaging.amazonaws.com"}
    assert allowed["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    assert template.content["Outputs"]["WhatsAppEventsTopic"]["Value"] == {"Ref": topic}


@pytest.mark.parametrize(
    ("choice", "reason"),
    [
        ("whatsapp_number=+16505550101", "context whatsapp_number: must be an id such as phone-number-id-0123"),
        ("whatsapp_api_version=20", "context whatsapp_api_version: must be a version such as v20.0, not '20'"),
    ],
)
def test_another_form_of_a_number_is_refused(choice: str, reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-c", choice]) == 1
    assert reason in capsys.readouterr().err


# --- authored ----------------------------------------------------------------------------------------------------------

MANIFEST = """\
kind: marketing
topic: offers
channels: [whatsapp]
whatsapp:
  kind: template
  template: spring_sale
  category: marketing
  variables:
    name: "{{ contact.name | default('friend') }}"
    code: "{{ message.name }}"
"""
TEXTS = """\
header: Spring
body: Hi ${name}, ${code} takes 20% off until Sunday.
footer: Reply STOP to stop
"""


def authored(folder: Path, manifest: str = MANIFEST, texts: str = TEXTS) -> tuple[dict[str, Any], str]:
    """The published variant, or what is wrong."""
    message = folder / "spring"
    message.mkdir()
    (message / "message.yaml").write_text(manifest, encoding="utf-8")
    (message / "whatsapp.en.yaml").write_text(texts, encoding="utf-8")
    published, problems = MessageFolder(message, folder / "look", "en", lambda path: path.name, ForbiddenWords()).read()
    found = "; ".join(f"{each.file} {each.field}: {each.reason}" for each in problems)
    return (published["variants"]["whatsapp"]["en"] if published else {}), found


def test_a_template_is_its_name_its_language_its_parts_and_what_fills_them_in(tmp_path: Path) -> None:
    variant, problems = authored(tmp_path)
    assert problems == ""
    assert variant == {
        "kind": "template",
        "name": "spring_sale",
        "language": "en",
        "parameters": "positional",
        "header": "Spring",
        "body": "Hi ${name}, ${code} takes 20% off until Sunday.",
        "footer": "Reply STOP to stop",
        "button": "",
        "url": "",
        "value.name": "{{ contact.name | default('friend') }}",
        "value.code": "{{ message.name }}",
    }


@pytest.mark.parametrize(
    ("manifest", "texts", "expected"),
    [
        ({"kind: marketing": "kind: transactional"}, {}, "whatsapp.category: a transactional message needs a template of the category utility"),
        ({"category: marketing": "category: utility"}, {}, "whatsapp.category: a marketing message needs a template of the category marketing"),
        ({"template: spring_sale": "template: Spring-Sale"}, {}, "whatsapp.template"),
        ({"whatsapp:\n": "look: plain\nx-whatsapp:\n"}, {}, "whatsapp"),
        ({'    code: "{{ message.name }}"\n': ""}, {}, "whatsapp.variables.code: is missing: whatsapp.en.yaml has ${code}"),
        ({"    code:": '    city: "x"\n    code:'}, {}, "whatsapp.variables.city: whatsapp.en.yaml has no ${city}"),
        ({" | default('friend')": " | default('')"}, {}, "whatsapp.variables.name: is empty for a contact of whom nothing is known"),
        ({}, {"Hi ${name}": "${name}"}, "whatsapp.en.yaml body: begins or ends with a variable"),
        ({}, {" until Sunday.": " ${name}."}, "body: has ${name} more than once"),
        ({}, {"${name}, ${code}": "${name} ${code}"}, "body: has two variables side by side"),
        ({}, {"Hi ${name}": "Hi {{ contact.name }}"}, "body: stands as it was approved: write ${name}"),
        ({}, {"header: Spring": "header: ${name} and ${code}"}, "header: can have one variable and one line"),
        ({}, {"footer: Reply": "footer: ${name}, reply"}, "footer: can have no variable"),
        ({}, {"footer: Reply STOP to stop\n": ""}, "footer: a marketing template must say how to unsubscribe"),
        ({}, {"header: Spring": f"header: {'S' * 61}"}, "header: has 61 characters; at most 60 are taken"),
        ({}, {"header: Spring": "button: Shop"}, "url: is missing: a button opens a url"),
        ({}, {"header: Spring": "button: Shop\nurl: http://shop.example"}, "url: should be an https address"),
        ({}, {"header: Spring": "button: Shop\nurl: https://shop.example/${code}/x"}, "url: should be an https address"),
        ({}, {"header: Spring": "language: English"}, "language: should be Meta's code"),
        ({}, {"header: Spring": "title: Spring"}, "title: should be one of body, button, footer, header, language, url"),
        ({"  kind: template\n": "  kind: text\n"}, {}, "whatsapp"),
    ],
)  # fmt: skip
def test_what_meta_would_refuse_is_refused_before_anything_is_deployed(
    tmp_path: Path, manifest: Mapping[str, str], texts: Mapping[str, str], expected: str
) -> None:
    found = authored(tmp_path, replaced(MANIFEST, manifest), replaced(TEXTS, texts))[1]
    assert expected in found


def replaced(text: str, changed: Mapping[str, str]) -> str:
    for old, new in changed.items():
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize(
    ("kind", "texts", "expected"),
    [
        ("transactional", "text: Your parcel is late\n", ""),
        ("marketing", "text: New in\n", "whatsapp.kind: marketing goes out by an approved template"),
        ("transactional", "body: Hello\n", "body: should be one of text"),
        ("transactional", f"text: {'x' * 4_097}\n", "text: body has 4,097 characters; at most 4,096 are taken"),
    ],
)
def test_a_text_is_for_a_conversation_and_never_marketing(tmp_path: Path, kind: str, texts: str, expected: str) -> None:
    manifest = f"kind: {kind}\ntopic: orders\nchannels: [whatsapp]\nwhatsapp: {{ kind: text }}\n"
    found = authored(tmp_path, manifest, texts)[1]
    assert expected in found
    assert bool(expected) == bool(found)
