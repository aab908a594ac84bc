"""What SES says of a mail after taking it.

Source: https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
"""

from collections.abc import Mapping
from typing import Any, Final

from waypost.channels.contract import NoticeReader, Reported
from waypost.clock import parse_instant
from waypost.contacts import cleaning
from waypost.events.message_events import MessageEvent

_EVENTS: Final[Mapping[str, tuple[MessageEvent, str]]] = {
    "Send": ("message_accepted", "send"),
    "Delivery": ("message_delivered", "delivery"),
    "Bounce": ("message_bounced", "bounce"),
    "Complaint": ("message_complained", "complaint"),
    "Reject": ("message_failed", "reject"),
    "Rendering Failure": ("message_failed", "failure"),
}
"""Our event, and where SES puts what belongs to it."""

_NO_EVENT: Final = frozenset({"Click", "DeliveryDelay", "Open", "Subscription"})
"""Another word follows a delay; opens, clicks and unsubscriptions come from our own links."""

_NO_COMPLAINT: Final = "not-spam"
"""A recipient moved the mail out of the spam folder. Source: RFC 5965 with the registry of its feedback types."""

_BOUNCE_TYPES: Final = frozenset({"permanent", "transient", "undetermined"})


def read_ses(detail: Mapping[str, Any]) -> Reported | None:
    """See NoticeReader."""
    word, mail = detail["eventType"], detail["mail"]
    if word in _NO_EVENT:
        return None
    if word not in _EVENTS:
        raise ValueError(f"{word!r} has no meaning here")
    event, section = _EVENTS[word]
    content = detail.get(section, {})
    if word == "Complaint" and str(content.get("complaintFeedbackType", "")).lower() == _NO_COMPLAINT:
        return None
    return Reported(
        event=event,
        provider_word=word,
        provider_message_id=mail["messageId"],
        tags={name: values[0] for name, values in mail.get("tags", {}).items() if values},
        occurred_at=parse_instant(content.get("timestamp", mail["timestamp"])),
        properties=_properties(word, content),
        recipient=_recipient(content, mail),
    )


def _properties(word: str, content: Mapping[str, Any]) -> dict[str, str]:
    match word:
        case "Bounce":
            kind = str(content.get("bounceType", "")).lower()
            if kind not in _BOUNCE_TYPES:
                raise ValueError(f"bounceType {kind!r} has no meaning here")
            return {"bounce_type": kind, **({"suppression": "hard_bounce"} if kind == "permanent" else {})}
        case "Complaint":
            return {"suppression": "complaint"}
        case "Reject":
            return {"reason": str(content.get("reason", ""))}
        case "Rendering Failure":
            return {"reason": str(content.get("errorMessage", ""))}
        case _:
            return {}


def _recipient(content: Mapping[str, Any], mail: Mapping[str, Any]) -> str:
    """The address that bounced or complained; a message of ours has one recipient."""
    named = [*content.get("bouncedRecipients", ()), *content.get("complainedRecipients", ())]
    found = [each["emailAddress"] for each in named] or list(mail.get("destination", ()))
    cleaned = cleaning.email(found[0]) if found else ""
    return cleaned if isinstance(cleaned, str) else ""


SOURCES: Final[Mapping[str, NoticeReader]] = {"aws.ses": read_ses}
