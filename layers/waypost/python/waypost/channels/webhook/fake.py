"""Answers as a receiver of Standard Webhooks does that checks every signature and takes every id once.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Final, assert_never

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from waypost.channels import fake_contract as contract

SIGNING_KEY: Final = "whsec_" + base64.b64encode(b"the key of the local receiver").decode()


class Receiver(contract.FakeProvider):
    """One receiver; it knows every user id but ``nowhere``."""

    provider = "standard_webhooks"
    endpoints = ("WAYPOST_WEBHOOK_ENDPOINT",)
    credentials: ClassVar[Mapping[str, str]] = {"signing_keys": SIGNING_KEY, "url": ""}
    choices: ClassVar[Mapping[str, str]] = {"webhook_url": "secret"}
    refusals: ClassVar[frozenset[contract.RefusalKind]] = frozenset(contract.REFUSAL_KINDS)
    words: ClassVar[frozenset[str]] = frozenset()
    fates: ClassVar[Mapping[contract.Fate, str]] = {}

    def recognises(self, request: contract.HttpRequest) -> bool:
        """See FakeProvider."""
        return "webhook-signature" in request.headers

    def read(self, request: contract.HttpRequest) -> contract.SentMessage:
        """See FakeProvider. The reader of a message sees what its content says."""
        data = request.json().get("data", {})
        tags = {name: str(data[name]) for name in ("message_key", "contact_id", "journey") if name in data}
        return contract.SentMessage(
            recipient=str(data.get("user_id", "")),
            tags=tags,
            content=contract.SentContent(text=_readable(data.get("content"))),
            request={"headers": dict(request.headers), "body": request.body.decode()},
        )

    def check(self, message: contract.SentMessage) -> None:
        """See FakeProvider: the signature first, then whether the user is known."""
        try:
            Webhook(SIGNING_KEY).verify(message.request["body"], message.request["headers"])
        except WebhookVerificationError:
            raise contract.RefusedRequestError(_error(401, "signature")) from None
        if message.recipient == "nowhere":
            raise contract.RefusedRequestError(_error(422, "unknown_contact"))

    def accepted(self, message_id: str) -> contract.HttpAnswer:
        """See FakeProvider."""
        return contract.HttpAnswer(status=202, content={"id": message_id})

    def refusal(self, kind: contract.RefusalKind) -> contract.HttpAnswer:
        """See FakeProvider."""
        match kind:
            case "throttle":
                return _error(429, "too_many_requests")
            case "reject":
                return _error(422, "content")
            case "refuse_us":
                return _error(403, "account_suspended")
            case "address_gone":
                return _error(422, "unknown_contact")
            case "error":
                return _error(500, "internal_error")
            case _:
                assert_never(kind)

    def new_id(self) -> str:
        """See FakeProvider."""
        return str(uuid.uuid4())

    def notice(
        self, word: str, message: contract.SentMessage, *, message_id: str, sent_at: datetime, at: datetime
    ) -> Any:
        """See FakeProvider: a receiver reports by the webhook API, if it does."""
        del message, message_id, sent_at, at
        raise ValueError(f"a STANDARD webhook's receiver does not say {word!r}")


def _readable(value: Any) -> str:
    """The texts of the content, one to a line."""
    match value:
        case str():
            return value
        case list():
            return "\n".join(map(_readable, value))
        case dict():
            return "\n".join(map(_readable, value.values()))
        case _:
            return str(value)


def _error(status: int, code: str) -> contract.HttpAnswer:
    return contract.HttpAnswer(status=status, content={"code": code})


FAKES: Final = (Receiver(),)
