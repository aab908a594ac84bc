"""Speaks to the deployed webhooks as a customer's shop or app does. Used by rehearsals, the CLI and the flow tests."""

import json
import uuid
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from standardwebhooks import Webhook

from local.loopback import Answer, call
from waypost.clock import format_instant, real_now


@dataclass(frozen=True, slots=True)
class Tracking:
    """A sender with a server key and the secrets of webhook sources."""

    api_url: str
    server_key: str
    webhook_sources: Mapping[str, str]

    def identify(self, user_id: str, traits: Mapping[str, Any], *, at: datetime, message_id: str = "") -> Answer:
        """Say who a contact is. ``at`` is when it happened, ``message_id`` what makes a repetition one."""
        return self.post("identify", identify_call(user_id, traits, at=at, message_id=message_id))

    def track(
        self,
        user_id: str,
        event: str,
        properties: Mapping[str, Any] | None = None,
        *,
        at: datetime,
        message_id: str = "",
    ) -> Answer:
        """Say what a contact did."""
        return self.post("track", track_call(user_id, event, properties, at=at, message_id=message_id))

    def batch(self, calls: Sequence[Mapping[str, Any]]) -> Answer:
        """Several calls, each with its ``type``, in one request: all are accepted, or none."""
        return self.post("batch", {"batch": list(calls)})

    def post(self, what: str, body: Mapping[str, Any]) -> Answer:
        """``POST /v1/<what>`` with the server key."""
        credentials = b64encode(f"{self.server_key}:".encode()).decode()
        headers = {"content-type": "application/json", "authorization": f"Basic {credentials}"}
        return call("POST", f"{self.api_url}/v1/{what}", body=json.dumps(body).encode(), headers=headers)

    def webhook(
        self, source: str, body: Mapping[str, Any], *, webhook_id: str = "", signed_at: datetime | None = None
    ) -> Answer:
        """``POST /v1/webhooks/<source>``, signed as Standard Webhooks are."""
        webhook_id = webhook_id or f"msg_{uuid.uuid4().hex}"
        signed_at = signed_at or real_now()
        payload = json.dumps(body)
        headers = {
            "content-type": "application/json",
            "webhook-id": webhook_id,
            "webhook-timestamp": str(int(signed_at.timestamp())),
            "webhook-signature": Webhook(self.webhook_sources[source]).sign(webhook_id, signed_at, payload),
        }
        return call("POST", f"{self.api_url}/v1/webhooks/{source}", body=payload.encode(), headers=headers)


def identify_call(user_id: str, traits: Mapping[str, Any], *, at: datetime, message_id: str = "") -> dict[str, Any]:
    """The body of an identify call."""
    return {"type": "identify", "userId": user_id, "traits": dict(traits), **_stamp(at, message_id)}


def track_call(
    user_id: str, event: str, properties: Mapping[str, Any] | None = None, *, at: datetime, message_id: str = ""
) -> dict[str, Any]:
    """The body of a track call."""
    known = dict(properties or {})
    return {"type": "track", "userId": user_id, "event": event, "properties": known, **_stamp(at, message_id)}


def _stamp(at: datetime, message_id: str) -> dict[str, str]:
    return {"timestamp": format_instant(at), "messageId": message_id or str(uuid.uuid4())}
