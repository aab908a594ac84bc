"""Stand-ins for what receiving needs from outside, and requests as senders make them. Used by the receiving tests."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from standardwebhooks import Webhook

from tests.fakes.queue import FakeQueue
from tests.fakes.rejected_items import FakeRejectedItems
from tests.fakes.secrets import FakeSecret
from tests.fakes.webhook_log import FakeLog
from waypost.intake.http_request import Request
from waypost.intake.receive_webhook import ReceiveWebhook
from waypost.intake.source_mapping import SourceMapping

NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
WRITE_KEY = "wk_test_1_of_no_value"
OTHER_WRITE_KEY = "wk_test_2_of_no_value"
SHOP_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


SERVER_KEY = "sk_test_1_of_no_value"
SECRETS = {
    "write_keys": [WRITE_KEY, OTHER_WRITE_KEY],
    "server_keys": [SERVER_KEY],
    "sources": {"shop": [SHOP_SECRET], "crm": SHOP_SECRET},
}


@dataclass
class Desk:
    """A receiver with everything around it."""

    queue: FakeQueue = field(default_factory=FakeQueue)
    secrets: FakeSecret = field(default_factory=lambda: FakeSecret(SECRETS))
    log: FakeLog = field(default_factory=FakeLog)
    rejected: FakeRejectedItems = field(default_factory=FakeRejectedItems)
    rejected_secrets: list[str] = field(default_factory=list)
    now: datetime = NOW
    real_now: datetime = NOW

    @property
    def mappings(self) -> Mapping[str, SourceMapping]:
        """Those of senders that post their own bodies; none by default."""
        return {}

    @property
    def receiver(self) -> ReceiveWebhook:
        return ReceiveWebhook(
            queue=self.queue,
            secrets=self.secrets,
            log=self.log,
            rejected=self.rejected,
            clock=lambda: self.now,
            real_clock=lambda: self.real_now,
            mappings=self.mappings,
            on_rejected_secrets=self.rejected_secrets.extend,
        )


def basic(write_key: str = WRITE_KEY) -> str:
    """The Authorization header of a write key."""
    return "Basic " + base64.b64encode(f"{write_key}:".encode()).decode()


def posted(document: Any, **headers: str) -> Request:
    """A request with JSON in it; ``headers`` are named with underscores."""
    body = document if isinstance(document, bytes) else json.dumps(document, ensure_ascii=False).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(content=body, headers={"content-type": "application/json"} | named, request_id="req-1")


def call(document: Any, **headers: str) -> Request:
    """A Segment call with a good write key."""
    return posted(document, authorization=basic(), **headers)


def signed_headers(
    body: bytes, *, webhook_id: str = "msg_1", at: datetime = NOW, secret: str = SHOP_SECRET
) -> dict[str, str]:
    """The headers the Standard Webhooks library puts on a body."""
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(webhook_id, at, body.decode()),
    }


def signed(document: Any, *, webhook_id: str = "msg_1", at: datetime = NOW, secret: str = SHOP_SECRET) -> Request:
    """A webhook as the Standard Webhooks library signs it."""
    body = document if isinstance(document, bytes) else json.dumps(document, ensure_ascii=False).encode()
    headers = {"content-type": "application/json"} | signed_headers(body, webhook_id=webhook_id, at=at, secret=secret)
    return Request(content=body, headers=headers, request_id="req-1")
