"""What the bodies of signed webhooks become."""

from typing import Any

import pytest

from tests.intake.fakes import NOW
from waypost.intake import webhook_body
from waypost.intake.event_collector import Reading

CONTACT_ID = "c-" + "0a" * 12


def read(document: dict[str, Any]) -> Reading:
    return webhook_body.read(document, source="shop", webhook_id="msg_1", received_at=NOW, correlation_id="req-1")


def test_one_event_with_everything() -> None:
    reading = read(
        {
            "id": "order-7",
            "type": "order.placed",
            "contact": {"user_id": "u1", "email": "Mei@Example.com", "phone": "4155552671"},
            "occurred_at": "2026-03-02T03:00:00Z",
            "properties": {"total": 5},
            "profile": {"tags": ["vip"], "locale": "en-US"},
        }
    )
    (event,) = reading.events
    assert (event.id, event.type, event.source) == ("shop:order-7", "order_placed", "shop")
    assert event.contact == {"user_id": "u1", "email": "mei@example.com", "phone": "+14155552671"}
    assert (event.properties, event.profile) == ({"total": 5}, {"tags": ["vip"], "locale": "en-US"})
    assert event.occurred_at.hour == 3


def test_the_other_names_of_the_same_things_are_understood() -> None:
    (event,) = read(
        {
            "event": "Signed Up",
            "contact": {"userId": "u1"},
            "timestamp": "2026-03-02T03:00:00Z",
            "data": {"a": 1},
            "traits": {"plan": "x"},
        }
    ).events
    assert (event.type, event.contact, event.properties, event.profile) == (
        "signed_up",
        {"user_id": "u1"},
        {"a": 1},
        {"plan": "x"},
    )


def test_without_an_id_the_webhook_id_stands_in() -> None:
    plain = {"type": "a", "contact": {"contact_id": CONTACT_ID}}
    assert read(plain).events[0].id == "shop:msg_1"
    assert [event.id for event in read({"events": [plain, plain]}).events] == ["shop:msg_1/0", "shop:msg_1/1"]


@pytest.mark.parametrize(
    ("document", "fields"),
    [
        ({}, ["type", "contact"]),
        ({"type": "a", "contact": {}}, ["contact"]),
        ({"type": "a", "contact": "u1"}, ["contact"]),
        ({"type": 5, "contact": {"user_id": "u"}}, ["type"]),
        ({"type": "！！", "contact": {"user_id": "u"}}, ["type"]),
        ({"type": "a", "contact": {"user_id": "u"}, "occured_at": "x"}, ["occured_at"]),
        ({"type": "a", "contact": {"user_id": "u"}, "occurred_at": "2099-01-01T00:00:00Z"}, ["occurred_at"]),
        ({"type": "a", "contact": {"user_id": "u", "shoe_size": 5}}, ["contact.shoe_size"]),
        ({"type": "a", "contact": {"contact_id": "c-1"}}, ["contact.contact_id"]),
        ({"type": "a", "contact": {"email": "x", "phone": "y"}}, ["contact.email", "contact.phone"]),
        ({"type": "a", "contact": {"user_id": "u"}, "profile": {"email": 5}}, ["profile.email"]),
        ({"type": "a", "contact": {"user_id": "u"}, "properties": {"x": "y" * 40_000}}, ["body"]),
        ({"events": []}, ["events"]),
        ({"events": "x"}, ["events"]),
        ({"events": [1]}, ["events[0]"]),
        ({"events": [{"type": "a"}], "more": 1}, ["more", "events[0].contact"]),
        ({"events": [{"type": "a"}, {"type": "b", "contact": {"user_id": "u"}}]}, ["events[0].contact"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(document: dict[str, Any], fields: list[str]) -> None:
    assert [problem.field for problem in read(document).problems] == fields
