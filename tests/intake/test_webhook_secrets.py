"""The secret of the webhook API: what is a key, and that a bad entry takes no good one along."""

import base64
from typing import Any

import pytest

from tests.fakes.secrets import FakeSecret
from tests.intake.fakes import SHOP_SECRET, WRITE_KEY, Desk, basic, posted, signed
from waypost.intake.request_outcome import Accepted, Refused
from waypost.intake.sender_schemes import Scheme
from waypost.intake.webhook_secrets import WebhookSecrets

TRACK = {"userId": "u1", "event": "Seen"}
EVENT = {"type": "seen", "contact": {"user_id": "u1"}}


def parsed(value: dict[str, Any], **schemes: str) -> WebhookSecrets:
    return WebhookSecrets.parse(value, {source: Scheme(name) for source, name in schemes.items()})


@pytest.mark.parametrize("label", ["web", "web-browser-key-of-the-shop", "current-signing-secret-of-the-shop"])
def test_a_label_is_never_a_key(label: str) -> None:
    desk = Desk(secrets=FakeSecret({"write_keys": {label: WRITE_KEY}, "sources": {"shop": {label: SHOP_SECRET}}}))
    refused = desk.receiver.segment("track", posted(TRACK, authorization=basic(label)))
    assert isinstance(refused, Refused)
    assert refused.status == 401
    forged = "whsec_" + base64.b64encode(label.encode()).decode()
    assert isinstance(desk.receiver.webhook("shop", signed(EVENT, secret=forged)), Refused)
    assert {entry.partition(":")[0] for entry in desk.rejected_secrets} == {"write_keys", "sources.shop"}


@pytest.mark.parametrize("bad", ["whsec_not base64!", "", "a", 5, None, ["x"], "whsec_", "whsec_c2hvcnQ="])
def test_a_bad_entry_is_left_out_and_the_good_one_beside_it_works(bad: Any) -> None:
    desk = Desk(secrets=FakeSecret({"write_keys": [bad, WRITE_KEY], "sources": {"shop": [bad, SHOP_SECRET]}}))
    assert desk.receiver.webhook("shop", signed(EVENT)) == Accepted(1)
    assert desk.receiver.segment("track", posted(TRACK, authorization=basic(WRITE_KEY))) == Accepted(1)
    assert "sources.shop[0]" in {entry.partition(":")[0] for entry in desk.rejected_secrets}
    assert not any(SHOP_SECRET in entry or "base64!" in entry for entry in desk.rejected_secrets)


@pytest.mark.parametrize(
    "value",
    [{"sources": "oops"}, {"sources": ["oops"]}, {"write_keys": 5}, {"write_keys": [5, None, {}]}, {}, {"Sources": {}}],
)
def test_a_malformed_secret_refuses_callers_and_never_fails(value: dict[str, Any]) -> None:
    desk = Desk(secrets=FakeSecret(value))
    outcomes = [
        desk.receiver.webhook("shop", signed(EVENT)),
        desk.receiver.segment("track", posted(TRACK, authorization=basic(WRITE_KEY))),
    ]
    assert [outcome.status for outcome in outcomes if isinstance(outcome, Refused)] == [401, 401]


@pytest.mark.parametrize(
    "key", ["a", "fifteen-letters", "has:a-colon-in-it", "has spaces in the key", "schlüssel-mit-umlaut"]
)
def test_a_write_key_that_no_header_should_carry_is_none(key: str) -> None:
    secrets = parsed({"write_keys": [key]})
    assert (secrets.write_keys, len(secrets.rejected)) == ((), 1)


@pytest.mark.parametrize(
    ("scheme", "good", "bad"),
    [
        ("shopify", "shpss_0123456789abcdef", "short"),
        ("youzan", "client:0123456789abcdef", "0123456789abcdef"),
        ("youzan", "client:0123456789abcdef", "client:short"),
        ("dingtalk", "token:" + "k" * 42 + "A:ding", "token:" + "k" * 20 + ":ding"),
        ("bearer", "0123456789abcdef", "short"),
        ("hmac", "0123456789abcdef", "short"),
        ("standard_webhooks", SHOP_SECRET, "whsec_0123456789abcdef"),
    ],
)
def test_a_secret_has_the_form_of_its_senders_scheme(scheme: str, good: str, bad: str) -> None:
    secrets = parsed({"sources": {"crm": [bad, good]}}, crm=scheme)
    assert secrets.of("crm") == (good,)
    assert [entry[: len("sources.crm[0]")] for entry in secrets.rejected] == ["sources.crm[0]"]


def test_a_value_is_parsed_and_complained_about_once() -> None:
    desk = Desk(secrets=FakeSecret({"write_keys": ["bad", WRITE_KEY]}))
    receiver = desk.receiver
    for _ in range(3):
        receiver.segment("track", posted(TRACK, authorization=basic(WRITE_KEY)))
    assert [entry.partition(":")[0] for entry in desk.rejected_secrets] == ["write_keys[0]"]
