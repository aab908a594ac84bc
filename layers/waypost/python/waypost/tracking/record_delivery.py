"""What providers say of a message after taking it, as events in our envelope. Called by record_delivery."""

from collections.abc import Mapping
from typing import Any, Final

from waypost import ids
from waypost.clock import Clock, parse_instant
from waypost.errors import InvalidInput
from waypost.events.envelope import Event

SES_TYPES: Final[Mapping[str, tuple[str, str]]] = {
    "Send": ("email_accepted", "send"),
    "Delivery": ("email_delivered", "delivery"),
    "Bounce": ("email_bounced", "bounce"),
    "Complaint": ("email_complained", "complaint"),
    "Reject": ("email_rejected", "reject"),
}
"""Our event type, and where SES puts what belongs to it.

Source: https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
"""

SMS_TYPES: Final[Mapping[str, str]] = {
    "TEXT_DELIVERED": "sms_delivered",
    "TEXT_BLOCKED": "sms_failed",
    "TEXT_CARRIER_BLOCKED": "sms_failed",
    "TEXT_CARRIER_UNREACHABLE": "sms_failed",
    "TEXT_INVALID": "sms_failed",
    "TEXT_INVALID_MESSAGE": "sms_failed",
    "TEXT_SPAM": "sms_failed",
    "TEXT_TTL_EXPIRED": "sms_failed",
    "TEXT_UNKNOWN": "sms_failed",
    "TEXT_UNREACHABLE": "sms_failed",
}
"""Source: https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-types.html"""


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
    properties: dict[str, Any] = {"provider_message_id": mail["messageId"]}
    if event_type == "email_bounced":
        properties["bounce_type"] = str(what.get("bounceType", "")).lower()
    if event_type == "email_rejected":
        properties["reason"] = what.get("reason", "")
    return [_event(notice_id, event_type, tags, properties, occurred_at=occurred_at, source="waypost.ses", clock=clock)]


def _from_sms(notice_id: str, detail: Mapping[str, Any], *, clock: Clock) -> list[Event]:
    event_type = SMS_TYPES.get(detail["eventType"])
    if event_type is None:
        return []
    properties = {"provider_message_id": detail["messageId"], "status": detail.get("messageStatus", "")}
    events = [
        _event(
            notice_id,
            event_type,
            detail.get("context", {}),
            properties,
            occurred_at=clock(),
            source="waypost.sms",
            clock=clock,
        )
    ]
    if detail["eventType"] == "TEXT_INVALID":
        events.append(
            _event(
                f"{notice_id}-invalid",
                "sms_number_invalid",
                detail.get("context", {}),
                {"channel": "sms"},
                occurred_at=clock(),
                source="waypost.sms",
                clock=clock,
            )
        )
    return events


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
