"""Messages as signed webhooks, to one system of the company's own that delivers them: by letter, in its app, by its own gateway.

The receiver checks the signature, takes a ``webhook-id`` once, and says by the status what became of it (docs/integrations.md).
Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, assert_never

from waypost.channels.answers import Accepted, AddressGone, RefusedForNow, RefusedMessage, RefusedUs, Unclear
from waypost.channels.answers import Answer as OurAnswer
from waypost.channels.contract import Outgoing, Provider, ProviderPorts
from waypost.channels.webhook.channel import RenderedWebhook
from waypost.clock import Clock, format_instant, real_now
from waypost.errors import RetryableError
from waypost.events.ports import SecretStore
from waypost.events.secret_keys import read_keys
from waypost.http import webhook_signing
from waypost.http.ports import Answer, Forbidden, NoAnswer, NotSent, Poster

IN_SECRET: Final = "secret"  # noqa: S105 - it says where one is
"""In place of an address: it is the ``url`` in the channel's secret."""
TIMEOUT: Final = timedelta(seconds=10)
UNKNOWN_CONTACT: Final = "unknown_contact"
"""The ``code`` by which a receiver says, with any 4xx, that it has nobody of this user id."""

_ANSWER_LIMIT: Final = 4_096
_LONGEST_ID: Final = 200
_REFUSES_US: Final = frozenset({401, 402, 403, 404, 405, 406, 407, 410, 415, 421, 426, 431, 451})
"""Of the address, of the signature or of the form of every message. 410: a receiver wants no more (Standard Webhooks)."""
_LATER: Final = frozenset({408, 425, 429})
"""Not taken, by the meaning of each status (RFC 9110; RFC 8470; RFC 6585). A 503 may come from a front behind which it was taken."""
_JSON: Final[Mapping[str, str]] = {"content-type": "application/json", "user-agent": "Waypost-Webhooks/1.0"}


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardWebhooks(Provider[RenderedWebhook]):
    """One receiver. ``url`` is its address, ``IN_SECRET``, or "" where none was chosen; then there is no ``secret`` either."""

    poster: Poster
    secret: SecretStore | None = field(repr=False)
    url: str
    clock: Clock
    real_clock: Callable[[], datetime] = real_now

    def send(self, outgoing: Outgoing[RenderedWebhook]) -> OurAnswer:
        """See Provider. The message key is the ``webhook-id``."""
        if self.secret is None:
            return RefusedUs("no_receiver: name it in the choice webhook_url")
        try:
            secret = self.secret.read()
        except RetryableError as error:
            return RefusedForNow(str(error))
        url = str(secret.get("url") or "") if self.url == IN_SECRET else self.url
        keys = read_keys(secret.get("signing_keys"), "signing_keys", webhook_signing.secret_problem).usable
        if not url or not keys:
            return RefusedUs("no_signing_keys" if url else "no_url")
        return self._posted(outgoing, url, keys)

    def _posted(self, outgoing: Outgoing[RenderedWebhook], url: str, keys: Sequence[str]) -> OurAnswer:
        body = _body(outgoing, at=self.clock())
        signed = webhook_signing.headers(outgoing.message_key, body, keys, now=self.real_clock())
        answer = self.poster.post(url, body, {**_JSON, **signed}, timeout=TIMEOUT, answer_limit=_ANSWER_LIMIT)
        match answer:
            case Answer():
                return _judged(answer, outgoing.message_key)
            case Forbidden(reason=reason):
                return RefusedUs(reason)
            case NotSent(reason=reason):
                return RefusedForNow(reason)
            case NoAnswer(reason=reason):
                return Unclear(reason)
            case _:
                assert_never(answer)


def _body(outgoing: Outgoing[RenderedWebhook], *, at: datetime) -> bytes:
    """``{"type": "message", "timestamp", "data"}``; ``data`` has the tags of the message, so that what is reported can name it."""
    tags = {name: value for name, value in outgoing.tags.items() if name != "address"}
    data: dict[str, Any] = {
        **tags,
        "user_id": outgoing.to.text,
        "transactional": outgoing.transactional,
        "unsubscribe_url": outgoing.unsubscribe_url,
        "content": outgoing.content.content,
    }
    envelope = {"type": "message", "timestamp": format_instant(at), "data": data}
    return json.dumps(envelope, ensure_ascii=False, separators=(",", ":")).encode()


def _judged(answer: Answer, message_key: str) -> OurAnswer:
    content, reason = _content(answer.body), f"http_{answer.status}"
    if 200 <= answer.status < 300:
        return Accepted(str(content.get("id") or message_key)[:_LONGEST_ID])
    if 400 <= answer.status < 500 and content.get("code") == UNKNOWN_CONTACT:
        return AddressGone(UNKNOWN_CONTACT, suppression="unregistered")
    if answer.status in _LATER:
        return RefusedForNow(reason)
    if (
        answer.status in _REFUSES_US or 300 <= answer.status < 400
    ):  # no redirect is followed: the address is another one
        return RefusedUs(reason)
    return RefusedMessage(reason) if 400 <= answer.status < 500 else Unclear(reason)


def _content(body: bytes | None) -> dict[str, Any]:
    try:
        content = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def connect(settings: Mapping[str, str], ports: ProviderPorts) -> StandardWebhooks:
    """The provider, from the settings ``secret`` and ``url``; ``endpoint`` takes the place of both on a developer's machine."""
    url = settings.get("url", "")
    return StandardWebhooks(
        poster=ports.poster(),
        secret=ports.secret(settings["secret"]) if "secret" in settings else None,
        url=settings.get("endpoint") or url,
        clock=ports.clock,
    )
