"""Secrets and signatures of Standard Webhooks 1.0.0. Used by those who sign, and by the receiver that verifies.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from waypost.errors import InvalidInput

SHORTEST_KEY: Final = 24
"""Bytes of a secret; the standard has 24 to 64."""


def key_of(secret: str) -> bytes:
    """The HMAC key of a secret ``whsec_<base64>``; padding may be missing. Raises InvalidInput."""
    text = secret.removeprefix("whsec_")
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput("sources", "a webhook secret should be whsec_ and base64") from error
    if not key:
        raise InvalidInput("sources", "a webhook secret should not be empty")
    return key


def secret_problem(secret: str) -> str:
    """Why a text is no secret to sign with, "" if it is one."""
    try:
        return "" if len(key_of(secret)) >= SHORTEST_KEY else f"should hold at least {SHORTEST_KEY} bytes"
    except InvalidInput as error:
        return str(error)


def headers(webhook_id: str, body: bytes, secrets: Iterable[str], *, now: datetime) -> dict[str, str]:
    """The three headers of one attempt at ``now`` (the real time: receivers refuse an old signature).

    One signature for each secret, so that a receiver can change secrets without losing a webhook. Raises InvalidInput for a
    secret that is none.
    """
    timestamp = str(int(now.timestamp()))
    content = b".".join([webhook_id.encode(), timestamp.encode(), body])
    signatures = [base64.b64encode(hmac.digest(key_of(key), content, hashlib.sha256)).decode() for key in secrets]
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
