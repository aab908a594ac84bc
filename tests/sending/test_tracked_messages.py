"""Which messages get links that record who follows them, and what the ledger keeps of them."""

from typing import Any

import pytest

from tests.fakes.published_journeys import email, journey, published, push, sms
from tests.fakes.world import World
from waypost.channels.email.channel import CHANNEL, RenderedEmail
from waypost.channels.sms.length import sms_length
from waypost.content.link_rewriting import TrackedMessage
from waypost.sending.ledger import LedgerRow
from waypost.tracking.tracked_links import SignedLinks, read_link, read_pixel, read_short_link

API, KEY = "https://l.example.com", "k" * 32
SHOP = "https://shop.example.com"


def with_link(message: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The message with a link to the shop in every text."""
    for variants in message["variants"].values():
        for templates in variants.values():
            for name in ("text", "html"):
                if name in templates:
                    link = f'<a href="{SHOP}/b">b</a>' if name == "html" else f"{SHOP}/b"
                    templates[name] = f"{templates[name]} {link}"
            if "link" in templates:
                templates["link"] = f"{SHOP}/p"
    return message | changes


def world_of(*messages: dict[str, Any], **attributes: Any) -> World:
    named = {message["name"]: message for message in messages}
    world = World(published=published(journey(messages=named)), tracking=lambda message: SignedLinks(API, KEY, message))
    given = {"email": "lin@example.com", "phone": "+12025550143", "name": "Lin", "locale": "en", **attributes}
    world.have_contact(attributes=given)
    return world


def sent(world: World, message: str) -> tuple[str, LedgerRow]:
    """The text that went out, and its row."""
    result = world.send(world.have_enrolment(), message)
    assert result.outcome == "sent", result
    provider = next(each for each in world.providers.values() if each.sent)
    content = provider.sent[0].content
    return getattr(content, "html", None) or getattr(content, "link", None) or content.text, world.ledger[
        result.message_key
    ]


def token(text: str, kind: str) -> str:
    return text.rsplit(f"{API}/{kind}/", maxsplit=1)[-1].split('"', maxsplit=1)[0].split(maxsplit=1)[0]


def test_a_mails_links_say_of_which_message_and_for_which_member_of_staff() -> None:
    html, row = sent(world_of(with_link(email("welcome")), owner="staff-7"), "welcome")
    opened = read_pixel(token(html, "o"), [KEY])
    assert row.claimed_at is not None
    assert opened == TrackedMessage(
        row.contact_id, row.message_key, "email", "new_user_nurture", "welcome", row.claimed_at, "staff-7"
    )
    followed = read_link(token(html, "r"), [KEY])
    assert followed is not None
    assert followed.link.target == f"{SHOP}/b"
    assert row.links == []  # nothing of it is stored


def test_a_texts_link_is_short_and_its_target_stands_in_the_ledger() -> None:
    text, row = sent(world_of(with_link(sms("survey"))), "survey")
    short = read_short_link(token(text, "r"), [KEY])
    assert short is not None
    assert row.message_key.startswith(short.key_prefix)
    assert row.links == [f"{SHOP}/b"]


def test_a_text_that_would_take_another_part_keeps_its_link() -> None:
    message = with_link(sms("survey"))
    message["variants"]["sms"]["en"]["text"] = f"{'x' * 120} {SHOP}/b"
    text, row = sent(world_of(message), "survey")
    assert f"{SHOP}/b" in text
    assert sms_length(text).parts == 1
    assert row.links == []


def test_mainland_china_gets_no_personal_links() -> None:
    text, row = sent(world_of(with_link(sms("survey")), phone="+8613800000001"), "survey")
    assert f"{SHOP}/b" in text
    assert row.links == []


def test_what_a_tap_opens_is_tracked() -> None:
    link, row = sent(world_of(with_link(push("news")), push_tokens=[{"token": "d-1", "platform": "ios"}]), "news")
    assert link.startswith(f"{API}/r/")
    assert row.links == [f"{SHOP}/p"]


@pytest.mark.parametrize(
    ("message", "attributes"),
    [(with_link(email("welcome"), tracked=False), {}), (with_link(email("welcome")), {"tracking": False})],
    ids=["the author says so", "the reader says so"],
)
def test_nothing_is_tracked_against_the_will_of_author_or_reader(
    message: dict[str, Any], attributes: dict[str, Any]
) -> None:
    html, _ = sent(world_of(message, **attributes), "welcome")
    assert API not in html
    assert f'href="{SHOP}/b"' in html


def test_a_name_that_is_an_address_is_never_signed() -> None:
    html, _ = sent(world_of(with_link(email("welcome")), name="Lin", city="https://evil.example"), "welcome")
    assert "evil" not in html
    message = with_link(email("welcome"))
    message["variants"]["email"]["en"]["html"] += ' <a href="{{ event.properties.coupon }}">c</a> {{ contact.city }}'
    html, _ = sent(world_of(message, city="https://evil.example/x"), "welcome")
    assert "https://evil.example/x" in html.replace("&#x2f;", "/")
    signed = [read_link(piece.split('"')[0], [KEY]) for piece in html.split(f"{API}/r/")[1:]]
    assert not any(found and "evil" in found.link.target for found in signed)


def test_the_letters_of_a_token_are_no_words() -> None:
    html, _ = sent(world_of(with_link(email("welcome"))), "welcome")
    content = RenderedEmail(
        subject="s", html=html, text=f"Look: {API}/r/{token(html, 'r')} and {SHOP}/a-long-name-of-a-page"
    )
    shown = CHANNEL.words(content)
    assert token(html, "r") not in shown
    assert f"{SHOP}/a-long-name-of-a-page" in shown
