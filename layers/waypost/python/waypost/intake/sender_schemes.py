"""How senders prove who they are when they do not speak Standard Webhooks. Used by the receiver of mapped sources.

Each scheme checks the raw body in constant time and says what identifies this delivery, out of what was signed: an id that
stands outside the signature could be changed when a request is replayed. Sources of the schemes:

- Shopify: https://shopify.dev/docs/apps/build/webhooks/verify-deliveries (``X-Shopify-Hmac-SHA256``, base64 of an
  HMAC-SHA256 over the raw body with the app's client secret). No time is signed.
- Youzan: the sample code of https://doc.youzanyun.com/resource/doc/3032 as quoted by its staff in
  https://bbs.youzan.com/thread-699870-1-1.html (``Event-Sign``, MD5 of client_id + body + client_secret; ``msg`` is
  URL-encoded JSON). No time is signed; ``msg_id`` is in the body.
- DingTalk: ``waypost.http.encrypted_callback``. The answer is encrypted too.
- Bearer token: RFC 6750; what Salesforce's flows and named credentials send. Nothing is signed.
- HMAC: any header with an HMAC of the body, or of ``timestamp.body``.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from waypost import ids
from waypost.errors import InvalidInput
from waypost.events.secret_keys import key_problem
from waypost.http import encrypted_callback, webhook_signing
from waypost.intake.http_request import Request
from waypost.intake.request_outcome import Problem, Refused, refuse
from waypost.intake.standard_webhooks import TOLERANCE
from waypost.intake.strict_json import Document, read_object

STANDARD_WEBHOOKS: Final = "standard_webhooks"


@dataclass(frozen=True, slots=True)
class Scheme:
    """A scheme and its options, as published. ``options`` belong to ``hmac`` alone."""

    name: str = STANDARD_WEBHOOKS
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trusted:
    """A request of a known sender: what it says, and an id that a replay would have too.

    ``reply`` is the body of the answer when the sender wants a certain one.
    """

    document: dict[str, Any]
    delivery: str
    reply: Mapping[str, Any] | None = None
    left_out: list[Problem] = field(default_factory=list)


def secret_problem(scheme: Scheme, secret: str) -> str:
    """Why a text is no secret of this scheme, "" if it is one."""
    try:
        match scheme.name:
            case "youzan":
                return key_problem(_parts(secret, 2, "<client_id>:<client_secret>")[1])
            case "dingtalk":
                _dingtalk_key(_parts(secret, 3, "<token>:<aes key>:<app key or corp id>")[1])
                return ""
            case "shopify" | "bearer" | "hmac":
                return key_problem(secret)
            case _:
                return webhook_signing.secret_problem(secret)
    except InvalidInput as error:
        return str(error)


def check(
    scheme: Scheme, request: Request, body: bytes, secrets: Sequence[str], *, now: datetime
) -> Trusted | Refused | None:
    """What a request of this scheme says; None when it is not signed with any of the secrets.

    ``now`` is the real time. Raises InvalidInput for a secret that does not suit the scheme.
    """
    match scheme.name:
        case "shopify":
            return _shopify(request, body, secrets)
        case "youzan":
            return _youzan(request, body, secrets)
        case "dingtalk":
            return _dingtalk(request, body, secrets, now)
        case "bearer":
            return _bearer(request, body, secrets)
        case "hmac":
            return _hmac(scheme.options, request, body, secrets, now)
        case name:
            raise InvalidInput("signature", f"there is no scheme {name!r}")


def _shopify(request: Request, body: bytes, secrets: Sequence[str]) -> Trusted | Refused | None:
    given = _decoded(request.header("x-shopify-hmac-sha256"))
    expected = (hmac.digest(secret.encode(), body, hashlib.sha256) for secret in secrets)
    return _trusted(body) if _among(given, expected) else None


def _youzan(request: Request, body: bytes, secrets: Sequence[str]) -> Trusted | Refused | None:
    given = request.header("event-sign").lower().encode()
    pairs = [_parts(secret, 2, "<client_id>:<client_secret>") for secret in secrets]
    expected = (
        hashlib.md5(client_id.encode() + body + client_secret.encode(), usedforsecurity=False).hexdigest().encode()
        for client_id, client_secret in pairs
    )
    if not _among(given, expected):
        return None
    trusted = _trusted(body, reply={"code": 0, "msg": "success"})
    if isinstance(trusted, Trusted) and isinstance(message := trusted.document.get("msg"), str):
        decoded = read_object(unquote_to_bytes(message)) if message else Document({})
        if isinstance(decoded, Refused):
            return refuse(400, "msg", "should be URL-encoded JSON")
        trusted.document["msg"] = decoded.content
        trusted.left_out.extend(decoded.left_out)
    return trusted


def _dingtalk(request: Request, body: bytes, secrets: Sequence[str], now: datetime) -> Trusted | Refused | None:
    outer = read_object(body)
    if isinstance(outer, Refused):
        return outer
    query = request.query
    ciphertext, given = outer.content.get("encrypt"), query.get("msg_signature") or query.get("signature", "")
    timestamp, nonce = query.get("timestamp") or query.get("timeStamp", ""), query.get("nonce", "")
    if not (isinstance(ciphertext, str) and ciphertext and given and timestamp and nonce):
        return None
    for secret in secrets:
        token, encoding_key, owner = _parts(secret, 3, "<token>:<aes key>:<app key or corp id>")
        if encrypted_callback.is_signed(given, token, timestamp, nonce, ciphertext):
            if not _is_recent(timestamp, now, per_second=1000):
                return refuse(400, "timestamp", "should be at most five minutes from now")
            plain = encrypted_callback.unseal(ciphertext, key=_dingtalk_key(encoding_key), owner=owner)
            broken = refuse(400, "encrypt", "should be a message for this app")
            document = broken if plain is None else read_object(plain)
            if isinstance(document, Refused):
                return document
            reply = dingtalk_envelope(
                "success", token=token, encoding_key=encoding_key, owner=owner, timestamp=timestamp, nonce=nonce
            )
            return Trusted(document.content, ids.digest("dingtalk", given), reply, document.left_out)
    return None


def dingtalk_envelope(
    text: str, *, token: str, encoding_key: str, owner: str, timestamp: str, nonce: str
) -> dict[str, str]:
    """``{msg_signature, timeStamp, nonce, encrypt}``: how DingTalk packs a callback, and wants its answer packed."""
    encrypted = encrypted_callback.seal(text.encode(), key=_dingtalk_key(encoding_key), owner=owner)
    return {
        "msg_signature": encrypted_callback.signature(token, timestamp, nonce, encrypted),
        "timeStamp": timestamp,
        "nonce": nonce,
        "encrypt": encrypted,
    }


def _dingtalk_key(encoding_key: str) -> bytes:
    key = encrypted_callback.key_of(encoding_key)
    if key is None:
        raise InvalidInput(
            "sources", f"an AES key of DingTalk has {encrypted_callback.KEY_LENGTH} characters of base64"
        )
    return key


def _bearer(request: Request, body: bytes, secrets: Sequence[str]) -> Trusted | Refused | None:
    kind, _, token = request.header("authorization").partition(" ")
    is_known = kind.lower() == "bearer" and _among(token.strip().encode(), (secret.encode() for secret in secrets))
    return _trusted(body) if is_known else None


def _hmac(
    options: Mapping[str, Any], request: Request, body: bytes, secrets: Sequence[str], now: datetime
) -> Trusted | Refused | None:
    text = request.header(options["header"].lower()).removeprefix(options["prefix"])
    given = _decoded(text) if options["encoding"] == "base64" else _unhexed(text)
    timestamp_header = options["timestamp_header"]
    timestamp = request.header(timestamp_header.lower()) if timestamp_header else ""
    signed = timestamp.encode() + b"." + body if timestamp_header else body
    if not _among(given, (hmac.digest(secret.encode(), signed, options["algorithm"]) for secret in secrets)):
        return None
    if timestamp_header and not _is_recent(timestamp, now):
        return refuse(400, timestamp_header, "should be at most five minutes from now")
    return _trusted(body)


def _trusted(body: bytes, *, reply: Mapping[str, Any] | None = None) -> Trusted | Refused:
    document = read_object(body)
    if isinstance(document, Refused):
        return document
    return Trusted(document.content, hashlib.sha256(body).hexdigest()[:32], reply, document.left_out)


def _among(given: bytes, expected: Iterable[bytes]) -> bool:
    """Whether one of them is what was given; every one is compared, so that time says nothing about which."""
    matches = [hmac.compare_digest(given, each) for each in expected]
    return bool(given) and any(matches)


def _is_recent(timestamp: str, now: datetime, *, per_second: int = 1) -> bool:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 14):
        return False
    seconds = int(timestamp) / per_second
    return seconds < 1e11 and abs(now - datetime.fromtimestamp(seconds, tz=UTC)) <= TOLERANCE


def _parts(secret: str, count: int, form: str) -> list[str]:
    parts = secret.split(":")
    if len(parts) != count or not all(parts):
        raise InvalidInput("sources", f"a secret of this source should be {form}")
    return parts


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _unhexed(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
