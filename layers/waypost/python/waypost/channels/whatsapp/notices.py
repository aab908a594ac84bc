"""What Meta says of WhatsApp messages, and what people write: entries of its webhook, which AWS publishes to a topic of ours.

Sources: https://docs.aws.amazon.com/social-messaging/latest/userguide/managing-event-destination-dlrs.html,
https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/components and
https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qsl

from waypost import ids
from waypost.channels.callback_contract import CallbackNotice
from waypost.channels.contract import NoticeReader, Replied, Reported, TopicReader
from waypost.channels.reply_words import wish_in
from waypost.events.message_events import MessageEvent

STATUS: Final = "aws.social-messaging"
MESSAGE: Final = "aws.social-messaging.message"
PREFERENCE: Final = "aws.social-messaging.preference"
ENTRY: Final = "whatsAppWebhookEntry"
"""The field that only what this service publishes has."""

STOPPED: Final = "131050"
"""The code of a message to a person who stopped marketing in WhatsApp itself."""
NOT_REACHED: Final = "131026"
"""No WhatsApp at the number, or one that is too old or has not agreed to the terms: nothing will arrive there soon."""
_EVENTS: Final[Mapping[str, MessageEvent]] = {
    "delivered": "message_delivered",
    "read": "message_opened",
    "failed": "message_failed",
}
_ON_THE_WAY: Final = frozenset({"accepted", "sent", "deleted", "warning"})
_NO_MESSAGES: Final = frozenset({"reaction", "system", "unsupported", "request_welcome"})


def read_topic(message: Mapping[str, Any]) -> Sequence[CallbackNotice]:
    """See TopicReader. An entry may have several changes; those of templates and accounts are no notices."""
    entry = json.loads(message[ENTRY])
    return [notice for change in entry["changes"] for notice in _of(change, str(message.get("messageId") or ""))]


def _of(change: Mapping[str, Any], message_id: str) -> Iterator[CallbackNotice]:
    value = change["value"]
    if change["field"] not in {"messages", "user_preferences"}:
        return
    for status in value.get("statuses", ()):
        detail = {"messageId": message_id, **status}
        yield _notice(STATUS, detail, status.get("id"), status.get("status"))
        if _code(status) == STOPPED:
            stopped = {"wa_id": status.get("recipient_id"), "value": "stop", "timestamp": status.get("timestamp")}
            yield _notice(PREFERENCE, stopped, *stopped.values())
    for written in value.get("messages", ()):
        yield _notice(MESSAGE, written, written.get("id"))
    for preference in value.get("user_preferences", ()):
        yield _notice(PREFERENCE, preference, *(preference.get(name) for name in ("wa_id", "value", "timestamp")))


def _notice(source: str, detail: Mapping[str, Any], *named: object) -> CallbackNotice:
    return CallbackNotice(source=source, notice_id=ids.digest(source, *map(str, named)), detail=detail)


def read_status(detail: Mapping[str, Any]) -> Reported | None:
    """See NoticeReader. None for a message that Waypost did not send: other systems may use the number too."""
    word = str(detail["status"])
    tags = dict(parse_qsl(str(detail.get("biz_opaque_callback_data") or "")))
    if word in _ON_THE_WAY or "message_key" not in tags:
        return None
    code = _code(detail)
    failure = {"reason": code, **({"suppression": "not_on_whatsapp"} if code == NOT_REACHED else {})}
    if word not in _EVENTS:
        raise ValueError(f"{word!r} has no meaning here")
    return Reported(
        event=_EVENTS[word],
        provider_word=f"{word} {code}".strip(),
        provider_message_id=str(detail.get("messageId") or detail.get("id") or ""),
        tags=tags,
        occurred_at=_at(detail),
        properties=failure if word == "failed" else {},
        recipient=_number(detail.get("recipient_id")),
    )


def read_message(detail: Mapping[str, Any]) -> Replied | None:
    """See NoticeReader. None for what is no message, such as a reaction to one."""
    kind = str(detail.get("type", ""))
    if kind in _NO_MESSAGES:
        return None
    text = _written(kind, detail.get(kind))
    return Replied(
        sender=_number(detail["from"]),
        text=text,
        wish=wish_in(text, provider="social_messaging"),
        reply_id=str(detail["id"]),
        occurred_at=_at(detail),
    )


def read_preference(detail: Mapping[str, Any]) -> Replied:
    """See NoticeReader: a person stopped marketing, or takes it again, in WhatsApp itself."""
    stops = detail["value"] == "stop"
    return Replied(
        sender=_number(detail["wa_id"]),
        text="stop" if stops else str(detail["value"]),
        wish="opt_out" if stops else "opt_in",
        reply_id=f"preference:{detail['wa_id']}:{detail['value']}:{detail.get('timestamp')}",
        occurred_at=_at(detail),
    )


def _written(kind: str, content: Any) -> str:
    """What a person wrote: a text, the words of a button or of a choice, or what stands under a picture."""
    match kind, content:
        case "text", {"body": text}:
            return str(text)
        case "button", {"text": text}:
            return str(text)
        case "interactive", {"button_reply": {"title": text}} | {"list_reply": {"title": text}}:
            return str(text)
        case _, {"caption": text}:
            return str(text)
        case _:
            return ""


def _code(status: Mapping[str, Any]) -> str:
    errors: Sequence[Mapping[str, Any]] = status.get("errors") or ({},)
    return str(errors[0].get("code", ""))


def _number(wa_id: object) -> str:
    """A WhatsApp id as profiles have the number: with a plus sign."""
    digits = str(wa_id or "").removeprefix("+")
    return f"+{digits}" if digits.isdigit() else ""


def _at(detail: Mapping[str, Any]) -> datetime | None:
    seconds = str(detail.get("timestamp") or "")
    return datetime.fromtimestamp(int(seconds), UTC) if seconds.isdigit() else None


SOURCES: Final[Mapping[str, NoticeReader]] = {
    STATUS: read_status,
    MESSAGE: read_message,
    PREFERENCE: read_preference,
}
TOPICS: Final[Mapping[str, TopicReader]] = {ENTRY: read_topic}
