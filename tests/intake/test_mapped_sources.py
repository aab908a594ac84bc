"""Webhooks of shops and CRMs in their own form: who may send, and which events they become."""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from infra.project import ROOT
from tests.fakes.secrets import FakeSecret
from tests.intake.fakes import NOW, Desk, posted, signed
from waypost.authoring.discovery import discover
from waypost.events.envelope import Event
from waypost.intake.http_answers import answer
from waypost.intake.http_request import Request
from waypost.intake.request_outcome import Accepted, Refused
from waypost.intake.sender_schemes import Scheme, Trusted, check, dingtalk_envelope
from waypost.intake.source_mapping import SourceMapping

SAMPLES = Path(__file__).with_name("samples")
SHOPIFY = "shpss_0123456789abcdef"
BEARER = "salesforce-token-0123456789"
YOUZAN = "exampleclientid00:youzan-client-secret"
TOKEN, AES_KEY, OWNER = "dingtalk-token", "4g5j64qlyl3zvetqxz5jiocdr586fn2zvjpa8zls3ij", "dingexamplecorp"
SECRETS = {
    "sources": {
        "shopify": [SHOPIFY],
        "salesforce": BEARER,
        "youzan": [YOUZAN],
        "dingtalk": [f"{TOKEN}:{AES_KEY}:{OWNER}"],
        "ticketing": ["hmac-secret-of-no-value"],
        "erp": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    }
}
PUBLISHED: dict[str, Any] = discover(ROOT / "statemachines").sections["sources"]
MAPPINGS = {name: SourceMapping.from_dict(name, each) for name, each in PUBLISHED.items()}
TOPICS = {
    "shopify-orders-create": "orders/create",
    "shopify-checkouts-create": "checkouts/create",
    "shopify-customers-update": "customers/update",
}


@dataclass
class MappedDesk(Desk):
    """A desk that knows the shipped mappings, and ``extra`` ones."""

    extra: dict[str, SourceMapping] = field(default_factory=dict)

    @property
    def mappings(self) -> Mapping[str, SourceMapping]:
        """Those that Waypost ships, and ``extra``."""
        return {**MAPPINGS, **self.extra}


@pytest.fixture
def desk() -> MappedDesk:
    return MappedDesk(secrets=FakeSecret(SECRETS))


def sample(name: str) -> dict[str, Any]:
    """A sample body."""
    content: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    return content


def shopify(name: str, *, secret: str = SHOPIFY, change: dict[str, Any] | None = None, **headers: str) -> Request:
    """A webhook as Shopify sends it."""
    body = json.dumps(sample(name) | (change or {})).encode()
    signature = base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()
    named = {"x_shopify_topic": TOPICS[name], "x_shopify_hmac_sha256": signature, "x_shopify_webhook_id": "b54557e4"}
    return posted(body, **(named | headers))


def salesforce(name: str, token: str = BEARER) -> Request:
    return posted(sample(name), authorization=f"Bearer {token}")


def youzan(name: str, *, secret: str = YOUZAN, change: dict[str, Any] | None = None) -> Request:
    """A message as Youzan sends it: ``msg`` is URL-encoded, the whole body is signed."""
    content = sample(name) | (change or {})
    body = json.dumps(content | {"msg": quote(json.dumps(content["msg"], ensure_ascii=False))}).encode()
    client_id, client_secret = secret.split(":")
    signature = hashlib.md5(client_id.encode() + body + client_secret.encode(), usedforsecurity=False).hexdigest()
    return posted(body, event_sign=signature, event_type=content["type"])


def dingtalk(
    content: dict[str, Any], *, token: str = TOKEN, owner: str = OWNER, late: timedelta = timedelta(0)
) -> Request:
    """A callback as DingTalk sends it: encrypted, with its signature in the query."""
    timestamp = str(int((NOW - late).timestamp() * 1000))
    packed = dingtalk_envelope(
        json.dumps(content, ensure_ascii=False),
        token=token,
        encoding_key=AES_KEY,
        owner=owner,
        timestamp=timestamp,
        nonce="n0nce",
    )
    query = {"msg_signature": packed["msg_signature"], "timestamp": timestamp, "nonce": "n0nce"}
    plain = posted({"encrypt": packed["encrypt"]})
    return Request(content=plain.content, headers=plain.headers, request_id="req-1", query=query)


def taken(desk: MappedDesk, source: str, request: Request) -> list[Event]:
    """The events that a request put into the queue."""
    before = len(desk.queue.sent)
    outcome = desk.receiver.webhook(source, request)
    assert isinstance(outcome, Accepted), outcome
    return desk.queue.sent[before:]


def test_a_shopify_order_is_an_order_of_a_contact(desk: MappedDesk) -> None:
    [order] = taken(desk, "shopify", shopify("shopify-orders-create"))
    assert (order.type, order.id, order.source) == ("order_placed", "shopify:order-820982911946154508", "shopify")
    assert order.contact == {
        "user_id": "shopify-115310627314723954",
        "email": "buyer@example.com",
        "phone": "+8613800138000",
    }
    assert order.occurred_at.isoformat() == "2026-03-02T03:50:00+00:00"
    assert order.properties["total"] == 398
    assert order.properties["products"] == ["serum-30", "cream-50"]
    assert order.properties["coupon"] == "WELCOME10"
    assert order.properties["items"][0] == {
        "product_id": "serum-30", "name": "Night serum 30 ml", "quantity": 1, "price": 199.0,
    }  # fmt: skip
    assert order.profile["city"] == "Shanghai"


def test_an_unfinished_checkout_is_a_checkout_and_a_finished_one_is_nothing(desk: MappedDesk) -> None:
    [started] = taken(desk, "shopify", shopify("shopify-checkouts-create"))
    assert (started.type, started.properties["checkout"]) == ("checkout_started", "123123123")
    finished = shopify("shopify-checkouts-create", change={"completed_at": "2026-03-02T11:31:00+08:00"})
    assert taken(desk, "shopify", finished) == []


def test_a_changed_customer_changes_the_profile_and_the_consent(desk: MappedDesk) -> None:
    updated, consented = taken(desk, "shopify", shopify("shopify-customers-update"))
    assert (updated.type, consented.type) == ("customer_updated", "consent_granted")
    assert updated.profile["shopify_tags"] == ["loyal", "vip"]
    assert updated.properties == {"orders_count": 7, "total_spent": 1204.5}
    assert consented.properties == {"channel": "email"}
    assert consented.occurred_at.isoformat() == "2026-03-02T00:59:00+00:00"


def test_a_lead_that_matures_in_salesforce_is_an_mql(desk: MappedDesk) -> None:
    [lead] = taken(desk, "salesforce", salesforce("salesforce-lead-status"))
    assert (lead.type, lead.properties["status"]) == ("lead_became_mql", "Marketing Qualified")
    assert lead.contact["user_id"] == "salesforce-00QRM000004UF9sYAG"
    assert lead.contact["email"] == "lead@example.com"
    assert lead.occurred_at.isoformat() == "2026-03-02T03:00:00+00:00"
    assert lead.profile["lead_status"] == "Marketing Qualified"


def test_one_body_may_be_several_events_of_several_contacts(desk: MappedDesk) -> None:
    events = taken(desk, "salesforce", salesforce("salesforce-lead-converted"))
    assert sorted((event.type, event.contact["user_id"][-4:]) for event in events) == [
        ("lead_converted", "sYAG"[-4:]),
        ("lead_converted", "tYAG"[-4:]),
        ("owner_changed", "sYAG"[-4:]),
        ("owner_changed", "tYAG"[-4:]),
    ]
    assert len({event.id for event in events}) == 4


def test_a_youzan_order_is_decoded_and_its_times_are_of_beijing(desk: MappedDesk) -> None:
    request = youzan("youzan-trade-paid")
    [order] = taken(desk, "youzan", request)
    assert (order.type, order.id) == ("order_placed", "youzan:order-E20260302115000000000011")
    assert order.occurred_at.isoformat() == "2026-03-02T03:50:00+00:00"
    assert order.contact == {"user_id": "youzan-695120984", "phone": "+8613800138003"}
    assert order.properties["total"] == 52.5
    assert [item["product_id"] for item in order.properties["items"]] == ["tea-250", "410480151"]
    assert order.profile["province"] == "四川省"


def test_a_test_message_of_youzan_is_taken_and_becomes_nothing(desk: MappedDesk) -> None:
    assert taken(desk, "youzan", youzan("youzan-trade-paid", change={"test": True})) == []


def test_a_callback_of_dingtalk_is_decrypted_and_answered_in_kind(desk: MappedDesk) -> None:
    outcome = desk.receiver.webhook("dingtalk", dingtalk(sample("dingtalk-lead-update")))
    assert isinstance(outcome, Accepted)
    [lead] = desk.queue.sent
    assert (lead.type, lead.contact["phone"]) == ("lead_became_sql", "+8613800138002")
    assert lead.profile["company"] == "示例贸易"
    reply = answer(outcome)
    assert reply.status == 200
    assert set(reply.body) == {"msg_signature", "timeStamp", "nonce", "encrypt"}
    expected = "".join(sorted((TOKEN, reply.body["timeStamp"], "n0nce", reply.body["encrypt"])))
    assert reply.body["msg_signature"] == hashlib.sha1(expected.encode(), usedforsecurity=False).hexdigest()


def test_dingtalks_check_of_the_address_is_answered(desk: MappedDesk) -> None:
    outcome = desk.receiver.webhook("dingtalk", dingtalk({"EventType": "check_url"}))
    assert isinstance(outcome, Accepted)
    assert (outcome.count, outcome.reply is not None) == (0, True)


SAMPLE = {
    "token": "123456",
    "encoding_key": "4g5j64qlyl3zvetqxz5jiocdr586fn2zvjpa8zls3ij",
    "owner": "suite4xxxxxxxxxxxxxxx",
    "timestamp": "1445827045067",
    "nonce": "nEXhMP4r",
}
SAMPLE_SIGNATURE = "5a65ceeef9aab2d149439f82dc191dd6c5cbe2c0"
SAMPLE_CIPHERTEXT = (
    "1a3NBxmCFwkCJvfoQ7WhJHB+iX3qHPsc9JbaDznE1i03peOk1LaOQoRz3+nlyGNhwmwJ3vDMG+OzrHMeiZI7gTRWVdUBmfxjZ8Ej23JVYa9VrYeJ5as7"
    "XM/ZpulX8NEQis44w53h1qAgnC3PRzM7Zc/D6Ibr0rgUathB6zRHP8PYrfgnNOS9PhSBdHlegK+AGGanfwjXuQ9+0pZcy0w9lQ=="
)
SAMPLE_TEXT = '{"EventType":"check_create_suite_url","Random":"LPIdSnlF","TestSuiteKey":"suite4xxxxxxxxxxxxxxx"}'
"""The example of DingTalk's documentation on callbacks, as its own demo has it."""


def sampled(ciphertext: str, signature: str) -> Trusted | Refused | None:
    """What the scheme makes of the example, or of one like it."""
    query = {"signature": signature, "timestamp": SAMPLE["timestamp"], "nonce": SAMPLE["nonce"]}
    body = json.dumps({"encrypt": ciphertext}).encode()
    secret = ":".join(SAMPLE[name] for name in ("token", "encoding_key", "owner"))
    sent_at = datetime.fromtimestamp(int(SAMPLE["timestamp"]) / 1000, UTC)
    return check(Scheme("dingtalk"), Request(content=body, headers={}, query=query), body, [secret], now=sent_at)


def test_the_example_of_dingtalks_documentation_is_read() -> None:
    trusted = sampled(SAMPLE_CIPHERTEXT, SAMPLE_SIGNATURE)
    assert isinstance(trusted, Trusted)
    assert trusted.document == json.loads(SAMPLE_TEXT)


def test_an_answer_is_packed_as_in_the_example_of_dingtalks_documentation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "token_bytes", lambda _count: b"hU3bEfGZZewzhG5a")
    packed = dingtalk_envelope(SAMPLE_TEXT, **SAMPLE)
    assert packed["encrypt"] == SAMPLE_CIPHERTEXT
    assert packed["msg_signature"] == SAMPLE_SIGNATURE


@pytest.mark.parametrize("ciphertext", ["AAAA", "A" * 86 + "==", "nonsense", SAMPLE_CIPHERTEXT[:64]])
def test_a_signed_text_that_cannot_be_decrypted_is_refused(ciphertext: str) -> None:
    signed = "".join(sorted((SAMPLE["token"], SAMPLE["timestamp"], SAMPLE["nonce"], ciphertext)))
    refused = sampled(ciphertext, hashlib.sha1(signed.encode(), usedforsecurity=False).hexdigest())
    assert isinstance(refused, Refused)
    assert refused.status == 400


FORGED: dict[str, tuple[str, Callable[[], Request]]] = {
    "another secret": ("shopify", lambda: shopify("shopify-orders-create", secret="shpss_wrong")),
    "no signature": ("shopify", lambda: shopify("shopify-orders-create", x_shopify_hmac_sha256="")),
    "no base64": ("shopify", lambda: shopify("shopify-orders-create", x_shopify_hmac_sha256="???")),
    "another token": ("salesforce", lambda: salesforce("salesforce-lead-status", "guess")),
    "another youzan secret": ("youzan", lambda: youzan("youzan-trade-paid", secret="exampleclientid00:guess")),
    "another dingtalk token": ("dingtalk", lambda: dingtalk({"EventType": "check_url"}, token="guess")),
    "nothing of dingtalk's": ("dingtalk", lambda: posted({"EventType": "check_url"})),
}


@pytest.mark.parametrize("case", FORGED)
def test_nobody_else_can_send(desk: MappedDesk, case: str) -> None:
    source, request = FORGED[case]
    outcome = desk.receiver.webhook(source, request())
    assert isinstance(outcome, Refused)
    assert outcome.status == 401
    assert desk.queue.sent == []


def test_a_changed_body_is_refused(desk: MappedDesk) -> None:
    genuine = shopify("shopify-orders-create")
    content = genuine.content
    assert isinstance(content, bytes)
    changed = Request(content=content.replace(b"398.00", b"001.00"), headers=genuine.headers)
    assert isinstance(desk.receiver.webhook("shopify", changed), Refused)


@pytest.mark.parametrize("late", [timedelta(minutes=6), timedelta(minutes=-6)])
def test_an_old_callback_of_dingtalk_is_refused(desk: MappedDesk, late: timedelta) -> None:
    outcome = desk.receiver.webhook("dingtalk", dingtalk(sample("dingtalk-lead-update"), late=late))
    assert isinstance(outcome, Refused)
    assert outcome.status == 400


def test_a_callback_for_another_app_is_refused(desk: MappedDesk) -> None:
    outcome = desk.receiver.webhook("dingtalk", dingtalk({"EventType": "check_url"}, owner="somebody-else"))
    assert isinstance(outcome, Refused)


def test_a_repeated_delivery_is_taken_again_and_does_nothing_whatever_its_headers_say(desk: MappedDesk) -> None:
    assert len(taken(desk, "shopify", shopify("shopify-orders-create"))) == 1
    assert taken(desk, "shopify", shopify("shopify-orders-create", x_shopify_webhook_id="another")) == []


def test_a_secret_that_was_just_rotated_works_at_once(desk: MappedDesk) -> None:
    desk.secrets = FakeSecret({"sources": {"shopify": "old-secret-of-no-value"}}, newer=SECRETS)
    assert len(taken(desk, "shopify", shopify("shopify-orders-create"))) == 1


def test_an_address_that_is_none_is_left_out_and_the_order_stays(desk: MappedDesk) -> None:
    change = {"email": "not an address", "contact_email": None, "customer": {"id": 7, "email": "not an address"}}
    outcome = desk.receiver.webhook("shopify", shopify("shopify-orders-create", change=change))
    assert isinstance(outcome, Accepted)
    [order] = desk.queue.sent
    assert order.contact == {"user_id": "shopify-7", "phone": "+8613800138000"}
    assert any(warning.field == "contact.email" for warning in outcome.warnings)


@pytest.mark.parametrize("customer", ["undefined", "null", "0", 0, "None", "{{customer.id}}", "游客", "ゲスト"])
def test_a_prefix_makes_no_id_of_a_placeholder(desk: MappedDesk, customer: Any) -> None:
    outcome = desk.receiver.webhook("shopify", shopify("shopify-orders-create", change={"customer": {"id": customer}}))
    assert isinstance(outcome, Accepted)
    [order] = desk.queue.sent
    assert "user_id" not in order.contact
    assert order.contact["phone"] == "+8613800138000"
    assert any("placeholder" in warning.reason and "contact.user_id" in warning.field for warning in outcome.warnings)


def test_two_orders_whose_id_is_a_placeholder_are_two_events(desk: MappedDesk) -> None:
    for name in ("#1001", "#1002"):
        taken(desk, "shopify", shopify("shopify-orders-create", change={"id": "undefined", "name": name}))
    assert len({order.id for order in desk.queue.sent}) == len(desk.queue.sent) == 2


def test_a_placeholder_leaves_its_place_to_the_next_of_several(desk: MappedDesk) -> None:
    change = {"email": "lin@example.com", "customer": {"id": 7, "email": "undefined"}}
    [order] = taken(desk, "shopify", shopify("shopify-orders-create", change=change))
    assert order.contact["email"] == "lin@example.com"


def test_an_order_of_nobody_is_taken_and_left_out(desk: MappedDesk) -> None:
    change = {"email": None, "contact_email": None, "customer": None, "shipping_address": None}
    outcome = desk.receiver.webhook("shopify", shopify("shopify-orders-create", change=change))
    assert isinstance(outcome, Accepted)
    assert (outcome.count, desk.queue.sent) == (0, [])
    assert "identifies no contact" in outcome.warnings[0].reason


def test_a_topic_without_a_rule_is_taken_and_becomes_nothing(desk: MappedDesk) -> None:
    assert taken(desk, "shopify", shopify("shopify-orders-create", x_shopify_topic="shop/redact")) == []


def test_nothing_is_remembered_as_accepted_before_the_queue_has_it(desk: MappedDesk) -> None:
    desk.queue.broken = True
    with pytest.raises(Exception, match="throttled"):
        desk.receiver.webhook("shopify", shopify("shopify-orders-create"))
    desk.queue.broken = False
    assert len(taken(desk, "shopify", shopify("shopify-orders-create"))) == 1


def mapping(rule: dict[str, Any], signature: dict[str, Any] | None = None) -> SourceMapping:
    """A mapping with one rule, as published."""
    whole: dict[str, Any] = {"when": {}, "each": None, "properties": {}, "profile": {}, "occurred_at": None, "id": None}
    contact = {"contact": {"user_id": "user"}, "type": {"constant": "thing_happened"}}
    return SourceMapping.from_dict(
        "any", {"signature": signature or {"scheme": "bearer"}, "rules": [whole | contact | rule]}
    )


def read(value: Any, body: dict[str, Any]) -> Any:
    """What a value of a mapping is in a body."""
    events, _ = mapping({"properties": {"it": value}}).events({"user": "u1", **body}, {})
    return events[0]["properties"].get("it")


@pytest.mark.parametrize(
    ("value", "body", "expected"),
    [
        ("a.b[1].c", {"a": {"b": [{}, {"c": 5}]}}, 5),
        ("a[*].b", {"a": [{"b": 1}, {}, {"b": 2}]}, [1, 2]),
        ("body.type", {"type": "x"}, "x"),
        ("missing.deep[0]", {}, None),
        ({"path": "x", "as": ["trim", "lower"]}, {"x": "  ABC "}, "abc"),
        ({"path": "x", "as": ["number"]}, {"x": "1,204.50"}, 1204.5),
        ({"path": "x", "as": ["number"]}, {"x": "12"}, 12),
        ({"path": "x", "as": ["whole"]}, {"x": "12.0"}, 12),
        ({"path": "x", "as": ["boolean"]}, {"x": "是"}, True),
        ({"path": "x", "as": ["list"]}, {"x": "a，b; c"}, ["a", "b", "c"]),
        ({"path": "x", "as": ["date"]}, {"x": "2026-03-02T23:30:00+08:00"}, "2026-03-02"),
        ({"path": "x", "as": ["date"], "format": "%Y%m%d"}, {"x": "20260302"}, "2026-03-02"),
        ({"path": "x", "as": ["instant"], "zone": "Asia/Shanghai"}, {"x": "2026/03/02 11:50:00"}, "2026-03-02T03:50:00.000Z"),
        ({"path": "x", "as": ["seconds"]}, {"x": 1772423400}, "2026-03-02T03:50:00.000Z"),
        ({"path": "x", "map": {"3": "gold"}, "otherwise": "plain"}, {"x": 3}, "gold"),
        ({"path": "x", "map": {"3": "gold"}, "otherwise": "plain"}, {"x": 4}, "plain"),
        ({"path": "x", "map": {"true": "yes"}}, {"x": True}, "yes"),
        ({"path": "x", "default": 7}, {"x": ""}, 7),
        ({"first_of": ["x", "y"], "as": ["upper"]}, {"x": None, "y": "cn"}, "CN"),
        ({"join": ["x", "y"], "with": "/"}, {"x": 1, "y": 2.0}, "1/2"),
        ({"join": ["x", "y"]}, {"x": 1}, None),
        ({"constant": False}, {}, False),
    ],
)  # fmt: skip
def test_a_value_is_read_as_its_mapping_says(value: Any, body: dict[str, Any], expected: Any) -> None:
    assert read(value, body) == expected


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("number", "12 apples"),
        ("number", "9" * 400),
        ("boolean", "perhaps"),
        ("date", "tomorrow"),
        ("instant", "31.2."),
        ("seconds", "9e99"),
    ],
)
def test_what_cannot_be_read_is_left_out_and_named_without_its_value(form: str, text: str) -> None:
    events, unusable = mapping({"properties": {"it": {"path": "x", "as": [form]}}}).events({"user": "u", "x": text}, {})
    assert events[0]["properties"] == {}
    assert [where for where, _ in unusable] == ["rules[0].properties.it"]
    assert text not in str(unusable)


@pytest.mark.parametrize(
    ("condition", "found", "holds"),
    [
        ("a", "a", True), ("a", "b", False), (["a", "b"], "b", True), ({"exists": True}, 0, True), ({"exists": False}, None, True),
        ({"contains": "x"}, ["x"], True), ({"contains": "x"}, 5, False), ({"not": ["a"]}, "b", True), (True, True, True), (True, 1, False),
        (1, True, False), ({"starts_with": "ab"}, "abc", True), ({"starts_with": "ab"}, 7, False),
    ],
)  # fmt: skip
def test_a_rule_applies_when_its_conditions_hold(condition: Any, found: Any, holds: bool) -> None:
    events, _ = mapping({"when": {"x": condition}}).events({"user": "u", "x": found}, {})
    assert bool(events) is holds


@pytest.mark.parametrize("timestamped", [True, False])
def test_an_hmac_of_ones_own_is_checked(desk: MappedDesk, timestamped: bool) -> None:
    options = {
        "header": "X-Sign",
        "algorithm": "sha256",
        "encoding": "hex",
        "prefix": "sha256=",
        "timestamp_header": "X-Time" if timestamped else None,
    }
    desk.extra = {"ticketing": mapping({}, {"scheme": "hmac", "options": options})}
    desk.extra = {
        "ticketing": SourceMapping("ticketing", desk.extra["ticketing"].scheme, desk.extra["ticketing"].rules)
    }
    body, timestamp = b'{"user":"u1"}', str(int(NOW.timestamp()))
    content = f"{timestamp}.".encode() + body if timestamped else body
    signature = "sha256=" + hmac.digest(b"hmac-secret-of-no-value", content, hashlib.sha256).hex()
    assert len(taken(desk, "ticketing", posted(body, x_sign=signature, x_time=timestamp))) == 1
    old = str(int(NOW.timestamp()) - 3600)
    outcome = desk.receiver.webhook("ticketing", posted(body, x_sign=signature, x_time=old))
    assert isinstance(outcome, Refused) if timestamped else outcome.count == 0  # type: ignore[union-attr]


def test_a_mapped_source_may_speak_standard_webhooks_too(desk: MappedDesk) -> None:
    standard = mapping({}, {"scheme": "standard_webhooks"})
    desk.extra = {"erp": SourceMapping("erp", standard.scheme, standard.rules)}
    request = signed({"user": "u9"}, secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    [event] = taken(desk, "erp", request)
    assert (event.type, event.contact) == ("thing_happened", {"user_id": "u9"})
    again = desk.receiver.webhook("erp", request)
    assert isinstance(again, Accepted)
    assert (again.count, again.warnings[0].field) == (0, "webhook-id"), "the id was accepted before"
