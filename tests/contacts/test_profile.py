"""What events change of a contact: the newest value counts, by the time of its event."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.world import START, event
from waypost.clock import parse_instant
from waypost.contacts.channels import CHANNELS
from waypost.contacts.profile import Contact, apply_event, with_attributes, with_consent, with_event, with_tags

NOON = parse_instant(START)
LATER = NOON + timedelta(hours=1)
BEFORE = NOON - timedelta(hours=1)


@pytest.fixture
def contact() -> Contact:
    return Contact(contact_id="c-1", created_at=NOON)


def test_a_late_event_does_not_overwrite_a_newer_value(contact: Contact) -> None:
    contact = with_event(contact, event("identified", NOON, profile={"city": "Wuhan"}))
    contact = with_event(contact, event("identified", BEFORE, profile={"city": "Beijing", "name": "Lin"}))
    assert contact.attributes == {"city": "Wuhan", "name": "Lin"}


def test_nothing_removes_an_attribute_and_an_older_value_does_not_bring_it_back(contact: Contact) -> None:
    contact = with_attributes(contact, {"city": "Wuhan"}, at=BEFORE)
    contact = with_attributes(contact, {"city": None}, at=LATER)
    contact = with_attributes(contact, {"city": "Beijing"}, at=NOON)
    assert "city" not in contact.attributes


def test_a_profile_that_would_outgrow_its_item_refuses_attributes_but_no_withdrawal(contact: Contact) -> None:
    full = with_attributes(contact, {f"note_{number}": "x" * 30_000 for number in range(8)}, at=NOON)
    more = event("identified", NOON, profile={"one_more": "x" * 30_000, "city": "Wuhan"})
    assert apply_event(full, more).left_out == ("attributes.one_more",)
    assert with_event(full, more).attributes == {**full.attributes, "city": "Wuhan"}
    withdrawn = with_event(full, event("unsubscribed", NOON, channel="email"))
    assert withdrawn.consent("email", "offers") == "withdrawn"


def test_tags_come_and_go_by_the_time_they_were_touched(contact: Contact) -> None:
    contact = with_tags(contact, add=["vip", "new"], at=NOON)
    contact = with_tags(contact, remove=["vip"], at=LATER)
    contact = with_tags(contact, add=["vip"], remove=["new"], at=BEFORE)
    assert contact.tags == {"new"}


def test_tags_come_with_an_event(contact: Contact) -> None:
    assert with_event(contact, event("identified", NOON, profile={"tags": ["vip"]})).tags == {"vip"}


def test_consent_comes_with_an_event(contact: Contact) -> None:
    contact = with_event(contact, event("identified", NOON, profile={"consent": {"email": True, "sms": False}}))
    assert (contact.consent("email", "news"), contact.consent("sms", "news")) == ("granted", "withdrawn")
    evidence = contact.consents["email/*"]
    assert (evidence.at, evidence.source) == (NOON, "shop")


def test_silence_is_no_consent(contact: Contact) -> None:
    assert contact.consent("email", "news") == "none"


def consenting(contact: Contact, granted: bool, at: datetime, topic: str | None = None) -> Contact:
    return with_consent(contact, channel="email", granted=granted, at=at, source="shop", given="word", topic=topic)


def test_an_older_answer_does_not_replace_a_newer_one(contact: Contact) -> None:
    contact = consenting(contact, granted=False, at=NOON)
    assert consenting(contact, granted=True, at=BEFORE).consent("email", "news") == "withdrawn"
    assert consenting(contact, granted=True, at=LATER).consent("email", "news") == "granted"


@pytest.mark.parametrize("order", [(True, False), (False, True)])
def test_a_withdrawal_wins_a_tie(contact: Contact, order: tuple[bool, bool]) -> None:
    for granted in order:
        contact = consenting(contact, granted=granted, at=NOON)
    assert contact.consent("email", "news") == "withdrawn"


def test_between_topic_and_channel_the_newer_answer_counts(contact: Contact) -> None:
    contact = consenting(contact, granted=True, at=NOON)
    contact = consenting(contact, granted=False, at=LATER, topic="news")
    assert (contact.consent("email", "news"), contact.consent("email", "orders")) == ("withdrawn", "granted")
    assert consenting(contact, granted=True, at=LATER + timedelta(hours=1)).consent("email", "news") == "granted"


def test_between_topic_and_channel_a_withdrawal_wins_a_tie(contact: Contact) -> None:
    contact = consenting(contact, granted=True, at=NOON, topic="news")
    assert consenting(contact, granted=False, at=NOON).consent("email", "news") == "withdrawn"


@pytest.mark.parametrize(
    ("kind", "properties", "answers"),
    [
        ("unsubscribed", {"channel": "email"}, {"email/*": False}),
        ("unsubscribed", {"channel": "email", "topic": "news"}, {"email/news": False}),
        ("unsubscribed", {}, {f"{channel}/*": False for channel in CHANNELS}),
        ("consent_withdrawn", {"channel": "sms"}, {"sms/*": False}),
        ("consent_granted", {"channel": "sms", "topic": "news"}, {"sms/news": True}),
    ],
)
def test_consent_events_say_what_they_are_about(
    contact: Contact, kind: str, properties: dict[str, Any], answers: dict[str, bool]
) -> None:
    contact = with_event(contact, event(kind, NOON, **properties))
    assert {key: consent.granted for key, consent in contact.consents.items()} == answers


@pytest.mark.parametrize(
    ("kind", "properties", "suppressions"),
    [
        ("message_bounced", {"channel": "email", "suppression": "hard_bounce"}, {"email": "hard_bounce"}),
        ("message_bounced", {"channel": "email", "bounce_type": "transient"}, {}),
        ("message_bounced", {"channel": "email", "suppression": ""}, {}),
        ("message_bounced", {"suppression": "hard_bounce"}, {}),
        ("message_complained", {"channel": "email", "suppression": "complaint"}, {"email": "complaint"}),
        ("message_complained", {"channel": "email"}, {}),
        ("message_bounced", {"channel": "sms", "suppression": "invalid_number"}, {"sms": "invalid_number"}),
        ("message_delivered", {"channel": "email", "suppression": "hard_bounce"}, {}),
    ],
)
def test_what_the_provider_says_closes_a_channel(
    contact: Contact, kind: str, properties: dict[str, Any], suppressions: dict[str, str]
) -> None:
    notice = replace(event(kind, NOON, **properties), source="waypost.ses")
    assert with_event(contact, notice).suppressions == suppressions


def test_a_stranger_cannot_close_a_channel(contact: Contact) -> None:
    assert (
        with_event(contact, event("message_complained", NOON, channel="email", suppression="complaint")).suppressions
        == {}
    )


def test_a_contact_survives_storage(contact: Contact) -> None:
    contact = with_event(
        contact,
        event("identified", NOON, profile={"city": "Wuhan", "tags": ["vip"], "consent": {"email": True}}),
    )
    contact = replace(contact, suppressions={"sms": "invalid_number"}, erased=True, version=3)
    assert Contact.from_dict(contact.to_dict()) == contact


changes = st.lists(
    st.tuples(
        st.integers(0, 50),
        st.fixed_dictionaries(
            {},
            optional={
                "city": st.none() | st.sampled_from(["Wuhan", "Beijing"]),
                "orders": st.integers(0, 3),
                "tags": st.lists(st.sampled_from(["vip", "new"]), max_size=2),
                "consent": st.dictionaries(st.sampled_from(["email", "sms"]), st.booleans()),
            },
        ),
    ),
    unique_by=lambda change: change[0],
    max_size=8,
)


@given(changes, st.randoms(use_true_random=False))
def test_the_order_in_which_events_arrive_does_not_matter(made: list[tuple[int, dict[str, Any]]], random: Any) -> None:
    events = [event("identified", NOON + timedelta(minutes=minute), profile=profile) for minute, profile in made]
    in_order = shuffled = Contact(contact_id="c-1", created_at=NOON)
    for each in events:
        in_order = with_event(in_order, each)
    repeated = events * 2
    random.shuffle(repeated)
    for each in repeated:
        shuffled = with_event(shuffled, each)
    assert shuffled == in_order
