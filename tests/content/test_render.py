"""A published message, filled in for one contact."""

import json
from datetime import UTC, tzinfo
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from waypost.channels.email.channel import RenderedEmail
from waypost.channels.registry import plugin
from waypost.channels.sms.channel import RenderedSms
from waypost.channels.sms.length import MOST_PARTS
from waypost.contacts.channels import Channel
from waypost.content.message import PublishedMessage
from waypost.content.render import MessageNotRenderable

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
    rendered = plugin(EMAIL).render(
        message(**parts), locale="en", default_locale="zh-CN", zone=UTC, variables=variables(**given)
    )
    assert isinstance(rendered, RenderedEmail)
    return rendered


def sms(text: str, **given: dict[str, Any]) -> str:
    rendered = plugin(SMS).render(
        message(sms=text), locale="en", default_locale="en", zone=UTC, variables=variables(**given)
    )
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
        plugin(EMAIL).render(only_sms, locale="en", default_locale="en", zone=UTC, variables=variables())


def test_an_sms_that_values_make_too_long_is_refused_before_the_provider_sees_it() -> None:
    assert sms("{{ contact.name }}", contact={"name": "x" * 153 * MOST_PARTS})
    with pytest.raises(MessageNotRenderable, match=r"greeting sms.en: takes 11 SMS parts \(GSM-7\); at most 10"):
        sms("{{ contact.name }}", contact={"name": "x" * (153 * MOST_PARTS + 1)})


def test_a_mail_larger_than_ses_takes_is_refused() -> None:
    with pytest.raises(MessageNotRenderable, match=r"greeting email\.en: takes 10,000,0"):
        mail({"text": "{{ contact.name }}"}, contact={"name": "x" * 10_000_000})


def test_the_locale_decides_what_is_sent() -> None:
    rendered = plugin(EMAIL).render(
        message(), locale="zh-Hans-CN", default_locale="en", zone=UTC, variables=variables()
    )
    assert rendered == RenderedEmail(subject="你好", html="<p>你好</p>", text="你好")


def render_sms(text: str, *, locale: str = "en", zone: tzinfo = UTC, **given: dict[str, Any]) -> str:
    rendered = plugin(SMS).render(
        message(sms=text), locale=locale, default_locale="en", zone=zone, variables=variables(**given)
    )
    assert isinstance(rendered, RenderedSms)
    return rendered.text


FAVOURITES = {"favourites": {"colour": "red"}, "sizes": [{"name": "S"}], "drinks": ["tea", "<water>"], "big": 1e20}


@pytest.mark.parametrize(
    "template",
    [
        '{{ contact.favourites | default("-") }}',
        "{{ contact.favourites ~ '!' }}",
        "{{ contact.favourites | string }}",
        "{{ contact.favourites | upper }}",
        "{{ [contact.favourites] }}",
        "{{ contact.sizes }}",
        "{{ contact.sizes ~ '!' }}",
        "{{ contact.sizes | join(', ') }}",
        "{{ {'a': 1} }}",
        "{{ event.properties }}",
    ],
)
def test_what_only_has_names_inside_is_not_printed(template: str) -> None:
    with pytest.raises(MessageNotRenderable, match="several values with names"):
        sms(template, contact=FAVOURITES)
    with pytest.raises(MessageNotRenderable, match="several values with names"):
        mail({"html": template}, contact=FAVOURITES)


def test_the_reason_names_what_cannot_be_printed() -> None:
    with pytest.raises(MessageNotRenderable, match=r"greeting sms\.en: contact\.favourites is several values"):
        sms("{{ contact.favourites }}", contact=FAVOURITES)


def test_lists_read_as_text_wherever_they_stand() -> None:
    for template in (
        "{{ contact.drinks }}",
        "{{ contact.drinks ~ '' }}",
        "{{ contact.drinks[:2] }}",
        "{{ contact.drinks | list }}",
    ):
        assert sms(template, contact=FAVOURITES) == "tea, <water>", template
    assert mail({"html": "{{ contact.drinks }}"}, contact=FAVOURITES).html == "tea, &lt;water&gt;"
    assert sms("{% for each in contact.drinks %}{{ each }};{% endfor %}", contact=FAVOURITES) == "tea;<water>;"


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{% set event = contact %}{{ event.name }}", "Lin"),
        ("{% for contact in event.properties.guests %}{{ contact.name }}{% endfor %}", "AnnBo"),
        ("{% with c = contact %}{{ c.name }}{% endwith %}", "Lin"),
        ("{% macro greet(who) %}{{ who.name }}{% endmacro %}{{ greet(contact) }}", "Lin"),
        ("{{ contact['name'] }}", "Lin"),
        ("{{ contact . name }}", "Lin"),
        ("{{ contact | attr('name') }}", "Lin"),
        ("{{ contact.name.upper() }}", "LIN"),
        ("{{ '}}' ~ contact.name }}", "}}Lin"),
        ('{{ "it\'s" ~ contact.name }}', "it'sLin"),
        ("{{ event.properties.guests[0].name }}", "Ann"),
        ("{{ event.properties.guests | map(attribute='name') | join('+') }}", "Ann+Bo"),
        ("{{ event.properties.keys is defined }}, {{ contact.items is defined }}", "no, no"),
        ("{{ event.properties.values | default('none') }}", "none"),
        ("{{ event.left_on.properties.x | default('none') }}", "none"),
        ("{{ [contact, event] | length }}", "2"),
        ("{{ (contact).name }}", "Lin"),
        ("{{ event.properties.text }}{{ event.properties | length }}", "Hi2"),
    ],
)
def test_a_template_finds_what_it_names_however_it_does(template: str, text: str) -> None:
    given = {"properties": {"guests": [{"name": "Ann"}, {"name": "Bo"}], "text": "Hi", "blank": " "}}
    assert sms(template, contact={"name": "Lin"}, event=given) == text


def test_times_are_those_of_the_reader() -> None:
    given = {"occurred_at": "2026-11-28T20:05:00.000Z", "properties": {"ends": "2026-12-31T18:00:00Z"}}
    shanghai = ZoneInfo("Asia/Shanghai")
    assert render_sms("{{ event.occurred_at | date }}", zone=shanghai, event=given) == "November 29, 2026"
    assert render_sms("{{ event.occurred_at | time }}", zone=shanghai, event=given) == "4:05 AM"
    assert render_sms("{{ event.properties.ends }}", zone=shanghai, event=given) == "January 1, 2027, 2:00 AM"
    assert render_sms("{{ event.properties.ends | date(style='short') }}", event=given) == "12/31/26"


def test_money_and_numbers_read_as_the_language_writes_them() -> None:
    given = {"properties": {"total": Decimal("1234.5"), "note": "soon"}}
    assert sms("{{ event.properties.total | money('USD') }}", event=given) == "$1,234.50"
    assert sms("{{ event.properties.total | number }}", event=given) == "1,234.5"
    assert sms("{{ contact.big }}", contact=FAVOURITES) == "100000000000000000000"
    with pytest.raises(MessageNotRenderable, match="a value is no number"):
        sms("{{ event.properties.note | money('USD') }}", event=given)


def test_text_that_is_marked_as_html_stays_html() -> None:
    long = "<b>" + "x" * 40 + "</b>"
    assert mail({"html": "{{ contact.name | safe }}"}, contact={"name": long}).html == long


def test_values_with_names_are_written_as_json_that_may_stand_in_html() -> None:
    order = {
        "id": "7",
        "total": Decimal("19.90"),
        "paid": True,
        "by": "</script><b>&'",
        "items": [{"name": "茶", "gone": None}],
    }
    rendered = mail(
        {
            "html": "<script>{{ event.properties.order | tojson }}</script>",
            "text": "{{ event.properties.order | tojson }}",
        },
        event={"properties": {"order": order}},
    )
    inside = rendered.html.removeprefix("<script>").removesuffix("</script>")
    assert "<" not in inside
    expected = {"id": "7", "total": 19.9, "paid": True, "by": "</script><b>&'", "items": [{"name": "茶"}]}
    assert json.loads(inside) == expected
    assert json.loads(rendered.text) == expected
