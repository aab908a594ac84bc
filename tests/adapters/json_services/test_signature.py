"""Signatures against AWS's published examples, and against botocore's signer for any request."""

from datetime import UTC, datetime

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as StockCredentials
from hypothesis import given
from hypothesis import strategies as st

from waypost.aws.json_services.credentials import Credentials
from waypost.aws.json_services.signature import signed, signing_key

EXAMPLE = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
AT = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
HOST = {"host": "example.amazonaws.com"}


def authorization(headers: dict[str, str], body: bytes = b"") -> str:
    return signed(headers, body, credentials=EXAMPLE, region="us-east-1", service="service", at=AT)["authorization"]


def test_the_key_of_a_day_is_that_of_the_published_example() -> None:
    """Source: AWS General Reference, "Examples of how to derive a signing key for Signature Version 4"."""
    key = signing_key(EXAMPLE.secret_key, "20150830", "us-east-1", "iam")
    assert key.hex() == "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"


@pytest.mark.parametrize(
    ("vector", "headers", "body", "names", "signature"),
    [
        ("post-vanilla", {}, b"", "host;x-amz-date",
         "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        ("post-header-key-case", {}, b"", "host;x-amz-date",
         "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        ("post-header-key-sort", {"my-header1": "value1"}, b"", "host;my-header1;x-amz-date",
         "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"),
        ("post-header-value-case", {"my-header1": "VALUE1"}, b"", "host;my-header1;x-amz-date",
         "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"),
        ("post-x-www-form-urlencoded", {"content-type": "application/x-www-form-urlencoded"}, b"Param1=value1",
         "content-type;host;x-amz-date", "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"),
    ],
)  # fmt: skip
def test_a_signature_is_that_of_the_published_vector(
    vector: str, headers: dict[str, str], body: bytes, names: str, signature: str
) -> None:
    """Source: AWS Signature Version 4 test suite (aws4_testsuite); the POSTs without a query string."""
    assert authorization(HOST | headers, body) == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        f"SignedHeaders={names}, Signature={signature}"
    ), vector


DAYS = datetime(2020, 1, 1), datetime(2040, 1, 1)  # noqa: DTZ001 - Hypothesis adds the zone
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30).map(str.strip)


@given(
    body=st.binary(max_size=200),
    headers=st.dictionaries(st.sampled_from(["content-type", "x-amz-target", "x-amzn-query-mode"]), VALUES),
    host=st.sampled_from(["dynamodb.eu-west-1.amazonaws.com", "127.0.0.1:4566"]),
    path=st.sampled_from(["/", "/a/b", "/with space/~x"]),
    secret=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40),
    token=st.one_of(st.none(), st.text("abcDEF+/=", min_size=1)),
    at=st.datetimes(DAYS[0], DAYS[1], timezones=st.just(UTC)),
)
def test_any_request_is_signed_as_botocore_signs_it(
    body: bytes, headers: dict[str, str], host: str, path: str, secret: str, token: str | None, at: datetime
) -> None:
    ours = signed(
        {"host": host, **headers},
        body,
        credentials=Credentials("AKID", secret, token),
        region="eu-west-1",
        service="dynamodb",
        at=at,
        path=path,
    )
    request = AWSRequest("POST", f"https://{host}{path}", data=body, headers={"host": host, **headers})
    request.context["timestamp"] = at.strftime("%Y%m%dT%H%M%SZ")
    signer = SigV4Auth(StockCredentials("AKID", secret, token), "dynamodb", "eu-west-1")
    signer._modify_request_before_signing(request)
    text = signer.string_to_sign(request, signer.canonical_request(request))
    signer._inject_signature_to_request(request, signer.signature(text, request))

    assert ours["authorization"] == request.headers["Authorization"]


def test_a_secret_is_not_shown() -> None:
    assert "wJalr" not in repr(EXAMPLE)
