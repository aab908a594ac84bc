"""A value inside a link must not be able to break it, whatever a contact is called."""

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.channels.test_mjml import compiled
from waypost.authoring.template_links import BrokenLinkError, check_links
from waypost.content.templates import HTML, TEXT, fill, prepared

WHOLE = [
    '<a href="https://shop.example.com/cart?utm_campaign={{ journey.name }}&amp;m={{ message.name }}#top">x</a>',
    "<a href='{{ links.unsubscribe }}'>x</a>",
    '<a href="{{ event.properties.url | default("https://shop.example.com/?a=1") }}">x</a>',
    '<a href="{% if contact.a is defined %}{{ contact.a }}{% else %}https://shop.example.com{% endif %}">x</a>',
    '<a href="https://{{ contact.shop | default("www") }}.example.com/">x</a>',
    '<a href="mailto:{{ contact.owner | default("info@example.com") }}?subject=Hello">x</a>',
    '<a href="https://shop.example.com/?u={{ contact.name | default("") | urlencode }}">x</a>',
    '<a href="https://shop.example.com/?u={{ (contact.a | urlencode) if contact.a is defined else "none" }}">x</a>',
    '<a href="https://shop.example.com/?u={{ contact.id ~ contact.b | default("") | urlencode }}">x</a>',
    '<a href="#top">x</a><a href="tel:+4930">x</a><a href="myshop://cart">x</a><p title="{{ contact.name }}">x</p>',
    "<p>Hello {{ contact.name }}, https://shop.example.com</p>",
]

BROKEN = [
    '<a href="https://shop.example.com/?u={{ contact.name | default("") }}">x</a>',
    '<a href="https://shop.example.com/?u={{- contact.name -}}">x</a>',
    "<a href='https://shop.example.com/{{ contact.name }}'>x</a>",
    '<a href="{{ links.shop }}?u={{ contact.id }}&amp;n=1&amp;v={{ contact.name }}">x</a>',
    '<a href="https://x.example.com/?u={% if contact.a is defined %}{{ contact.a }}{% endif %}">x</a>',
    '<a href="https://x.example.com/?u={{ contact.a | urlencode if contact.a is defined else contact.b }}">x</a>',
    '<a href="mailto:info@example.com?subject={{ contact.name }}">x</a>',
    '<a href="https://x.example.com/?u={{ contact.name | urlencode | upper }}">x</a>',
    '<a href="https://x.example.com/?u={{ contact.email }}">x</a>',
]  # fmt: skip


@pytest.mark.parametrize("template", WHOLE)
def test_a_link_that_no_value_can_break_passes(template: str) -> None:
    check_links(template, HTML)


@pytest.mark.parametrize("template", BROKEN)
def test_a_value_inside_a_link_has_to_be_encoded(template: str) -> None:
    with pytest.raises(BrokenLinkError, match="urlencode }}"):
        check_links(template, HTML)


@pytest.mark.parametrize(
    "address", ["www.example.com/a", "/cart", "cart.html?u=1", "shop.example.com", "//shop.example.com"]
)
def test_a_link_without_its_scheme_leads_nowhere(address: str) -> None:
    with pytest.raises(BrokenLinkError, match="https://"):
        check_links(f'<a class="b" href="{address}">x</a>', HTML)


def test_an_address_in_a_text_is_looked_at_as_far_as_it_reaches() -> None:
    check_links("去看看：https://shop.example.com/cart，{{ contact.name }}", TEXT)
    check_links("See https://shop.example.com/cart {{ contact.name }}", TEXT)
    check_links("https://s.example.com/{{ contact.code | urlencode }}。{{ contact.name }}", TEXT)
    for text in ("Go: https://s.example.com/?u={{ contact.name }}!", "https://s.example.com/{{ contact.code }}"):
        with pytest.raises(BrokenLinkError, match="urlencode }}"):
            check_links(text, TEXT)


@pytest.mark.parametrize("name", ["A & B", "Zoë #1", "1+1=2", "林 俊杰", 'Say "hi"', "50%", "a?b&c=d"])
def test_an_encoded_value_arrives_whole(name: str) -> None:
    html, text = compiled(
        '<mj-button href="https://x.example.com/?u={{ contact.name | urlencode }}&v=2">Go</mj-button>'
    )
    values = prepared({"contact": {"name": name}, "event": {}, "journey": {}, "message": {}, "links": {}})
    sent = fill(text, values, TEXT).split("Go: ")[1].strip()
    assert parse_qs(urlsplit(sent).query) == {"u": [name], "v": ["2"]}
    assert "&amp;v=2" in fill(html, values, HTML)
