"""A forbidden phrase that a value brings: the message is not sent, and the reason names the phrase."""

from dataclasses import replace

import pytest

from tests.fakes.published_journeys import JOURNEY, journey, published, sms
from tests.fakes.staff import directory
from tests.fakes.world import CONTACT, World
from waypost.clock import parse_instant
from waypost.contacts.profile import Contact
from waypost.content.forbidden_words import ForbiddenWords
from waypost.sending.occasion import StaffNotice
from waypost.sending.request import SendRequest, SendResult
from waypost.sending.ways_out import what_would_help

WORDS = ForbiddenWords.from_dict(
    {
        "lists": [{"name": "law", "source": "article 9", "way_out": "say it otherwise", "languages": ["zh"]}],
        "phrases": ["最佳"],
        "folded": ["最佳"],
        "owners": [[0]],
        "allowed": [],
    }
)
TEXT = "{{ contact.first_name | default('你') }}，你好"


@pytest.fixture
def world() -> World:
    message = {
        **sms("note", kind="transactional"),
        "variants": {"sms": {"zh-CN": {"text": TEXT}, "en": {"text": TEXT}}},
    }
    made = World(published=published(journey(messages={"note": message})), staff=directory("lin.chen"), words=WORDS)
    made.contacts.put(
        Contact(
            CONTACT,
            created_at=parse_instant("2027-01-01T00:00:00.000Z"),
            attributes={"phone": "+8613800138000", "locale": "zh-CN"},
            identities={"user_id": ["u-1"]},
        )
    )
    return made


def send(world: World, about: str = "1") -> SendResult:
    """A notice, as the shortest way to the sender; the guard judges every occasion."""
    notice = StaffNotice(CONTACT, "order_refused", about, urgent=True)
    return world.send_message.send(SendRequest(notice, f"{JOURNEY}/note"))


def named(world: World, name: str, **attributes: str) -> None:
    contact = world.contacts[CONTACT]
    world.contacts.put(replace(contact, attributes={**contact.attributes, "first_name": name, **attributes}))


def test_a_value_that_brings_a_forbidden_phrase_stops_the_message(world: World) -> None:
    named(world, "最 佳")
    result = send(world)
    assert (result.outcome, result.reason) == ("skipped", "forbidden_words: 最佳 (law)")
    assert world.ledger[result.message_key].decisions[-1].reason == result.reason
    assert world.sms.calls.total() == 0
    assert "allowed" in what_would_help(result.reason)


def test_other_values_and_other_languages_go_out(world: World) -> None:
    named(world, "林")
    assert send(world).outcome == "sent"
    named(world, "最佳", locale="en")
    assert send(world, "2").outcome == "sent"


def test_without_lists_nothing_is_read(world: World) -> None:
    world.words = ForbiddenWords()
    named(world, "最佳")
    assert send(world).outcome == "sent"
