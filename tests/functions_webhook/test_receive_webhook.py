"""The receive_webhook function over HTTP, with real clients."""

import gzip
import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import requests
from segment.analytics import request as segment_request
from segment.analytics.client import Client

from functions.receive_webhook import handler
from tests.functions_webhook.gateway import HttpAnswer, ask, event
from tests.intake.fakes import NOW, WRITE_KEY, Desk, basic, signed_headers
from waypost.settings import Settings

TRACK = {"userId": "u1", "event": "Order Placed", "messageId": "m1"}
WEBHOOK = {"type": "order.placed", "contact": {"user_id": "u1"}}
JSON = {"content-type": "application/json"}


def post(path: str, document: Any, **headers: str) -> HttpAnswer:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ask(handler.handle, event("POST", path, body, JSON | {"authorization": basic()} | named))


def post_signed(document: Any, *, source: str = "shop", **signing: Any) -> HttpAnswer:
    body = json.dumps(document).encode()
    return ask(handler.handle, event("POST", f"/v1/webhooks/{source}", body, JSON | signed_headers(body, **signing)))


def test_the_sample_event_is_accepted(desk: Desk) -> None:
    sample = json.loads(Path(handler.__file__).with_name("event.json").read_text(encoding="utf-8"))
    answer = ask(handler.handle, sample)
    assert (answer.status, answer.json) == (202, {"success": True, "accepted": 1})
    (accepted,) = desk.queue.sent
    assert accepted.type == "registered"
    assert accepted.contact == {"user_id": "u-1001", "email": "mei@example.com", "phone": "+8613800138000"}
    assert accepted.correlation_id == "JKJaXmPLvHcESHA="


@pytest.mark.parametrize(
    ("call", "document"),
    [
        ("identify", {}),
        ("track", {"event": "A"}),
        ("page", {}),
        ("screen", {}),
        ("group", {"groupId": "g"}),
        ("alias", {"previousId": "p"}),
        ("batch", {"batch": [{"type": "track", "event": "A", "userId": "u"}]}),
        ("t", {"event": "A"}),
        ("import", {"batch": [{"type": "page", "userId": "u"}]}),
    ],
)
def test_every_segment_call_has_a_route(desk: Desk, call: str, document: dict[str, Any]) -> None:
    assert post(f"/v1/{call}", {"userId": "u1"} | document).status == 202
    assert len(desk.queue.sent) == 1


def test_an_answer_names_what_was_left_out_and_how_many_items_are_none(desk: Desk) -> None:
    answer = post("/v1/batch", {"batch": [TRACK | {"type": "track"}, *[{"type": "track", "userId": "u"}] * 300]})
    assert (answer.status, answer.json["accepted"], answer.json["rejected"]) == (200, 1, 300)
    assert answer.json["warnings"] == [
        {"field": f"batch[{number}].event", "reason": "is required"} for number in range(1, 201)
    ]
    assert (len(desk.queue.sent), len(desk.rejected.kept)) == (1, 300)


def test_an_empty_batch_is_taken(desk: Desk) -> None:
    answer = post("/v1/batch", {"batch": []})
    assert answer.status in {200, 202}
    assert (answer.json["accepted"], desk.queue.sent, desk.rejected.kept) == (0, [], [])


def test_a_type_is_known_in_any_case(desk: Desk) -> None:
    answer = post("/v1/batch", {"batch": [TRACK | {"type": "Track"}, TRACK | {"type": " IDENTIFY "}]})
    assert (answer.json["accepted"], len(desk.queue.sent)) == (2, 2)


def test_a_refusal_names_field_and_reason(desk: Desk) -> None:
    answer = post("/v1/batch", {"batch": "none"})
    assert answer.status == 400
    assert answer.json["errors"] == [answer.json["error"]]
    assert (answer.json["code"], answer.json["error"]["field"]) == ("bad_request", "batch")
    assert answer.json["message"].startswith("batch: ")
    assert desk.queue.sent == []


def test_a_wrong_write_key_is_asked_for_a_better_one(desk: Desk) -> None:
    answer = post("/v1/track", TRACK, authorization=basic("wrong"))
    assert (answer.status, answer.json["code"]) == (401, "unauthorized")
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


def test_a_broken_queue_is_503_with_a_time_to_come_back(desk: Desk) -> None:
    desk.queue.broken = True
    answer = post("/v1/track", TRACK)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json["success"] is False


def test_a_signed_webhook_is_accepted_once(desk: Desk) -> None:
    assert post_signed(WEBHOOK).status == 202
    again = post_signed(WEBHOOK)
    assert (again.status, again.json["accepted"], again.json["warnings"][0]["field"]) == (200, 0, "webhook-id")
    assert len(desk.queue.sent) == 1


def test_a_webhook_of_a_strange_source_or_signature_is_refused(desk: Desk) -> None:
    assert post_signed(WEBHOOK, source="nobody").status == 401
    assert post_signed(WEBHOOK, secret="whsec_d3Jvbmcgc2VjcmV0IQ==").status == 401
    assert post_signed(WEBHOOK, at=NOW.replace(hour=3)).status == 400
    assert desk.queue.sent == []


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v1/track"), ("POST", "/v1/dance"), ("POST", "/"), ("PUT", "/v1/batch")]
)
def test_a_route_that_does_not_exist_says_so(desk: Desk, method: str, path: str) -> None:
    answer = ask(handler.handle, event(method, path, b"{}", JSON))
    assert (answer.status, answer.json["error"]["field"]) == (404, "path")


def test_a_body_in_base64_is_read_and_a_broken_one_refused(desk: Desk) -> None:
    made = event("POST", "/v1/track", json.dumps(TRACK).encode(), JSON | {"authorization": basic()}, encoded=True)
    assert ask(handler.handle, made).status == 202
    assert ask(handler.handle, made | {"body": "###"}).status == 400
    assert ask(handler.handle, made | {"body": "\ud800", "isBase64Encoded": False}).status == 400


def test_a_gzip_body_that_the_gateway_read_as_text_is_refused_with_advice(desk: Desk) -> None:
    answer = post("/v1/track", gzip.compress(json.dumps(TRACK).encode()), content_encoding="gzip")
    assert answer.status == 415
    assert "uncompressed" in answer.json["error"]["reason"]


def test_accepted_and_refused_events_are_counted(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    post("/v1/batch", {"batch": [TRACK | {"type": "track"}, TRACK | {"type": "track", "messageId": "m2"}]})
    several_problems = {"type": "track", "event": "!!!", "userId": {"a": 1}, "timestamp": 5}
    post("/v1/batch", {"batch": [TRACK | {"type": "track"}, several_problems, "text"]})
    post("/v1/track", [])
    counted = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    named = [(name, each[name]) for each in counted for name in each if name.startswith(("Events", "Requests"))]
    assert named == [
        ("EventsAccepted", [2.0]), ("EventsAccepted", [1.0]), ("EventsRefused", [2.0]), ("RequestsRefused", [1.0]),
    ]  # fmt: skip


def test_nothing_personal_is_logged(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    log = StringIO()
    monkeypatch.setattr(handler.logger.registered_handler, "stream", log)
    person = {"userId": "u1", "traits": {"email": "mei@@example.com", "mei@example.com": "\x00", "phone": "+861380013"}}
    assert post("/v1/identify", person).status == 200
    desk.queue.broken = True
    assert post("/v1/identify", {"userId": "u1", "traits": {"email": "mei@example.com"}}).status == 503
    assert "accepted in part" in log.getvalue()
    assert not any(text in log.getvalue() for text in ("mei", "+861380013"))


@pytest.mark.parametrize("packed", [False, True])
def test_the_segment_sdk_works_unchanged(desk: Desk, monkeypatch: pytest.MonkeyPatch, packed: bool) -> None:
    deliver, answers = to_the_function()
    monkeypatch.setattr(segment_request._session, "post", deliver)
    sdk = Client(WRITE_KEY, host="https://api.example.com", sync_mode=True, gzip=packed)
    sdk.identify("u1", {"email": "mei@example.com", "plan": "pro"})
    sdk.track("u1", "Order Placed", {"total": 9.5})
    sdk.page("u1", "Shop", "Home")
    sdk.screen("u1", name="Cart")
    sdk.group("u1", "acme", {"name": "Acme"})
    sdk.alias("old", "u1")
    assert [answer.status for answer in answers] == [200] * 6
    assert [accepted.type for accepted in desk.queue.sent] == [
        "identified", "order_placed", "page_viewed", "screen_viewed", "group_joined", "contact_aliased",
    ]  # fmt: skip


def test_the_segment_sdk_loses_nothing_to_one_bad_call(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    deliver, answers = to_the_function()
    monkeypatch.setattr(segment_request._session, "post", deliver)
    sdk = Client(WRITE_KEY, host="https://api.example.com", sync_mode=True)
    sdk.track("u1", "下单")
    sdk.track("u1", "!!!")
    sdk.track("u1", "Order Placed")
    assert [accepted.type for accepted in desk.queue.sent] == ["下单", "order_placed"]
    assert [answer.status for answer in answers] == [200] * 3
    assert [problem.field for problem in desk.rejected.kept[0].problems] == ["batch[0].event"]


def to_the_function() -> tuple[Callable[..., requests.Response], list[HttpAnswer]]:
    """A stand-in for the SDK's network, and what it was answered."""
    answers: list[HttpAnswer] = []

    def deliver(url: str, *, data: str | bytes, headers: dict[str, str], **_: Any) -> requests.Response:
        body = data if isinstance(data, bytes) else data.encode()
        made = event("POST", "/" + url.split("/", 3)[3], body, headers, encoded="Content-Encoding" in headers)
        answers.append(ask(handler.handle, made))
        response = requests.Response()
        response.status_code = answers[-1].status
        response._content = answers[-1].text.encode()
        return response

    return deliver, answers


def test_the_receiver_is_wired_out_of_the_environment_without_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "sample")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("WAYPOST_EVENTS_QUEUE_URL", "https://sqs.example/q.fifo")
    assert Settings.load().events_queue_url
    assert handler.receive_webhook() is handler.receive_webhook()
    handler.receive_webhook.cache_clear()
