"""Signatures, made by the Standard Webhooks library and checked by us."""

import base64
from dataclasses import replace
from datetime import timedelta

import pytest
from standardwebhooks import Webhook

from tests.intake.fakes import NOW, SHOP_SECRET, signed
from waypost.errors import InvalidInput
from waypost.intake.http_request import Request
from waypost.intake.standard_webhooks import TOLERANCE, Verdict, verify

OTHER_SECRET = "whsec_" + base64.b64encode(b"another secret of 24 byt").decode()
BODY = '{"type": "order.placed", "data": {"note": "中文"}}'.encode()


def verdict(request: Request, *secrets: str, body: bytes = BODY) -> Verdict:
    return verify(request, body, secrets or (SHOP_SECRET,), now=NOW)


def with_header(request: Request, name: str, value: str) -> Request:
    return replace(request, headers={**request.headers, name: value})


def test_what_the_library_signs_is_genuine() -> None:
    assert verdict(signed(BODY)) is Verdict.GENUINE


def test_any_of_several_secrets_and_signatures_may_match() -> None:
    two = f"v1,AAAA v1a,BBBB {Webhook(OTHER_SECRET).sign('msg_1', NOW, BODY.decode())} v1,!"
    request = with_header(signed(BODY), "webhook-signature", two)
    assert verdict(request, SHOP_SECRET, OTHER_SECRET) is Verdict.GENUINE
    assert verdict(request, SHOP_SECRET) is Verdict.FORGED


def test_a_secret_without_prefix_or_padding_is_read() -> None:
    assert verdict(signed(BODY), SHOP_SECRET.removeprefix("whsec_").rstrip("=")) is Verdict.GENUINE


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("webhook-id", "msg_2"),
        ("webhook-timestamp", str(int(NOW.timestamp()) + 1)),
        ("webhook-signature", "v1,"),
        ("webhook-signature", "v2,AAAA"),
        ("webhook-signature", "nonsense"),
        ("webhook-signature", "v1,\u00e9"),
        ("webhook-signature", " " * 5000),
    ],
)
def test_a_change_to_what_was_signed_is_forgery(name: str, value: str) -> None:
    assert verdict(with_header(signed(BODY), name, value)) is Verdict.FORGED


def test_a_changed_body_is_forgery() -> None:
    assert verdict(signed(BODY), body=BODY + b" ") is Verdict.FORGED
    assert verify(signed(BODY), BODY, [], now=NOW) is Verdict.FORGED


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("webhook-id", ""),
        ("webhook-id", "a b"),
        ("webhook-id", "x" * 257),
        ("webhook-timestamp", "now"),
        ("webhook-timestamp", "1.5"),
        ("webhook-timestamp", "-5"),
        ("webhook-timestamp", "9" * 40),
        ("webhook-timestamp", "\u0661\u0662"),
        ("webhook-signature", ""),
    ],
)
def test_missing_or_senseless_headers_are_incomplete(name: str, value: str) -> None:
    assert verdict(with_header(signed(BODY), name, value)) is Verdict.INCOMPLETE


@pytest.mark.parametrize("age", [-TOLERANCE, -TOLERANCE + timedelta(seconds=1), TOLERANCE])
def test_five_minutes_either_way_are_tolerated(age: timedelta) -> None:
    assert verdict(signed(BODY, at=NOW + age)) is Verdict.GENUINE


@pytest.mark.parametrize(
    "age", [-TOLERANCE - timedelta(seconds=1), TOLERANCE + timedelta(seconds=1), -timedelta(days=9000)]
)
def test_an_older_or_newer_signature_is_stale(age: timedelta) -> None:
    assert verdict(signed(BODY, at=NOW + age)) is Verdict.STALE


@pytest.mark.parametrize("secret", ["whsec_", "", "whsec_!!!", "whsec_\u00e9"])
def test_a_secret_that_is_none_is_an_error_and_never_matches(secret: str) -> None:
    with pytest.raises(InvalidInput):
        verdict(signed(BODY), secret)
