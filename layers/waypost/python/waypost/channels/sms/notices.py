"""What providers say of a text message after taking it, and what people send back.

Sources: https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-types.html and
https://docs.aws.amazon.com/sms-voice/latest/userguide/two-way-sms-payload.html; those of Alibaba Cloud stand in ``callbacks``.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final
from urllib.parse import parse_qsl

from waypost import ids
from waypost.channels.callback_contract import CallbackNotice
from waypost.channels.contract import NoticeReader, Replied, Reported, TopicReader
from waypost.channels.reply_words import wish_in
from waypost.channels.sms.callbacks import RECEIPT, REPLY
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
    "RCS_DELIVERED": ("message_delivered", {}),
    "RCS_READ": ("message_opened", {}),
    "RCS_PROTECT_BLOCKED": ("message_failed", {}),
    "RCS_FALLEN_BACK_TO_SMS": ("message_accepted", {}),
}
"""Our event and what it says besides."""

_EVENTS_OF_MESSAGES: Final = "aws.sms-voice"
_REPLIES: Final = "aws.sms-voice.reply"
_ID_OF_A_REPLY: Final = "inboundMessageId"
_TAKEN_BY_CARRIER: Final = "TEXT_SUCCESSFUL"
IN_FLIGHT: Final[frozenset[str]] = frozenset({"TEXT_PENDING", "TEXT_QUEUED", "TEXT_SENT"})
"""The words after which another one follows."""
OF_RCS_IN_FLIGHT: Final[frozenset[str]] = frozenset({"RCS_FAILED", "RCS_QUEUED", "RCS_SENT", "RCS_TTL_EXPIRED"})
"""The same of RCS: where a card fails or is late, the text message follows."""


def read_topic(message: Mapping[str, Any]) -> Sequence[CallbackNotice]:
    """See TopicReader: what a two-way number got."""
    return [CallbackNotice(source=_REPLIES, notice_id=str(message[_ID_OF_A_REPLY]), detail=message)]


def read_rcs_topic(message: Mapping[str, Any]) -> Sequence[CallbackNotice]:
    """See TopicReader: what becomes of cards. That of text messages comes by the event bus, and other systems have no key."""
    word = str(message["eventType"])
    if not word.startswith("RCS_") or "message_key" not in (message.get("context") or {}):
        return []
    notice_id = ids.digest(_EVENTS_OF_MESSAGES, str(message["messageId"]), word)
    return [CallbackNotice(source=_EVENTS_OF_MESSAGES, notice_id=notice_id, detail=message)]


def read_end_user_messaging(detail: Mapping[str, Any]) -> Reported | None:
    """See NoticeReader."""
    word = detail["eventType"]
    # where a carrier reports no arrival at the device, its own acceptance is the last word
    meaning = "TEXT_DELIVERED" if word == _TAKEN_BY_CARRIER and detail.get("isFinal") else word
    if meaning not in _EVENTS:
        if detail.get("isFinal") and word not in IN_FLIGHT | OF_RCS_IN_FLIGHT:
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
    """See NoticeReader. The order of replies is not guaranteed, and they carry no time. A tapped button says what it stands for."""
    text = str(detail.get("postbackData") or detail["messageBody"])
    return Replied(
        sender=str(detail["originationNumber"]),
        text=text,
        wish=wish_in(text, provider="end_user_messaging"),
        reply_id=str(detail["inboundMessageId"]),
    )


_CHINA: Final = timezone(timedelta(hours=8))


def read_receipt_of_aliyun(detail: Mapping[str, Any]) -> Reported:
    """See NoticeReader. The words for failures are the carriers' own and are arbitrary, so none of them closes a number."""
    is_delivered = str(detail["success"]).lower() == "true"
    word = str(detail.get("err_code") or ("DELIVERED" if is_delivered else "FAILED"))
    return Reported(
        event="message_delivered" if is_delivered else "message_bounced",
        provider_word=word,
        provider_message_id=str(detail["biz_id"]),
        tags=dict(parse_qsl(str(detail.get("out_id") or ""))),
        occurred_at=_time_in_china(detail.get("report_time")),
        recipient=_number(detail["phone_number"]),
        properties={
            "status": str(detail.get("err_msg") or ""),
            **({} if is_delivered else {"bounce_type": "undetermined"}),
        },
    )


def read_reply_to_aliyun(detail: Mapping[str, Any]) -> Replied:
    """See NoticeReader. ``sequence_id`` is a text in newer callbacks and a number in older ones."""
    text, number = str(detail["content"]), _number(detail["phone_number"])
    named = str(detail.get("sequence_id") or "")
    return Replied(
        sender=number,
        text=text,
        wish=wish_in(text, provider="aliyun"),
        reply_id=f"aliyun:{named}:{number}" if named else "",
        occurred_at=_time_in_china(detail.get("send_time")),
    )


def _number(given: object) -> str:
    """A mobile number of mainland China as profiles have it: ``+86`` before eleven digits."""
    digits = str(given).strip().removeprefix("+")
    return f"+86{digits}" if len(digits) == 11 and digits.startswith("1") else f"+{digits}"


def _time_in_china(given: object) -> datetime | None:
    try:
        return datetime.strptime(str(given), "%Y-%m-%d %H:%M:%S").replace(tzinfo=_CHINA).astimezone(UTC)
    except ValueError:
        return None


SOURCES: Final[Mapping[str, NoticeReader]] = {
    _EVENTS_OF_MESSAGES: read_end_user_messaging,
    _REPLIES: read_reply_to_end_user_messaging,
    RECEIPT: read_receipt_of_aliyun,
    REPLY: read_reply_to_aliyun,
}
TOPICS: Final[Mapping[str, TopicReader]] = {_ID_OF_A_REPLY: read_topic, "eventVersion": read_rcs_topic}
