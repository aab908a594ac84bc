"""Whole requests: who may send, what is accepted, and that nothing is half-done."""

import gzip
import json
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.queue import FakeQueue
from tests.fakes.secrets import FakeSecret
from tests.fakes.webhook_log import FakeLog
from tests.intake.fakes import NOW, OTHER_WRITE_KEY, SECRETS, SHOP_SECRET, WRITE_KEY, Desk, basic, call, posted, signed
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
    request = posted(TRACK | {"writeKey": OTHER_WRITE_KEY}, content_type="text/plain")
    assert status(desk.receiver.segment("track", request)) == 202


@pytest.mark.parametrize(
    "request_",
    [
        posted(TRACK),
        posted(TRACK, authorization=basic("wrong")),
        posted(TRACK, authorization=basic("")),
        posted(TRACK, authorization="Basic !!!"),
        posted(TRACK, authorization="Basic //8="),
        posted(TRACK, authorization=f"Bearer {WRITE_KEY}"),
        posted(TRACK | {"writeKey": "wrong"}),
        posted(TRACK | {"writeKey": ""}),
        posted(TRACK | {"writeKey": [WRITE_KEY]}),
        posted(TRACK | {"writeKey": WRITE_KEY}, authorization=basic("wrong")),
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
    rotated = {"write_keys": "wk_new_of_no_value", "sources": {"erp": SHOP_SECRET}}
    desk = Desk(secrets=FakeSecret(SECRETS, newer=rotated))
    assert status(desk.receiver.segment("track", posted(TRACK, authorization=basic("wk_new_of_no_value")))) == 202
    assert status(desk.receiver.webhook("erp", signed(EVENT))) == 202


BAD_ITEMS: dict[str, bytes] = {
    "no event name": b'{"type":"track","userId":"u"}',
    "an event name of punctuation": b'{"type":"track","userId":"u","event":"!!!"}',
    "nobody": b'{"type":"track","event":"Seen"}',
    "an unknown call": b'{"type":"dance","userId":"u"}',
    "no object": b'"text"',
    "not even a value": b"NaN",
    "a user id twice": b'{"type":"track","event":"Seen","userId":"a","userId":"b"}',
    "a placeholder": b'{"type":"track","event":"Seen","userId":"undefined"}',
    "an id cut in a character": b'{"type":"track","event":"Seen","userId":"u\\ud83d"}',
    "an alias of a placeholder": b'{"type":"alias","userId":"u","previousId":"null"}',
    "an alias to a placeholder": b'{"type":"alias","userId":"[object Object]","anonymousId":"a","previousId":"b"}',
    "a group of nothing": b'{"type":"group","userId":"u","groupId":"None"}',
    "points as text": b'{"type":"track","userId":"u","event":"Points Earned","properties":{"points":"12"}}',
    "a huge one": b'{"type":"track","userId":"u","event":"Seen","properties":{"x":"' + b"y" * 40_000 + b'"}}',
}


@pytest.mark.parametrize("bad", BAD_ITEMS)
def test_a_bad_item_is_kept_and_the_good_ones_beside_it_are_taken(bad: str) -> None:
    desk = Desk()
    good = json.dumps(TRACK | {"type": "track"}).encode()
    body = b'{"batch":[' + good + b"," + BAD_ITEMS[bad] + b"," + good.replace(b"m1", b"m2") + b"]}"
    outcome = desk.receiver.segment("batch", call(body))
    assert isinstance(outcome, Accepted)
    assert (outcome.count, outcome.rejected) == (2, 1)
    assert all(warning.field.startswith("batch[1]") for warning in outcome.warnings)
    assert [event.id for event in desk.queue.sent] == ["segment:m1", "segment:m2"]
    [kept] = desk.rejected.kept
    assert (kept.source, kept.where, bool(kept.problems)) == ("segment", "batch[1]", True)


USABLE_ITEMS: dict[str, tuple[str, str]] = {
    "a Chinese event name": ("", '"event":"提交订单"'),
    "an address that is none": ("context.traits.email", '"context":{"traits":{"email":"none"}}'),
    "a time of 1970": ("timestamp", '"timestamp":"1970-01-01T00:00:00Z"'),
    "a time that is none": ("timestamp", '"timestamp":"yesterday"'),
    "a time of next month": ("timestamp", '"timestamp":"2026-04-02T00:00:00Z"'),
    "an empty key": ("properties", '"properties":{"":1,"sku":"x"}'),
    "25 levels": ("properties", '"properties":' + '{"a":' * 25 + "1" + "}" * 25),
    "a NUL": ("properties.note", '"properties":{"note":"a\\u0000b"}'),
    "a cut emoji": ("properties.note", '"properties":{"note":"a\\ud83d"}'),
    "41 digits": ("properties.n", '"properties":{"n":' + "1" * 41 + "}"),
    "NaN": ("properties.n", '"properties":{"n":NaN}'),
    "properties as text": ("properties", '"properties":"big"'),
    "a context as text": ("context", '"context":"web"'),
    "an id of 300 characters": ("anonymousId", '"anonymousId":"' + "a" * 300 + '"'),
    "a placeholder beside an id": ("anonymousId", '"anonymousId":"undefined"'),
    "an openid without an account": ("context.traits.openid", '"context":{"traits":{"openid":"o1"}}'),
    "an external id without a type": ("context.externalIds[0].type", '"context":{"externalIds":[{"id":"x"}]}'),
}


@pytest.mark.parametrize("name", USABLE_ITEMS)
def test_what_of_an_item_cannot_be_used_is_left_out_and_named(name: str) -> None:
    desk = Desk()
    field, member = USABLE_ITEMS[name]
    body = '{"userId":"u1","event":"Seen",' + member + "}"
    outcome = desk.receiver.segment(
        "track", call(body.replace('"event":"Seen",', "" if "event" in member else '"event":"Seen",').encode())
    )
    assert isinstance(outcome, Accepted)
    assert (outcome.count, outcome.rejected) == (1, 0)
    assert [warning.field[: len(field)] for warning in outcome.warnings] == ([field] if field else [])
    [event] = desk.queue.sent
    assert (event.contact, event.received_at) == ({"user_id": "u1"}, NOW)


@pytest.mark.parametrize(
    ("traits", "fields", "profile"),
    [
        ({"email": "n/a", "plan": "pro"}, ["email"], {"plan": "pro"}),
        ({"phone": "12345", "plan": "pro"}, ["phone"], {"plan": "pro"}),
        ({"tags": "vip,gold", "plan": "pro"}, ["tags"], {"plan": "pro", "tags": []}),
        ({"tags": ["vip", 5]}, ["tags[1]"], {"tags": ["vip"]}),
        ({"groups": ["acme", "undefined"]}, ["groups[1]"], {"groups": ["acme"]}),
        ({"consent": "yes", "plan": "pro"}, ["consent"], {"consent": {}, "plan": "pro"}),
        ({"First Name": "Mei", "firstName": "Li", "plan": "pro"}, ["firstName"], {"plan": "pro"}),
        ({"email": "undefined@example.com"}, ["email"], {}),
    ],
)
def test_what_of_the_traits_cannot_be_used_is_left_out(
    traits: dict[str, Any], fields: list[str], profile: dict[str, Any]
) -> None:
    desk = Desk()
    outcome = desk.receiver.segment("identify", call({"userId": "u1", "traits": traits}))
    assert isinstance(outcome, Accepted)
    assert [warning.field for warning in outcome.warnings] == [f"traits.{field}" for field in fields]
    assert desk.queue.sent[0].profile == profile


def test_a_request_of_which_nothing_can_be_used_is_taken_and_kept() -> None:
    desk = Desk()
    outcome = desk.receiver.segment("track", call({"userId": "null", "event": "Seen"}))
    assert isinstance(outcome, Accepted)
    assert (outcome.count, outcome.rejected, desk.queue.sent) == (0, 1, [])
    assert desk.rejected.kept[0].given == {"userId": "null", "event": "Seen"}


def test_ids_of_calls_in_which_characters_were_lost_do_not_make_two_calls_one() -> None:
    desk = Desk()
    for name in ("First", "Second"):
        desk.receiver.segment("track", call({"userId": "u", "event": name, "messageId": "m\ufffd"}))
    assert len({event.id for event in desk.queue.sent}) == 2


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
        assert isinstance(outcome, Accepted)
        assert (outcome.count, outcome.warnings[0].field) == (0, "webhook-id")
    assert len(desk.queue.sent) == 1
    assert status(desk.receiver.webhook("crm", signed(EVENT))) == 202


def test_a_rejected_webhook_may_be_corrected_under_the_same_id() -> None:
    desk = Desk()
    desk.receiver.webhook("shop", signed({"type": "x"}))
    assert ([item.where for item in desk.rejected.kept], desk.queue.sent) == (["body"], [])
    assert desk.receiver.webhook("shop", signed(EVENT)) == Accepted(count=1)


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
    "content_type", ["application/x-www-form-urlencoded", "application/octet-stream", "application/gzip"]
)
def test_gzip_is_json_whatever_the_content_type_says(content_type: str) -> None:
    packed = gzip.compress(json.dumps(TRACK).encode())
    assert body_status(packed, content_encoding="gzip", content_type=content_type) == 202
    assert body_status(gzip.compress(b"a=b&c=d"), content_encoding="gzip", content_type=content_type) == 400
    assert body_status(json.dumps(TRACK).encode(), content_encoding="gzip", content_type=content_type) == 415
    assert body_status(packed, content_type=content_type) == 415


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
