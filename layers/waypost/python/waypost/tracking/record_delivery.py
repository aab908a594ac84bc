"""What providers say of a message after taking it, as events in our envelope. Called by record_delivery."""

from collections.abc import Mapping
from typing import Any, Final

from waypost import ids
from waypost.clock import Clock, parse_instant
from waypost.errors import InvalidInput
from waypost.events.envelope import Event
from waypost.events.message_events import MessageEvent

SES_TYPES: Final[Mapping[str, tuple[MessageEvent, str]]] = {
    "Send": ("message_accepted", "send"),
    "Delivery": ("message_delivered", "delivery"),
    "Bounce": ("message_bounced", "bounce"),
    "Complaint": ("message_complained", "complaint"),
    "Reject": ("message_failed", "reject"),
}
"""Our event type, and where SES puts what belongs to it.

Source: https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
"""

SMS_TYPES: Final[Mapping[str, tuple[MessageEvent, Mapping[str, str]]]] = {
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
"""Our event type, and what it says besides.

Source: https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-types.html
"""


def delivery_events(notice: Mapping[str, Any], *, clock: Clock) -> list[Event]:
    """The event in an EventBridge notice of SES or End User Messaging; none for a kind that nobody here acts on.

    Raises InvalidInput when the message carries none of our tags: it was not sent by Waypost.
    """
    detail = notice["detail"]
    match notice["source"]:
        case "aws.ses":
            return _from_ses(notice["id"], detail, clock=clock)
        case "aws.sms-voice":
            return _from_sms(notice["id"], detail, clock=clock)
        case source:
            raise InvalidInput("source", f"{source!r} sends no messages for Waypost")


def _from_ses(notice_id: str, detail: Mapping[str, Any], *, clock: Clock) -> list[Event]:
    kind = SES_TYPES.get(detail["eventType"])
    if kind is None:
        return []
    event_type, section = kind
    mail, what = detail["mail"], detail.get(section, {})
    tags = {name: values[0] for name, values in mail.get("tags", {}).items() if values}
    occurred_at = parse_instant(what.get("timestamp", mail["timestamp"]))
    properties: dict[str, Any] = {
        "channel": "email",
        "provider_word": detail["eventType"],
        "provider_message_id": mail["messageId"],
    }
    if event_type == "message_bounced":
        properties["bounce_type"] = str(what.get("bounceType", "")).lower()
        if properties["bounce_type"] == "permanent":
            properties["suppression"] = "hard_bounce"
    if event_type == "message_complained" and what.get("complaintFeedbackType") != "not-spam":
        properties["suppression"] = "complaint"
    if event_type == "message_failed":
        properties["reason"] = what.get("reason", "")
    return [_event(notice_id, event_type, tags, properties, occurred_at=occurred_at, source="waypost.ses", clock=clock)]


def _from_sms(notice_id: str, detail: Mapping[str, Any], *, clock: Clock) -> list[Event]:
    word = detail["eventType"]
    if word == "TEXT_SUCCESSFUL" and detail.get("isFinal"):  # where a carrier reports no delivery to the device
        word = "TEXT_DELIVERED"
    if word not in SMS_TYPES:
        return []
    event_type, more = SMS_TYPES[word]
    properties = {
        "channel": "sms",
        "provider_word": detail["eventType"],
        "provider_message_id": detail["messageId"],
        "status": detail.get("messageStatus", ""),
        **more,
    }
    tags = detail.get("context", {})
    return [_event(notice_id, event_type, tags, properties, occurred_at=clock(), source="waypost.sms", clock=clock)]


def _event(
    notice_id: str,
    event_type: str,
    tags: Mapping[str, str],
    properties: Mapping[str, Any],
    *,
    occurred_at: Any,
    source: str,
    clock: Clock,
) -> Event:
    missing = [name for name in ("contact_id", "message_key") if name not in tags]
    if missing:
        raise InvalidInput("tags", f"{', '.join(missing)} missing: this message was not sent by Waypost")
    return Event(
        id=f"{source}:{ids.digest(notice_id)}",
        type=event_type,
        contact={"contact_id": tags["contact_id"]},
        occurred_at=occurred_at,
        received_at=clock(),
        source=source,
        properties={**properties, "message_key": tags["message_key"], "journey": tags.get("journey", "")},
    )
