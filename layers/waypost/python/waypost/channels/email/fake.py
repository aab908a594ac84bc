"""Answers and reports as Amazon SES v2 does.

Sources: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html,
https://docs.aws.amazon.com/ses/latest/dg/monitoring-eventbridge.html and the contents of events in
https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
"""

import base64
import json
import re
import uuid
from collections.abc import Mapping
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, ClassVar, Final, assert_never

from waypost.channels import fake_contract as contract
from waypost.clock import format_instant

_PATH: Final = "/v2/email/outbound-emails"
_TAG: Final = re.compile(r"[A-Za-z0-9_.@:-]{1,256}")
_WORDS: Final[Mapping[contract.Fate, tuple[str, str]]] = {
    "accepted": ("Send", "Email Sent"),
    "delivered": ("Delivery", "Email Delivered"),
    "bounced": ("Bounce", "Email Bounced"),
    "bounced_for_now": ("Bounce", "Email Bounced"),
    "complained": ("Complaint", "Email Complaint Received"),
    "failed": ("Reject", "Email Rejected"),
}


class Ses(contract.AwsFakeProvider):
    """SendEmail, and the events about it."""

    provider = "ses"
    endpoints = ("AWS_ENDPOINT_URL_SESV2",)
    refusals: ClassVar[frozenset[contract.RefusalKind]] = frozenset(contract.REFUSAL_KINDS) - {"address_gone"}
    fates: ClassVar[frozenset[contract.Fate]] = frozenset(_WORDS)
    is_passed_on = True

    def recognises(self, request: contract.HttpRequest) -> bool:
        """See FakeProvider."""
        return request.path == _PATH

    def read(self, request: contract.HttpRequest) -> contract.SentMessage:
        """See FakeProvider: a ``Simple`` or a ``Raw`` content."""
        given = request.json()
        return contract.SentMessage(
            recipient=next(iter(given.get("Destination", {}).get("ToAddresses", [])), ""),
            tags={tag["Name"]: tag["Value"] for tag in given.get("EmailTags", [])},
            content=_content(given),
            request=given,
        )

    def check(self, message: contract.SentMessage) -> None:
        """See FakeProvider: the limits of the API reference. A local part beyond ASCII would need SMTPUTF8."""
        local_part, at, _ = message.recipient.rpartition("@")
        problems = {
            "Missing final '@domain'": not at,
            "Local address contains control or whitespace": not local_part.isascii(),
            "Message body is empty": not (message.content.text or message.content.html),
            "Invalid tag": not all(_TAG.fullmatch(part) for tag in message.tags.items() for part in tag),
        }
        self.refuse_first(problems, "BadRequestException")

    def refusal(self, kind: contract.RefusalKind) -> contract.HttpAnswer:
        """See FakeProvider."""
        match kind:
            case "throttle":
                return contract.aws_error(429, "TooManyRequestsException", "Maximum sending rate exceeded.")
            case "reject":
                return contract.aws_error(400, "MessageRejected", "The message was rejected.")
            case "refuse_us":
                return contract.aws_error(400, "SendingPausedException", "Email sending is paused for this account.")
            case "error":
                return contract.aws_error(500, "InternalServiceErrorException", "An internal error occurred.")
            case "address_gone":
                raise ValueError("SES reports an address that is gone in a notice, not in its answer")
            case _:
                assert_never(kind)

    def new_id(self) -> str:
        """See FakeProvider."""
        return f"{uuid.uuid4().hex[:16]}-{uuid.uuid4()}-000000"

    def notice(
        self, fate: contract.Fate, message: contract.SentMessage, *, message_id: str, sent_at: datetime, at: datetime
    ) -> Any:
        """See FakeProvider."""
        word, detail_type = _WORDS[fate]
        mail = {
            "timestamp": format_instant(sent_at),
            "source": message.content.sender,
            "sendingAccountId": "000000000000",
            "messageId": message_id,
            "destination": [message.recipient],
            "headersTruncated": False,
            "commonHeaders": {"to": [message.recipient], "subject": message.content.subject},
            "tags": {
                **{name: [value] for name, value in message.tags.items()},
                "ses:configuration-set": [message.request.get("ConfigurationSetName", "")],
            },
        }
        detail = {"eventType": word, "mail": mail, **_section(fate, message.recipient, format_instant(at))}
        return {"Source": "aws.ses", "DetailType": detail_type, "Detail": json.dumps(detail), "Resources": []}


def _section(fate: contract.Fate, recipient: str, at: str) -> dict[str, Any]:
    match fate:
        case "accepted":
            return {"send": {}}
        case "delivered":
            delivery = {"timestamp": at, "processingTimeMillis": 500, "recipients": [recipient]}
            smtp = {"smtpResponse": "250 2.6.0 Message received", "reportingMTA": "mta.example.com"}
            return {"delivery": delivery | smtp}
        case "bounced" | "bounced_for_now":
            is_permanent = fate == "bounced"
            bounced = {"emailAddress": recipient, "action": "failed", "status": "5.1.1" if is_permanent else "4.2.2"}
            return {
                "bounce": {
                    "feedbackId": str(uuid.uuid4()),
                    "bounceType": "Permanent" if is_permanent else "Transient",
                    "bounceSubType": "General" if is_permanent else "MailboxFull",
                    "bouncedRecipients": [bounced],
                    "timestamp": at,
                    "reportingMTA": "dsn; mta.example.com",
                }
            }
        case "complained":
            return {
                "complaint": {
                    "feedbackId": str(uuid.uuid4()),
                    "complainedRecipients": [{"emailAddress": recipient}],
                    "complaintFeedbackType": "abuse",
                    "timestamp": at,
                }
            }
        case "failed":
            return {"reject": {"reason": "Bad content"}}
        case _:
            assert_never(fate)


def _content(request: Mapping[str, Any]) -> contract.SentContent:
    content = request.get("Content", {})
    sender = request.get("FromEmailAddress", "")
    if "Raw" in content:
        return _read_raw(base64.b64decode(content["Raw"]["Data"]), sender=sender)
    simple = content.get("Simple", {})
    body = simple.get("Body", {})
    return contract.SentContent(
        sender=sender,
        subject=simple.get("Subject", {}).get("Data", ""),
        html=body.get("Html", {}).get("Data", ""),
        text=body.get("Text", {}).get("Data", ""),
        headers={header["Name"]: header["Value"] for header in simple.get("Headers", [])},
    )


def _read_raw(raw: bytes, *, sender: str) -> contract.SentContent:
    message = message_from_bytes(raw, _class=EmailMessage, policy=policy.default)
    shown = {"from", "to", "subject", "content-type", "mime-version", "content-transfer-encoding"}
    return contract.SentContent(
        sender=sender or str(message.get("From", "")),
        subject=str(message.get("Subject", "")),
        html=_part(message, "html"),
        text=_part(message, "plain"),
        headers={name: str(value) for name, value in message.items() if name.lower() not in shown},
    )


def _part(message: EmailMessage, subtype: str) -> str:
    part = message.get_body(preferencelist=(subtype,))
    return str(part.get_content()) if part is not None else ""


FAKES: Final = (Ses(),)
