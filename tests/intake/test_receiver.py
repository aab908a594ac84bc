"""Whole requests: who may send, what is accepted, and that nothing is half-done."""

import gzip
import json
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.queue import FakeQueue
from tests.fakes.secrets import FakeSecret
from tests.fakes.webhook_log import FakeLog
from tests.intake.fakes import NOW, SECRETS, SHOP_SECRET, Desk, basic, call, posted, signed
from waypost.errors import TemporarilyUnavailable
from waypost.intake.http_request import MAX_BODY, Request
from waypost.intake.request_outcome import Accepted, Refused

TRACK = {"userId": "u1", "event": "Order Placed", "messageId": "m1"}
EVENT = {"type": "order.placed", "contact": {"user_id": "u1"}}


def status(outcome: Accepted | Refused) -> int:
    return outcome.status if isinstance(outcome, Refused) else 202


def test_a_call_with_a_write_key_is_in_the_queue_before_it_is_accepted() -> None:
    desk = Desk()
    assert desk.receiver.segment("track", call(TRACK)) == Accepted(count=1)
    assert "segment:m1" in desk.queue


def test_the_write_key_may_come_in_the_body_as_browsers_send_it() -> None:
    desk = Desk()
    request = posted(TRACK | {"writeKey": "wk_test_2"}, content_type="text/plain")
    assert status(desk.receiver.segment("track", request)) == 202


@pytest.mark.parametrize(
    "request_",
    [
        posted(TRACK),
        posted(TRACK, authorization=basic("wrong")),
        posted(TRACK, authorization=basic("")),
        posted(TRACK, authorization="Basic !!!"),
        posted(TRACK, authorization="Basic //8="),
        posted(TRACK, authorization="Bearer wk_test_1"),
        posted(TRACK | {"writeKey": "wrong"}),
        posted(TRACK | {"writeKey": ""}),
        posted(TRACK | {"writeKey": ["wk_test_1"]}),
        posted(TRACK | {"writeKey": "wk_test_1"}, authorization=basic("wrong")),
    ],
)
def test_without_a_right_write_key_nothing_happens(request_: Request) -> None:
    desk = Desk()
    assert status(desk.receiver.segment("track", request_)) == 401
    assert desk.queue.sent == []


def test_an_empty_write_key_in_the_secret_opens_nothing() -> None:
    desk = Desk(secrets=FakeSecret({"write_keys": ["", "k"]}))
    assert status(desk.receiver.segment("track", posted(TRACK, authorization=basic("")))) == 401


def test_new_keys_and_secrets_work_at_once() -> None:
    rotated = {"write_keys": "wk_new", "sources": {"erp": SHOP_SECRET}}
    desk = Desk(secrets=FakeSecret(SECRETS, newer=rotated))
    assert status(desk.receiver.segment("track", posted(TRACK, authorization=basic("wk_new")))) == 202
    assert status(desk.receiver.webhook("erp", signed(EVENT))) == 202


def test_a_partly_bad_batch_puts_nothing_in_the_queue() -> None:
    desk = Desk()
    outcome = desk.receiver.segment(
        "batch", call({"batch": [TRACK | {"type": "track"}, {"type": "track", "userId": "u"}]})
    )
    assert isinstance(outcome, Refused)
    assert (outcome.status, [problem.field for problem in outcome.problems]) == (400, ["batch[1].event"])
    assert desk.queue.sent == []


def test_a_broken_queue_is_not_success_and_sending_again_gives_the_same_event() -> None:
    desk = Desk(queue=FakeQueue(broken=True))
    with pytest.raises(TemporarilyUnavailable):
        desk.receiver.webhook("shop", signed(EVENT))
    assert ("shop", "msg_1") not in desk.log
    desk.queue.broken = False
    assert status(desk.receiver.webhook("shop", signed(EVENT, at=NOW + timedelta(minutes=1)))) == 202
    assert "shop:msg_1" in desk.queue


def test_an_attempt_cut_off_after_the_queue_can_be_repeated_harmlessly() -> None:
    desk = Desk(log=FakeLog(broken=True))
    with pytest.raises(TemporarilyUnavailable):
        desk.receiver.webhook("shop", signed(EVENT))
    desk.log.broken = False
    assert status(desk.receiver.webhook("shop", signed(EVENT))) == 202
    assert {event.id for event in desk.queue.sent} == {"shop:msg_1"}


def test_a_replayed_webhook_is_acknowledged_and_changes_nothing() -> None:
    desk = Desk()
    desk.receiver.webhook("shop", signed(EVENT))
    for replay in (signed(EVENT), signed(EVENT, at=NOW + timedelta(minutes=1)), signed(EVENT | {"id": "other"})):
        outcome = desk.receiver.webhook("shop", replay)
        assert isinstance(outcome, Refused)
        assert (outcome.status, outcome.problems[0].field) == (409, "webhook-id")
    assert len(desk.queue.sent) == 1
    assert status(desk.receiver.webhook("crm", signed(EVENT))) == 202


def test_a_refused_webhook_may_be_corrected_under_the_same_id() -> None:
    desk = Desk()
    assert status(desk.receiver.webhook("shop", signed({"type": "x"}))) == 400
    assert status(desk.receiver.webhook("shop", signed(EVENT))) == 202


@pytest.mark.parametrize(
    ("source", "request_", "expected"),
    [
        ("shop", posted(EVENT), 401),
        ("shop", signed(EVENT, secret="whsec_d3JvbmcgbGVuZ3RoIHNlY3JldA=="), 401),
        ("unknown", signed(EVENT), 401),
        ("Shop", signed(EVENT), 404),
        ("segment", signed(EVENT), 404),
        ("waypost", signed(EVENT), 404),
        ("x" * 41, signed(EVENT), 404),
        ("shop", signed(EVENT, at=NOW - timedelta(minutes=6)), 400),
        ("shop", signed(b"not json"), 400),
    ],
)
def test_a_webhook_we_cannot_trust_or_read_changes_nothing(source: str, request_: Request, expected: int) -> None:
    desk = Desk()
    assert status(desk.receiver.webhook(source, request_)) == expected
    assert (desk.queue.sent, desk.log.known) == ([], set())


def test_the_age_of_a_signature_goes_by_the_real_clock_and_the_event_by_the_virtual_one() -> None:
    desk = Desk(now=NOW + timedelta(days=5))
    assert status(desk.receiver.webhook("shop", signed(EVENT))) == 202
    assert desk.queue.sent[0].occurred_at == NOW + timedelta(days=5)


def test_a_correlation_id_is_taken_over_if_it_is_presentable() -> None:
    desk = Desk()
    desk.receiver.segment("page", call({"userId": "u"}, x_correlation_id="trace-7"))
    desk.receiver.segment("page", call({"userId": "u"}, x_correlation_id="a\nb"))
    assert [event.correlation_id for event in desk.queue.sent] == ["trace-7", "req-1"]


def test_warnings_are_passed_on() -> None:
    outcome = Desk().receiver.segment("identify", call({"userId": "u", "traits": {"timezone": "Mars/Phobos"}}))
    assert isinstance(outcome, Accepted)
    assert [warning.field for warning in outcome.warnings] == ["traits.timezone"]


def body_status(content: bytes, **headers: str) -> int:
    return status(Desk().receiver.segment("track", posted(content, authorization=basic(), **headers)))


def test_gzip_is_unpacked_and_a_bomb_is_not() -> None:
    packed = gzip.compress(json.dumps(TRACK).encode())
    assert body_status(packed, content_encoding="gzip") == 202
    assert body_status(packed[:-4], content_encoding="gzip") == 400
    assert body_status(packed + packed, content_encoding="gzip") == 400
    assert body_status(b"not gzip", content_encoding="gzip") == 415
    assert body_status(packed, content_encoding="br") == 415
    assert body_status(gzip.compress(b"0" * 50_000_000), content_encoding="gzip") == 413


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("application/json; charset=utf-8", 202),
        ("application/json;charset=UTF8", 202),
        ("text/plain;charset=UTF-8", 202),
        ("", 202),
        ("application/cloudevents+json", 202),
        ("application/json; charset=gb18030", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
    ],
)
def test_only_json_in_utf_8_is_read(content_type: str, expected: int) -> None:
    assert body_status(json.dumps(TRACK).encode(), content_type=content_type) == expected


def test_a_large_body_or_event_is_413_and_nothing_else() -> None:
    assert body_status(b" " * (MAX_BODY + 1)) == 413
    assert body_status(json.dumps(TRACK | {"properties": {"x": "y" * 10_000_000}}).encode()) == 413
    assert body_status(json.dumps(TRACK | {"properties": {"x": "y" * 32_768}}).encode()) == 413


def test_a_full_batch_is_accepted() -> None:
    calls: list[dict[str, Any]] = [
        {"type": "track", "event": "A", "userId": f"u{number % 50}", "messageId": str(number)} for number in range(2500)
    ]
    assert Desk().receiver.segment("batch", call({"batch": calls})) == Accepted(count=2500)
