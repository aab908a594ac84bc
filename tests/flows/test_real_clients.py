"""The public Segment SDK and a Standard Webhooks client against the deployed API; and what no client should send."""

import gzip
import json
import logging
import uuid
from base64 import b64encode
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from segment.analytics import Client
from standardwebhooks import Webhook

from local.cloud.local_cloud import LocalCloud
from local.loopback import Answer, call
from tests.flows.steps import accepted, heard, only, rows
from waypost.clock import format_instant, parse_instant, real_now

pytestmark = pytest.mark.flow

Headers = dict[str, str]


# --- the Segment SDK -----------------------------------------------------------------------------------------------------


def use(client: Any, user_id: str) -> None:
    """Every call of the SDK, once."""
    person = {"email": f"{user_id}@example.com", "firstName": "Li", "consent": {"email": True}}
    context = {"locale": "zh-CN", "timezone": "Asia/Shanghai"}
    client.identify(user_id, person, context=context)
    client.track(user_id, "Order Placed", {"order_id": "A-1", "total": 12.5}, context=context)
    client.page(user_id, "Docs", "Python", {"url": "https://shop.example.com/docs"})
    client.screen(user_id, "App", "Basket", {"items": 2})
    client.group(user_id, "club-7", {"plan": "gold"})
    client.alias("before-" + user_id, user_id)


def check(cloud: LocalCloud, user_id: str) -> None:
    """All of it has arrived, at about this moment of the virtual clock, which is years ahead of the SDK's."""
    events = {row["type"]: row for row in heard(cloud, user_id).values()}
    assert sorted(events) == [
        "contact_aliased", "group_joined", "identified", "order_placed", "page_viewed", "screen_viewed"
    ]  # fmt: skip
    assert events["order_placed"]["properties"] == {"order_id": "A-1", "total": 12.5}
    assert events["page_viewed"]["properties"]["name"] == "Python"
    assert events["group_joined"]["properties"] == {"group": "club-7", "group_id": "club-7", "traits": {"plan": "gold"}}
    assert events["contact_aliased"]["properties"] == {"previous_id": f"before-{user_id}"}
    now = cloud.clock.now()
    assert all(now - timedelta(minutes=1) < parse_instant(row["occurred_at"]) <= now for row in events.values())
    attributes = only(rows(cloud, user_id, "profile"))["attributes"]
    wanted = {"email": f"{user_id}@example.com", "first_name": "Li", "locale": "zh-CN", "timezone": "Asia/Shanghai"}
    assert attributes == wanted


def test_the_segment_sdk_one_call_at_a_time(cloud: LocalCloud) -> None:
    client = Client(cloud.access.write_key, host=cloud.access.api_url, sync_mode=True, max_retries=0)
    use(client, "sdk-single")
    cloud.time.settle()
    check(cloud, "sdk-single")


def test_the_segment_sdk_in_batches(cloud: LocalCloud) -> None:
    failures: list[Any] = []
    client = batching(cloud, failures)
    use(client, "sdk-batches")
    client.shutdown()
    cloud.time.settle()
    assert failures == []
    check(cloud, "sdk-batches")


def test_the_segment_sdk_that_repeats_itself_is_heard_once(cloud: LocalCloud) -> None:
    failures: list[Any] = []
    options = {"message_id": "sdk-once-1", "timestamp": real_now()}
    for _ in range(3):
        client = batching(cloud, failures)
        client.track("sdk-once", "Order Placed", {"order_id": "A-2"}, **options)
        client.track("sdk-once", "Order Placed", {"order_id": "A-2"}, **options)
        client.shutdown()
    cloud.time.settle()
    assert failures == []
    assert only(heard(cloud, "sdk-once"))["properties"] == {"order_id": "A-2"}


def test_the_segment_sdk_with_gzip_learns_what_the_gateway_does_to_it(
    cloud: LocalCloud, caplog: pytest.LogCaptureFixture
) -> None:
    """The gateway passes JSON on as text, which no packed body survives; the SDK hears so at once and does not go on."""
    caplog.set_level(logging.CRITICAL, "segment")
    failures: list[Any] = []
    client = batching(cloud, failures, gzip=True)
    use(client, "sdk-gzip")
    client.shutdown()
    assert {(error.status, error.code) for error in failures} == {(415, "unsupported_media_type")}
    assert "send it uncompressed" in failures[0].message
    cloud.time.settle()
    assert rows(cloud, "sdk-gzip") == {}


def test_a_packed_body_that_the_gateway_leaves_alone_is_unpacked(cloud: LocalCloud) -> None:
    payload = {"userId": "packed", "event": "Order Placed", "timestamp": format_instant(cloud.clock.now())}
    credentials = b64encode(f"{cloud.access.write_key}:".encode()).decode()
    headers = {"content-encoding": "gzip", "authorization": f"Basic {credentials}"}
    accepted(
        call(
            "POST",
            f"{cloud.access.api_url}/v1/track",
            body=gzip.compress(json.dumps(payload).encode()),
            headers=headers,
        )
    )
    cloud.time.settle()
    assert only(heard(cloud, "packed"))["type"] == "order_placed"


def batching(cloud: LocalCloud, failures: list[Any], *, write_key: str = "", **options: Any) -> Any:
    """The SDK as a server uses it: calls are queued and posted from a thread; what fails is added to ``failures``."""
    return Client(
        write_key or cloud.access.write_key,
        host=cloud.access.api_url,
        max_retries=0,
        upload_interval=0.01,
        on_error=lambda error, _: failures.append(error),
        **options,
    )


def test_the_segment_sdk_learns_that_its_write_key_is_wrong(
    cloud: LocalCloud, caplog: pytest.LogCaptureFixture
) -> None:
    failures: list[Any] = []
    caplog.set_level(logging.CRITICAL, "segment")
    client = batching(cloud, failures, write_key="nobody")
    client.track("sdk-stranger", "Order Placed")
    client.shutdown()
    [error] = failures
    assert (error.status, error.code) == (401, "unauthorized")
    cloud.time.settle()
    assert rows(cloud, "sdk-stranger") == {}


# --- Standard Webhooks ---------------------------------------------------------------------------------------------------


def signed(cloud: LocalCloud, body: str, *, secret: str = "", age: timedelta = timedelta(), **replaced: str) -> Headers:
    """The headers of a webhook of the shop, made by the reference library."""
    webhook_id = replaced.get("webhook_id") or f"msg_{uuid.uuid4().hex}"
    sent = real_now() - age
    signature = Webhook(secret or cloud.access.webhook_sources["shop"]).sign(webhook_id, sent, body)
    return {
        "content-type": "application/json",
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(sent.timestamp())),
        "webhook-signature": replaced.get("signature") or signature,
    }


def send(cloud: LocalCloud, body: str, headers: Headers, *, source: str = "shop") -> Answer:
    """Post a webhook."""
    return call("POST", f"{cloud.access.api_url}/v1/webhooks/{source}", body=body.encode(), headers=headers)


def order(user_id: str) -> str:
    """The body of a webhook about an order."""
    return json.dumps(
        {"type": "order_placed", "contact": {"user_id": user_id}, "properties": {"total": 3}}, ensure_ascii=False
    )


def test_a_webhook_signed_by_the_reference_library_is_accepted_once(cloud: LocalCloud) -> None:
    body = order("hook-once")
    headers = signed(cloud, body)
    assert send(cloud, body, headers).status == 202
    again = send(cloud, body, headers)
    assert again.status == 200
    assert "was accepted before" in again.body.decode()
    cloud.time.settle()
    assert only(heard(cloud, "hook-once"))["source"] == "shop"


@pytest.mark.parametrize(
    ("what", "status", "field"),
    [
        ("a wrong signature", 401, "webhook-signature"),
        ("another secret", 401, "webhook-signature"),
        ("another body", 401, "webhook-signature"),
        ("no headers", 401, "webhook-signature"),
        ("a source nobody knows", 401, "webhook-signature"),
        ("a signature of an hour ago", 400, "webhook-timestamp"),
        ("a signature of the future", 400, "webhook-timestamp"),
    ],
)
def test_a_webhook_that_is_not_genuine_or_stale_is_refused(
    cloud: LocalCloud, what: str, status: int, field: str
) -> None:
    user_id = what.replace(" ", "-")
    body, source = order(user_id), "shop"
    headers = signed(cloud, body)
    match what:
        case "a wrong signature":
            headers = signed(cloud, body, signature="v1," + b64encode(b"0" * 32).decode())
        case "another secret":
            headers = signed(cloud, body, secret="whsec_" + b64encode(b"1" * 32).decode())
        case "another body":
            body = body.replace("3", "4")
        case "no headers":
            headers = {"content-type": "application/json"}
        case "a source nobody knows":
            source = "nobody"
        case "a signature of an hour ago":
            headers = signed(cloud, body, age=timedelta(hours=1))
        case "a signature of the future":
            headers = signed(cloud, body, age=-timedelta(hours=1))
    answer = send(cloud, body, headers, source=source)
    assert (answer.status, answer.json()["error"]["field"]) == (status, field)
    cloud.time.settle()
    assert rows(cloud, user_id) == {}


@pytest.fixture
def rotated(cloud: LocalCloud) -> Iterator[tuple[str, str]]:
    """The old and the new secret of the shop while both are valid."""
    service, secret_id = cloud.client("secretsmanager"), f"waypost/{cloud.access.stage}/webhooks"
    before = service.get_secret_value(SecretId=secret_id)["SecretString"]
    old, new = cloud.access.webhook_sources["shop"], "whsec_" + b64encode(uuid.uuid4().bytes * 2).decode()
    value = json.loads(before)
    value["sources"]["shop"] = [new, old]
    service.put_secret_value(SecretId=secret_id, SecretString=json.dumps(value))
    restart_receivers(cloud)
    yield old, new
    service.put_secret_value(SecretId=secret_id, SecretString=before)
    restart_receivers(cloud)


def restart_receivers(cloud: LocalCloud) -> None:
    """A process remembers the secret for a while; a new one has nothing to remember."""
    name = f"waypost-{cloud.access.stage}-receive-webhook"
    service = cloud.client("lambda")
    environment = service.get_function_configuration(FunctionName=name)["Environment"]
    environment["Variables"]["ROTATED"] = uuid.uuid4().hex
    service.update_function_configuration(FunctionName=name, Environment=environment)


def test_while_a_secret_is_rotated_both_are_valid_and_one_signature_of_two_is_enough(
    cloud: LocalCloud, rotated: tuple[str, str]
) -> None:
    for number, secret in enumerate(rotated):
        body = order(f"rotated-{number}")
        assert send(cloud, body, signed(cloud, body, secret=secret)).status == 202
    body = order("rotated-both")
    headers = signed(cloud, body, secret=rotated[1])
    strange = "v1," + b64encode(b"2" * 32).decode()
    headers["webhook-signature"] = f"{strange} v1a,abc {headers['webhook-signature']}"
    assert send(cloud, body, headers).status == 202
    body = order("rotated-neither")
    assert send(cloud, body, signed(cloud, body, secret="whsec_" + b64encode(b"3" * 32).decode())).status == 401
    cloud.time.settle()
    assert len(heard(cloud, "rotated-0")) == len(heard(cloud, "rotated-1")) == 1
    assert rows(cloud, "rotated-neither") == {}


# --- what no client should send ------------------------------------------------------------------------------------------


def track(**fields: Any) -> bytes:
    """A call for a contact that must never be created."""
    return json.dumps({"userId": "nasty", "event": "Order Placed", **fields}).encode()


def batch(*calls: Any) -> bytes:
    """A batch of a good call and others."""
    return json.dumps({"batch": [{"type": "track", "userId": "nasty", "event": "Fine"}, *calls]}).encode()


def nested(depth: int) -> bytes:
    """A call with properties nested so deep."""
    return b'{"userId":"nasty","event":"Deep","properties":' + b'{"a":' * depth + b"1" + b"}" * depth + b"}"


REFUSED: dict[str, tuple[str, bytes, int, str]] = {
    "nothing": ("track", b"", 400, "body"),
    "no JSON": ("track", b"userId=nasty&event=Order+Placed", 400, "body"),
    "JSON cut off": ("track", track()[:-5], 400, "body"),
    "a list": ("track", b"[]", 400, "body"),
    "a number": ("track", b"7", 400, "body"),
    "ten megabytes of text": ("track", track(properties={"text": "x" * 10_000_000}), 413, "body"),
    "one call of forty kilobytes": ("track", track(properties={"text": "x" * 40_000}), 413, "body"),
    "a batch of 600 KB": ("batch", batch(*[json.loads(track(type="track", text="x" * 6000))] * 100), 413, "body"),
    "a thousand levels": ("track", nested(1000), 400, "body"),
    "a hundred thousand levels": ("track", nested(50_000), 400, "body"),
}  # fmt: skip


LEFT_OUT: dict[str, tuple[str, bytes, int, str]] = {
    "NaN": ("track", b'{"userId":"nasty","event":"A","properties":{"total":NaN}}', 1, "properties.total"),
    "a number with 400 digits": ("track", track(properties={"n": 10**400}), 1, "properties.n"),
    "a key twice": ("track", b'{"userId":"nasty","userId":"other","event":"A"}', 0, "userId"),
    "NUL in a value": ("track", track(properties={"note": "a\0b"}), 1, "properties.note"),
    "NUL in a key": ("track", track(properties={"a\0b": 1}), 1, "properties.a\\0b"),
    "NUL in the user": ("track", track(userId="nasty\0"), 0, "userId"),
    "half a surrogate pair": ("track", b'{"userId":"nasty","event":"A","properties":{"n":"\\ud800"}}', 1, "properties.n"),
    "forty levels": ("track", nested(40), 1, "properties" + ".a" * 23),
    "nobody": ("track", json.dumps({"event": "A"}).encode(), 0, "userId"),
    "a user that is a list": ("track", track(userId=["nasty"]), 0, "userId"),
    "an event that is a number": ("track", track(event=7), 0, "event"),
    "no event": ("track", json.dumps({"userId": "nasty"}).encode(), 0, "event"),
    "properties that are text": ("track", track(properties="none"), 1, "properties"),
    "the year 9999": ("track", track(timestamp="9999-12-31T23:59:59Z"), 1, "timestamp"),
    "the year 1": ("track", track(timestamp="0001-01-01T00:00:00Z"), 1, "timestamp"),
    "the thirtieth of February": ("track", track(timestamp="2031-02-30T00:00:00Z"), 1, "timestamp"),
    "a time without a zone": ("track", track(timestamp="2031-02-03T00:00:00"), 1, "timestamp"),
    "a time that is a number": ("track", track(timestamp=1e99), 1, "timestamp"),
    "a number no store can hold": ("track", track(timestamp=1e308), 1, "timestamp"),
    "a bad call in a good batch": ("batch", batch({"type": "track", "userId": "nasty"}), 1, "batch[1].event"),
    "an unknown call in a batch": ("batch", batch({"type": "delete", "userId": "nasty"}), 1, "batch[1].type"),
    "text in a batch": ("batch", batch("identify"), 1, "batch[1]"),
    "a broken e-mail address": ("identify", json.dumps({"userId": "nasty", "traits": {"email": "a@b@c"}}).encode(), 1, "traits.email"),
    "a group without an id": ("group", json.dumps({"userId": "nasty"}).encode(), 0, "groupId"),
    "an alias of nobody": ("alias", json.dumps({"userId": "nasty"}).encode(), 0, "previousId"),
}  # fmt: skip


def posted(cloud: LocalCloud, path: str, body: bytes) -> Any:
    credentials = b64encode(f"{cloud.access.write_key}:".encode()).decode()
    headers = {"content-type": "application/json", "authorization": f"Basic {credentials}"}
    return call("POST", f"{cloud.access.api_url}/v1/{path}", body=body, headers=headers)


@pytest.mark.parametrize("name", REFUSED)
def test_what_nobody_can_read_is_refused_with_the_field_and_the_reason(cloud: LocalCloud, name: str) -> None:
    path, body, status, field = REFUSED[name]
    answer = posted(cloud, path, body)
    assert answer.status == status, answer.body[:300]
    answered = answer.json()
    assert answered["success"] is False
    assert answered["error"]["field"] == field, answered
    assert answered["error"]["reason"]
    assert "nasty" not in json.dumps(answered), "an answer does not repeat what it refuses"


def test_nothing_of_it_came_through(cloud: LocalCloud) -> None:
    cloud.time.settle()
    assert rows(cloud, "nasty") == {}
    queue = cloud.client("sqs").get_queue_attributes(
        QueueUrl=cloud.access.outputs["EventsQueueUrl"], AttributeNames=["All"]
    )["Attributes"]
    assert [queue[f"ApproximateNumberOfMessages{state}"] for state in ("", "NotVisible", "Delayed")] == ["0"] * 3


@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_no_client_should_send_is_left_out_with_the_field_and_the_reason(cloud: LocalCloud, name: str) -> None:
    path, body, accepted_count, field = LEFT_OUT[name]
    answer = posted(cloud, path, body)
    assert answer.status == 200, answer.body[:300]
    answered = answer.json()
    assert (answered["success"], answered["accepted"]) == (True, accepted_count)
    assert answered["warnings"][0]["field"] == field, answered
    assert answered["warnings"][0]["reason"]
    assert "nasty" not in json.dumps(answered), "an answer does not repeat what it leaves out"


def test_what_no_event_could_be_made_of_waits_for_an_operator(cloud: LocalCloud) -> None:
    kept = cloud.client("sqs").receive_message(
        QueueUrl=cloud.access.outputs["RejectedItemsUrl"], MessageAttributeNames=["All"], MaxNumberOfMessages=10
    )["Messages"]
    for message in kept:
        body = json.loads(message["Body"])
        assert (body["source"], bool(body["problems"]), bool(body["given"])) == ("segment", True, True)
        assert message["MessageAttributes"]["reason"]["StringValue"]


@pytest.mark.parametrize(
    "headers", ["content-type", "anonymousid,authorization,content-type", "content-type,x-retry-count"]
)
def test_a_browser_may_send_what_the_sdks_for_browsers_send(cloud: LocalCloud, headers: str) -> None:
    asked = {
        "origin": "https://shop.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": headers,
    }
    answer = call("OPTIONS", f"{cloud.access.api_url}/v1/t", body=b"", headers=asked)
    assert answer.status in {200, 204}, answer.body
    answered = {name.lower(): value.lower() for name, value in answer.headers.items()}
    assert answered["access-control-allow-origin"] == "*"
    assert "post" in answered["access-control-allow-methods"].split(",")
    assert set(headers.split(",")) <= set(answered["access-control-allow-headers"].split(","))
    body = json.dumps({"anonymousId": "an-browser", "type": "page", "writeKey": cloud.access.write_key}).encode()
    posted_ = call(
        "POST",
        f"{cloud.access.api_url}/v1/p",
        body=body,
        headers={"origin": asked["origin"], "content-type": "text/plain"},
    )
    assert posted_.status in {200, 202}, posted_.body
    assert {name.lower(): value for name, value in posted_.headers.items()}["access-control-allow-origin"] == "*"


def test_a_stranger_is_refused_whatever_the_content(cloud: LocalCloud) -> None:
    headers = {"content-type": "application/json", "authorization": "Basic bm9ib2R5Og=="}
    for body in (b"{", track(), b"\xff"):
        answer = call("POST", f"{cloud.access.api_url}/v1/track", body=body, headers=headers)
        assert (answer.status, answer.json()["error"]["field"]) == (401, "authorization")


def test_routes_that_do_not_exist_are_answered_in_the_same_form(cloud: LocalCloud) -> None:
    accepted(cloud.tracking.identify("routes", {"email": "routes@example.com"}, at=cloud.clock.now()))
    answer = call("POST", f"{cloud.access.api_url}/v1/erase", body=b"{}")
    assert answer.status == 404
