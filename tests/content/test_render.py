"""A published message, filled in for one contact."""

from decimal import Decimal
from typing import Any

import pytest

from waypost.channels.email.channel import RenderedEmail
from waypost.channels.registry import plugin
from waypost.channels.sms.channel import RenderedSms
from waypost.channels.sms.length import MOST_PARTS
from waypost.contacts.channels import Channel
from waypost.content.message import PublishedMessage
from waypost.content.render import MessageNotRenderable, choose_locale

EMAIL, SMS = Channel("email"), Channel("sms")


def message(**parts: str) -> PublishedMessage:
    mail = {"subject": "Hello", "html": "<p>Hello</p>", "text": "Hello", **parts}
    sms = mail.pop("sms", "Hello")
    return PublishedMessage(
        name="greeting",
        kind="marketing",
        topic="offers",
        channels=(EMAIL, SMS),
        variants={
            EMAIL: {"en": mail, "zh-CN": {"subject": "你好", "html": "<p>你好</p>", "text": "你好"}},
            SMS: {"en": {"text": sms}},
        },
    )


def variables(contact: dict[str, Any] | None = None, event: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "contact": {"id": "c-1", **(contact or {})},
        "event": {"id": "e-1", "type": "registered", "properties": {}, "left_on": None, **(event or {})},
        "journey": {"name": "nurture"},
        "message": {"name": "greeting", "channel": "email"},
        "links": {"unsubscribe": "https://api.example.com/u/t?a=1&b=2"},
    }


def mail(parts: dict[str, str], **given: dict[str, Any]) -> RenderedEmail:
    rendered = plugin(EMAIL).render(message(**parts), locale="en", default_locale="zh-CN", variables=variables(**given))
    assert isinstance(rendered, RenderedEmail)
    return rendered


def sms(text: str, **given: dict[str, Any]) -> str:
    rendered = plugin(SMS).render(message(sms=text), locale="en", default_locale="en", variables=variables(**given))
    assert isinstance(rendered, RenderedSms)
    return rendered.text


def test_html_is_escaped_and_text_is_not() -> None:
    greeting = "Hi {{ contact.first_name }}"
    rendered = mail({"html": greeting, "text": greeting}, contact={"first_name": "<b>Ann</b> & Co"})
    assert rendered.html == "Hi &lt;b&gt;Ann&lt;&#x2f;b&gt; &amp; Co"
    assert rendered.text == "Hi <b>Ann</b> & Co"


def test_a_link_keeps_its_slashes_in_html() -> None:
    rendered = mail({"html": '<a href="{{ links.unsubscribe }}">', "text": "{{ links.unsubscribe }}"})
    assert rendered.html == '<a href="https://api.example.com/u/t?a=1&amp;b=2">'
    assert rendered.text == "https://api.example.com/u/t?a=1&b=2"


@pytest.mark.parametrize("first_name", [None, "", "  "])
def test_a_blank_value_counts_as_unknown(first_name: str | None) -> None:
    assert sms('Hi {{ contact.first_name | default("there") }}', contact={"first_name": first_name}) == "Hi there"


def test_a_name_of_a_dict_method_is_not_taken_for_a_value() -> None:
    assert sms('{{ event.properties.items | default("none") }}') == "none"
    given = {"properties": {"items": [{"name": "Lamp"}, {"name": "Rug"}]}}
    assert sms("{% for item in event.properties.items %}{{ item.name }};{% endfor %}", event=given) == "Lamp;Rug;"


def test_a_number_from_the_table_reads_like_a_number() -> None:
    assert (
        sms("{{ contact.points }} {{ contact.share }}", contact={"points": Decimal(120), "share": Decimal("0.5")})
        == "120 0.5"
    )


def test_the_event_a_contact_left_on_may_be_missing() -> None:
    text = 'Order {{ event.left_on.properties.order_id | default("received") }}'
    assert sms(text) == "Order received"
    left_on = {"type": "order_placed", "properties": {"order_id": "A-1"}}
    assert sms(text, event={"left_on": left_on}) == "Order A-1"


def test_a_subject_is_one_line_whatever_a_contact_calls_itself() -> None:
    rendered = mail({"subject": "Hi {{ contact.first_name }}!"}, contact={"first_name": "Ann\r\nBcc: all@example.com"})
    assert rendered.subject == "Hi Ann Bcc: all@example.com!"


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"html": "{{ contact.first_name }}"}, "greeting email.en: contact.first_name is unknown"),
        ({"text": "{{ contact.points + 1 }}"}, "greeting email.en: InvalidOperation in line 1"),
        ({"text": "{{ contact.upper() }}"}, "greeting email.en: AttributeError while it was filled in"),
        ({"subject": "{% if false %}x{% endif %}"}, "greeting email.en: nothing is left of it"),
    ],
)
def test_what_cannot_be_filled_in_is_named_without_any_value(parts: dict[str, str], reason: str) -> None:
    with pytest.raises(MessageNotRenderable) as caught:
        mail(parts, contact={"points": "SECRET", "upper": None})
    assert str(caught.value).startswith(reason.removesuffix(" in line 1"))
    assert "SECRET" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_channel_the_message_does_not_have_is_refused() -> None:
    only_sms = PublishedMessage(
        name="code", kind="transactional", topic="orders", channels=(SMS,), variants={SMS: {"en": {"text": "1"}}}
    )
    with pytest.raises(MessageNotRenderable, match="code has no email"):
        plugin(EMAIL).render(only_sms, locale="en", default_locale="en", variables=variables())


def test_an_sms_that_values_make_too_long_is_refused_before_the_provider_sees_it() -> None:
    assert sms("{{ contact.name }}", contact={"name": "x" * 153 * MOST_PARTS})
    with pytest.raises(MessageNotRenderable, match=r"greeting sms.en: takes 11 SMS parts \(GSM-7\); at most 10"):
        sms("{{ contact.name }}", contact={"name": "x" * (153 * MOST_PARTS + 1)})


def test_a_mail_larger_than_ses_takes_is_refused() -> None:
    with pytest.raises(MessageNotRenderable, match=r"greeting email\.en: takes 10,000,0"):
        mail({"text": "{{ contact.name }}"}, contact={"name": "x" * 10_000_000})


@pytest.mark.parametrize(
    ("wanted", "available", "chosen"),
    [
        ("zh-CN", ["en", "zh-CN"], "zh-CN"),
        ("zh_cn", ["en", "zh-CN"], "zh-CN"),
        ("zh-Hans", ["en", "zh-CN"], "zh-CN"),
        ("zh", ["en", "zh-CN", "zh-TW"], "zh-CN"),
        ("zh-TW", ["en", "zh-CN", "zh-TW"], "zh-TW"),
        ("en-GB", ["en", "zh-CN"], "en"),
        ("en-GB", ["en-AU", "en-US", "zh-CN"], "en-AU"),
        ("fr", ["en", "zh-CN"], "zh-CN"),
        ("fr", ["de", "en"], "de"),
        (None, ["en", "zh-CN"], "zh-CN"),
        ("", ["en"], "en"),
    ],
)
def test_the_nearest_locale_is_chosen(wanted: str | None, available: list[str], chosen: str) -> None:
    assert choose_locale(wanted, available, "zh-CN") == chosen


def test_the_locale_decides_what_is_sent() -> None:
    rendered = plugin(EMAIL).render(message(), locale="zh-Hans-CN", default_locale="en", variables=variables())
    assert rendered == RenderedEmail(subject="你好", html="<p>你好</p>", text="你好")
