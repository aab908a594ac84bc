"""What Segment calls become."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.intake.fakes import NOW
from waypost.events.envelope import Event
from waypost.intake import segment_spec
from waypost.intake.event_collector import Reading
from waypost.intake.public_key import Caller

SERVER = Caller(is_server=True)


def read(call: str, document: dict[str, Any], *, received_at: datetime = NOW) -> Reading:
    return segment_spec.read(call, document, caller=SERVER, received_at=received_at, correlation_id="req-1")


def only_event(call: str, document: dict[str, Any]) -> Event:
    reading = read(call, document)
    assert reading.problems == []
    (event,) = reading.events
    return event


def problems(call: str, document: dict[str, Any]) -> list[str]:
    return [problem.field for problem in read(call, document).problems]


def test_identify_becomes_identified_with_the_traits_as_profile() -> None:
    event = only_event(
        "identify",
        {
            "userId": "u1",
            "anonymousId": "a1",
            "messageId": "m1",
            "traits": {"email": "Mei@example.com", "plan": "pro", "timezone": "Asia/Tokyo"},
            "context": {"locale": "zh-CN", "timezone": "Asia/Shanghai", "ip": "1.2.3.4"},
            "integrations": {"All": False},
        },
    )
    assert event.type == "identified"
    assert event.id == "segment:m1"
    assert event.contact == {"user_id": "u1", "anonymous_id": "a1", "email": "mei@example.com"}
    assert event.profile == {"email": "mei@example.com", "plan": "pro", "timezone": "Asia/Tokyo", "locale": "zh-CN"}
    assert (event.source, event.correlation_id, event.received_at) == ("segment.server", "req-1", NOW)


def test_an_identify_may_have_its_traits_in_the_context_alone() -> None:
    event = only_event(
        "identify",
        {
            "userId": "u1",
            "context": {
                "locale": "de-DE",
                "traits": {"email": "Mei@example.com", "phone": "0171 1234567", "plan": "pro", "tags": ["vip"]},
            },
        },
    )
    assert event.contact == {"user_id": "u1", "email": "mei@example.com", "phone": "+491711234567"}
    assert event.profile == {
        "email": "mei@example.com", "phone": "+491711234567", "plan": "pro", "tags": ["vip"], "locale": "de-DE",
    }  # fmt: skip


def test_the_own_traits_of_an_identify_count_before_those_of_its_context() -> None:
    around = {
        "email": "old@example.com",
        "plan": "pro",
        "First Name": "Mei",
        "level": 3,
        "anonymousId": "a1",
        "id": "u1",
    }
    own = {"email": "new@example.com", "plan": None, "first_name": "Lin"}
    event = only_event("identify", {"userId": "u1", "traits": own, "context": {"traits": around}})
    assert event.profile == {"email": "new@example.com", "plan": None, "first_name": "Lin", "level": 3}
    assert event.contact == {"user_id": "u1", "email": "new@example.com"}


def test_what_cannot_be_used_of_an_identifys_context_is_named_where_it_stands() -> None:
    reading = read("identify", {"userId": "u1", "context": {"traits": {"email": "n/a", "plan": "pro"}}})
    assert [problem.field for problem in reading.problems] == ["context.traits.email"]
    assert [event.profile for event in reading.events] == [{"plan": "pro"}]


def test_track_becomes_an_event_of_its_name_with_its_properties_untouched() -> None:
    event = only_event("track", {"userId": "u1", "event": "Order Placed", "properties": {"orderId": "7", "total": 9.5}})
    assert (event.type, event.properties, event.profile) == ("order_placed", {"orderId": "7", "total": 9.5}, {})


def test_properties_of_track_are_never_identities_but_traits_in_the_context_are() -> None:
    event = only_event(
        "track",
        {
            "anonymousId": "a1",
            "event": "Invited",
            "properties": {"email": "friend@example.com"},
            "context": {"traits": {"email": "me@example.com", "plan": "pro"}},
        },
    )
    assert event.contact == {"anonymous_id": "a1", "email": "me@example.com"}
    assert event.profile == {}


@pytest.mark.parametrize(
    ("call", "document", "event_type", "properties"),
    [
        ("page", {"name": "Home", "category": "Shop", "properties": {"url": "/"}}, "page_viewed", {"name": "Home", "category": "Shop", "url": "/"}),
        ("screen", {"name": "Cart"}, "screen_viewed", {"name": "Cart"}),
        ("group", {"groupId": 42, "traits": {"email": "info@acme.example"}}, "group_joined", {"group": "42", "group_id": "42", "traits": {"email": "info@acme.example"}}),
        ("alias", {"previousId": "old"}, "contact_aliased", {"previous_id": "old"}),
    ],
)  # fmt: skip
def test_the_other_calls_become_product_events(
    call: str, document: dict[str, Any], event_type: str, properties: dict[str, Any]
) -> None:
    event = only_event(call, {"userId": "u1"} | document)
    assert (event.type, event.properties, event.contact) == (event_type, properties, {"user_id": "u1"})


def test_a_batch_shares_its_context_and_sending_time() -> None:
    reading = read(
        "batch",
        {
            "sentAt": "2026-03-02T05:00:00Z",
            "context": {"timezone": "Asia/Shanghai", "locale": "C"},
            "batch": [
                {"type": "track", "event": "A", "userId": "u1", "timestamp": "2026-03-02T04:50:00Z"},
                {"type": "page", "userId": "u1", "context": {"timezone": "Asia/Tokyo"}},
            ],
        },
    )
    first, second = reading.events
    assert first.occurred_at == NOW - timedelta(minutes=10)
    assert (first.profile, second.profile) == ({"timezone": "Asia/Shanghai"}, {"timezone": "Asia/Tokyo"})


def test_every_problem_of_a_batch_is_named_with_its_index() -> None:
    assert problems(
        "batch",
        {
            "batch": [
                {"type": "track", "userId": "u1", "event": "Fine"},
                {"type": "track", "userId": "u1"},
                {"type": "track", "event": "Nobody"},
                {"type": "identify", "userId": "u1", "traits": {"email": "x"}},
                {"type": "dance", "userId": "u1"},
                "text",
                {"type": "track", "event": "！！", "userId": {"a": 1}},
                {"type": "page", "userId": "u1", "timestamp": 1700000000},
                {"type": "page", "userId": "u1", "timestamp": "1998-01-01T00:00:00Z"},
                {"type": "page", "userId": "u1", "properties": "text"},
                {"type": "page", "userId": "u1", "properties": {"big": "x" * 40_000}},
            ]
        },
    ) == [
        "batch[1].event",
        "batch[2].userId",
        "batch[3].traits.email",
        "batch[4].type",
        "batch[5]",
        "batch[6].userId",
        "batch[6].event",
        "batch[7].timestamp",
        "batch[8].timestamp",
        "batch[9].properties",
        "batch[10]",
    ]


@pytest.mark.parametrize(
    ("batch", "reason"),
    [
        (None, "should be a list"),
        ("text", "should be a list"),
        ({}, "should be a list"),
        ([{}] * 2501, "should have at most 2500 items"),
    ],
)
def test_a_batch_is_a_list_of_at_most_2500_calls(batch: Any, reason: str) -> None:
    reading = read("batch", {"batch": batch})
    assert [(problem.field, problem.reason) for problem in reading.problems] == [("batch", reason)]


def test_the_same_call_has_the_same_id_at_every_attempt() -> None:
    call = {"userId": "u1", "event": "A", "timestamp": "2026-03-02T03:00:00Z"}
    first = only_event("track", call | {"sentAt": "2026-03-02T03:00:01Z", "writeKey": "w"})
    again = segment_spec.read(
        "track",
        call | {"sentAt": "2026-03-02T03:09:00Z"},
        caller=SERVER,
        received_at=NOW + timedelta(hours=1),
        correlation_id="req-2",
    )
    other = only_event("track", call | {"event": "B"})
    assert first.id == again.events[0].id
    assert first.id != other.id


def test_an_unusual_message_id_is_hashed_and_never_collides_with_a_plain_one() -> None:
    plain, unusual = (only_event("page", {"userId": "u", "messageId": text}) for text in ("m#1", "m#2"))
    assert plain.id != unusual.id
    assert "#" not in plain.id
    assert plain.id.startswith("segment:")


def test_what_php_and_typed_languages_send_is_understood() -> None:
    event = only_event(
        "identify", {"userId": 42, "anonymousId": "", "traits": [], "context": [], "messageId": None, "timestamp": None}
    )
    assert (event.contact, event.profile, event.occurred_at) == ({"user_id": "42"}, {}, NOW)


def test_an_old_import_keeps_its_time() -> None:
    event = only_event("track", {"userId": "u1", "event": "A", "timestamp": "2012-12-02T00:30:08.276Z"})
    assert event.occurred_at == datetime(2012, 12, 2, 0, 30, 8, 276_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("user_agent", "status"),
    [
        ("analytics-php/3.8.1", 200),
        ("analytics-python/2.3.4", 200),
        ("RudderStack", 200),
        ("python-requests/2.34", 202),
        ("curl/8.2.1", 202),
        ("", 202),
    ],
)
def test_sdks_hear_the_only_status_they_all_take_for_success(user_agent: str, status: int) -> None:
    assert segment_spec.accepted_status(user_agent) == status


@pytest.mark.parametrize("shared", ["undefined", "null", "0", "00000000-0000-0000-0000-000000000000", "{{message_id}}"])
def test_a_message_id_that_every_call_has_makes_no_call_a_repetition(shared: str) -> None:
    first = only_event("track", {"userId": "u1", "event": "Order Placed", "messageId": shared, "properties": {"n": 1}})
    second = only_event("track", {"userId": "u1", "event": "Order Placed", "messageId": shared, "properties": {"n": 2}})
    assert first.id != second.id
    assert (
        first.id
        == only_event(
            "track", {"userId": "u1", "event": "Order Placed", "messageId": shared, "properties": {"n": 1}}
        ).id
    )
