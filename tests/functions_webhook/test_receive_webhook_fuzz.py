"""Whatever arrives, the receive_webhook function answers, and accepts whole or refuses whole."""

import base64
import gzip
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.receive_webhook import handler
from tests.functions_webhook.gateway import HttpAnswer, ask, event
from tests.intake.fakes import Desk, basic, signed_headers

FUZZ = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
CALLS = ("identify", "track", "page", "screen", "group", "alias", "batch")

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(
        [
            "\0",
            "\ud800",
            "Order Placed",
            "u1",
            "2026-03-02T00:00:00Z",
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59-23:59",
            10**400,
            1e308,
            "mei@example.com",
            "+8613800138000",
            "Asia/Shanghai",
            "zh-CN",
            "track",
            "x" * 40_000,
        ]
    )
)
names = st.text(max_size=8) | st.sampled_from([
    "userId", "anonymousId", "event", "type", "traits", "properties", "context", "timestamp", "sentAt", "messageId",
    "batch", "groupId", "previousId", "writeKey", "email", "phone", "locale", "timezone", "consent", "tags", "contact",
    "events", "user_id", "contact_id", "occurred_at", "profile", "id", "originalTimestamp", "",
])  # fmt: skip
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=6), max_leaves=20
)
documents = st.dictionaries(names, values, max_size=8)
good_calls = st.sampled_from([{"type": "track", "event": "A", "userId": "u1"}, {"type": "identify", "userId": "u2"}])


def as_bytes(document: Any) -> bytes:
    return json.dumps(document).encode("utf-8", "surrogatepass")


def accepted_or_refused(answer: HttpAnswer, desk: Desk, before: int) -> None:
    arrived = len(desk.queue.sent) - before
    if answer.status == 202:
        assert answer.json["accepted"] == arrived > 0
    elif answer.status == 200:
        assert answer.json["accepted"] == arrived
        assert arrived + answer.json.get("rejected", 0) > 0 or "before" in answer.json["warnings"][0]["reason"]
        assert all(warning["field"] and warning["reason"] for warning in answer.json["warnings"])
        assert bool(desk.rejected.kept) or not answer.json.get("rejected")
    else:
        assert 400 <= answer.status < 500
        assert arrived == 0
        assert answer.json["error"]["field"]
        assert answer.json["error"]["reason"]
        assert 1 <= len(answer.json["errors"]) <= 20


@given(call=st.sampled_from(CALLS), document=documents | values, data=st.data())
@FUZZ
def test_any_json_to_any_call(desk: Desk, call: str, document: Any, data: st.DataObject) -> None:
    if call == "batch" and data.draw(st.booleans()):
        document = {"batch": [data.draw(good_calls), document, data.draw(good_calls)]}
    before = len(desk.queue.sent)
    headers = {"content-type": "application/json", "authorization": basic()}
    accepted_or_refused(ask(handler.handle, event("POST", f"/v1/{call}", as_bytes(document), headers)), desk, before)


@given(document=documents | values, webhook_id=st.uuids())
@FUZZ
def test_any_signed_json(desk: Desk, document: Any, webhook_id: Any) -> None:
    body = as_bytes(document)
    headers = {"content-type": "application/json"} | signed_headers(body, webhook_id=str(webhook_id))
    before = len(desk.queue.sent)
    accepted_or_refused(ask(handler.handle, event("POST", "/v1/webhooks/shop", body, headers)), desk, before)


@given(
    path=st.sampled_from(["/v1/track", "/v1/batch", "/v1/webhooks/shop"]) | st.text(max_size=30).map("/v1/webhooks/{}".format),
    body=st.binary(max_size=200) | st.binary(max_size=50).map(gzip.compress) | st.sampled_from([b"[" * 5000, b"{}" * 300_000]),
    content_type=st.sampled_from(["application/json", "text/plain", "", "image/png", "application/json; charset=latin-1"]),
    headers=st.dictionaries(
        st.sampled_from([
            "authorization", "content-encoding", "webhook-id", "webhook-timestamp", "webhook-signature", "user-agent",
            "x-correlation-id",
        ]),
        st.text(max_size=40)
        | st.sampled_from(["gzip", basic(), "Basic", "1772424000", "v1,AAAA", "msg_1"])
        | st.binary(max_size=10).map(lambda raw: "Basic " + base64.b64encode(raw).decode()),
    ),
    encoded=st.booleans(),
)  # fmt: skip
@FUZZ
def test_any_bytes_with_any_headers(
    desk: Desk, path: str, body: bytes, content_type: str, headers: dict[str, str], encoded: bool
) -> None:
    before = len(desk.queue.sent)
    made = event("POST", path, body, {"content-type": content_type} | headers, encoded=encoded)
    accepted_or_refused(ask(handler.handle, made), desk, before)


@pytest.mark.parametrize(
    "body",
    [
        None,
        b'{"a":' * 50_000,
        b"[" * 400_000,
        b'{"batch":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"userId": ' + b"1" * 100_000 + b"}",
        b'{"userId": "u", "event": "' + b"x" * 10_000_000 + b'"}',
        b"\xff" * 100,
        b'{"userId":"u","event":"A","properties":' + b'{"a":' * 30 + b"1" + b"}" * 31,
    ],
)
def test_bombs_are_refused(desk: Desk, body: bytes | None) -> None:
    headers = {"content-type": "application/json", "authorization": basic()}
    for encoded in (False, True):
        accepted_or_refused(ask(handler.handle, event("POST", "/v1/batch", body, headers, encoded=encoded)), desk, 0)
