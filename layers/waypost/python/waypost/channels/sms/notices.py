"""What AWS End User Messaging says of a text message after taking it, and what people send back.

Sources: https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-types.html and
https://docs.aws.amazon.com/sms-voice/latest/userguide/two-way-sms-payload.html
"""

from collections.abc import Mapping
from typing import Any, Final

from waypost.channels.contract import NoticeReader, Replied, Reported
from waypost.channels.sms.replies import wish_in
from waypost.events.message_events import MessageEvent

_EVENTS: Final[Mapping[str, tuple[MessageEvent, Mapping[str, str]]]] = {
    "TEXT_DELIVERED": ("message_delivered", {}),
    "TEXT_INVALID": ("message_bounced", {"bounce_type": "permanent", "suppression": "invalid_number"}),
    "TEXT_CARRIER_UNREACHABLE": ("message_bounced", {"bounce_type": "transient"}),
    "TEXT_TTL_EXPIRED": ("message_bounced", {"bounce_type": "transient"}),
    "TEXT_UNREACHABLE": ("message_bounced", {"bounce_type": "transient"}),
    "TEXT_UNKNOWN": ("message_bounced", {"bounce_type": "undetermined"}),
    "TEXT_BLOCKED": ("message_failed", {}),
    "TEXT_CARRIER_BLOCKED": ("message_failed", {}),
    "TEXT_INVALID_MESSAGE": ("message_failed", {}),
    "TEXT_PROTECT_BLOCKED": ("message_failed", {}),
    "TEXT_SPAM": ("message_failed", {}),
}
"""Our event and what it says besides."""

_TAKEN_BY_CARRIER: Final = "TEXT_SUCCESSFUL"
IN_FLIGHT: Final[frozenset[str]] = frozenset({"TEXT_PENDING", "TEXT_QUEUED", "TEXT_SENT"})
"""The words after which another one follows."""


def read_end_user_messaging(detail: Mapping[str, Any]) -> Reported | None:
    """See NoticeReader."""
    word = detail["eventType"]
    # where a carrier reports no arrival at the device, its own acceptance is the last word
    meaning = "TEXT_DELIVERED" if word == _TAKEN_BY_CARRIER and detail.get("isFinal") else word
    if meaning not in _EVENTS:
        if detail.get("isFinal") and word not in IN_FLIGHT:
            raise ValueError(f"{word!r} is final and has no meaning here")
        return None
    event, properties = _EVENTS[meaning]
    return Reported(
        event=event,
        provider_word=word,
        provider_message_id=detail["messageId"],
        tags=detail.get("context", {}),
        recipient=str(detail.get("destinationPhoneNumber") or ""),
        properties={"status": detail.get("messageStatus", ""), **properties},
    )


def read_reply_to_end_user_messaging(detail: Mapping[str, Any]) -> Replied:
    """See NoticeReader. The order of replies is not guaranteed, and they carry no time."""
    text = str(detail["messageBody"])
    return Replied(
        sender=str(detail["originationNumber"]),
        text=text,
        wish=wish_in(text, provider="end_user_messaging"),
        reply_id=str(detail["inboundMessageId"]),
    )


SOURCES: Final[Mapping[str, NoticeReader]] = {
    "aws.sms-voice": read_end_user_messaging,
    "aws.sms-voice.reply": read_reply_to_end_user_messaging,
}
