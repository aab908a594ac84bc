"""Signs webhooks as Standard Webhooks 1.0.0 says, with every key there is. Called by the deliverer."""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime

from waypost.intake.standard_webhooks import key_of


def headers(webhook_id: str, body: bytes, keys: Iterable[str], *, now: datetime) -> dict[str, str]:
    """The three headers of one attempt at ``now`` (the real time: receivers refuse an old signature).

    One signature for each key, so that a receiver can change keys without losing a webhook. Raises InvalidInput for a
    key that is none.
    """
    timestamp = str(int(now.timestamp()))
    content = b".".join([webhook_id.encode(), timestamp.encode(), body])
    signatures = [base64.b64encode(hmac.digest(key_of(key), content, hashlib.sha256)).decode() for key in keys]
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
