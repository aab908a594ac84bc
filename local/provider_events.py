"""What the providers report about a message, in the documented shapes. Used by the providers' server.

Amazon SES: https://docs.aws.amazon.com/ses/latest/dg/monitoring-eventbridge.html and the event contents in
https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html. AWS End User Messaging SMS:
https://docs.aws.amazon.com/sms-voice/latest/userguide/monitor-event-bridge.html.
"""

import json
import uuid
from datetime import datetime
from typing import Any, Literal

from local.provider_record import Call
from waypost.clock import format_instant

EmailEvent = Literal["Send", "Delivery", "Bounce", "Complaint"]

_DETAIL_TYPES: dict[EmailEvent, str] = {
    "Send": "Email Sent",
    "Delivery": "Email Delivered",
    "Bounce": "Email Bounced",
    "Complaint": "Email Complaint Received",
}


def email_event(kind: EmailEvent, call: Call, *, at: datetime, permanent: bool = True) -> dict[str, Any]:
    """A PutEvents entry as SES puts it on the default bus."""
    mail = {
        "timestamp": format_instant(call.at),
        "source": call.mail.sender if call.mail else "",
        "sendingAccountId": "000000000000",
        "messageId": call.message_id,
        "destination": [call.recipient],
        "headersTruncated": False,
        "commonHeaders": {"to": [call.recipient], "subject": call.mail.subject if call.mail else ""},
        "tags": {
            **{name: [value] for name, value in call.tags.items()},
            "ses:configuration-set": [call.request.get("ConfigurationSetName", "")],
        },
    }
    contents: dict[EmailEvent, dict[str, Any]] = {
        "Send": {"send": {}},
        "Delivery": {
            "delivery": {
                "timestamp": format_instant(at),
                "processingTimeMillis": 500,
                "recipients": [call.recipient],
                "smtpResponse": "250 2.6.0 Message received",
                "reportingMTA": "mta.example.com",
            }
        },
        "Bounce": {
            "bounce": {
                "feedbackId": str(uuid.uuid4()),
                "bounceType": "Permanent" if permanent else "Transient",
                "bounceSubType": "General" if permanent else "MailboxFull",
                "bouncedRecipients": [{"emailAddress": call.recipient, "action": "failed", "status": "5.1.1"}],
                "timestamp": format_instant(at),
                "reportingMTA": "dsn; mta.example.com",
            }
        },
        "Complaint": {
            "complaint": {
                "feedbackId": str(uuid.uuid4()),
                "complainedRecipients": [{"emailAddress": call.recipient}],
                "complaintFeedbackType": "abuse",
                "timestamp": format_instant(at),
            }
        },
    }
    detail = {"eventType": kind, "mail": mail, **contents[kind]}
    return {"Source": "aws.ses", "DetailType": _DETAIL_TYPES[kind], "Detail": json.dumps(detail), "Resources": []}


def sms_event(kind: str, call: Call, *, at: datetime) -> dict[str, Any]:
    """A PutEvents entry as AWS End User Messaging puts it; ``kind`` such as TEXT_DELIVERED or TEXT_BLOCKED."""
    detail = {
        "eventType": kind,
        "eventVersion": "1.0",
        "eventTimestamp": round(at.timestamp() * 1000),
        "isFinal": True,
        "originationPhoneNumber": call.request.get("OriginationIdentity", ""),
        "destinationPhoneNumber": call.recipient,
        "messageId": call.message_id,
        "messageRequestTimestamp": round(call.at.timestamp() * 1000),
        "messageType": call.request.get("MessageType", "PROMOTIONAL"),
        "messageStatus": kind.removeprefix("TEXT_"),
        "context": call.tags,
        "totalMessageParts": 1,
    }
    return {
        "Source": "aws.sms-voice",
        "DetailType": "Text Message Delivery Status Updated",
        "Detail": json.dumps(detail),
        "Resources": [],
    }
