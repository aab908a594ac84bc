"""Verifies Standard Webhooks signatures (standardwebhooks.com, version 1.0.0). Called by the webhook receiver.

Our own code because the reference library knows one secret per call, accepts fractional timestamps, and fails with
whatever exception a malformed header happens to cause. It is the client in our tests.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Final

from waypost.http.webhook_signing import key_of
from waypost.intake.http_request import Request

TOLERANCE: Final = timedelta(minutes=5)

_ID: Final = re.compile(r"[\x21-\x7e]{1,256}")
_TIMESTAMP: Final = re.compile(r"[0-9]{1,11}")
_MOST_SIGNATURES: Final = 50


class Verdict(Enum):
    """What a signature is worth; the value is the reason in the response."""

    GENUINE = "the signature is genuine"
    INCOMPLETE = "should come with webhook-id, webhook-timestamp (seconds since 1970) and webhook-signature"
    FORGED = "should be a signature of this body with a secret of this source"
    STALE = "should be at most five minutes from now; sign every attempt again"


def verify(request: Request, body: bytes, secrets: Iterable[str], *, now: datetime) -> Verdict:
    """Check the signature headers against the body as it was sent.

    Any of the ``secrets`` may match any of the signatures, so that both sides can rotate. ``now`` is the real time.
    Staleness is reported to genuine senders only. Raises InvalidInput for a secret that is no secret.
    """
    webhook_id, timestamp = request.header("webhook-id"), request.header("webhook-timestamp")
    if not (_ID.fullmatch(webhook_id) and _TIMESTAMP.fullmatch(timestamp) and request.header("webhook-signature")):
        return Verdict.INCOMPLETE
    content = b".".join([webhook_id.encode(), timestamp.encode(), body])
    expected = [hmac.digest(key_of(secret), content, hashlib.sha256) for secret in secrets]
    signatures = _signatures(request.header("webhook-signature"))
    matches = [hmac.compare_digest(one, other) for one in expected for other in signatures]
    if not any(matches):
        return Verdict.FORGED
    sent_at = datetime.fromtimestamp(int(timestamp), tz=UTC)
    return Verdict.GENUINE if abs(now - sent_at) <= TOLERANCE else Verdict.STALE


def _signatures(header: str) -> list[bytes]:
    """The symmetric signatures (``v1,<base64>``) of a header; other versions and broken ones are passed over."""
    signatures = []
    for entry in header.split(" ")[:_MOST_SIGNATURES]:
        version, _, text = entry.partition(",")
        if version == "v1":
            try:
                signatures.append(base64.b64decode(text, validate=True))
            except (binascii.Error, ValueError):
                continue
    return signatures
