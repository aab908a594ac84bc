"""Answers and reports as Amazon SES v2 does.

Sources: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html,
https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendBulkEmail.html,
https://docs.aws.amazon.com/ses/latest/dg/monitoring-eventbridge.html and the contents of events in
https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
"""

import base64
import json
import re
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, ClassVar, Final, assert_never

from waypost.channels import fake_contract as contract
from waypost.channels.email.fake_smtp import Smtp, read_mail
from waypost.clock import format_instant

_PATH: Final = "/v2/email/outbound-emails"
_BULK_PATH: Final = "/v2/email/outbound-bulk-emails"
_MOST_ENTRIES: Final = 50
_MOST_BYTES: Final = 1_000_000
_MOST_VALUES: Final = 262_144
_SUBSTITUTION: Final = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_STATUSES: Final[Mapping[str, str]] = {
    "BadRequestException": "INVALID_PARAMETER",
    "MessageRejected": "MESSAGE_REJECTED",
    "NotFoundException": "CONFIGURATION_SET_NOT_FOUND",
    "SendingPausedException": "ACCOUNT_SENDING_PAUSED",
    "TooManyRequestsException": "ACCOUNT_THROTTLED",
}
"""What SES says of one recipient of a bulk call, by the error that a call for this recipient alone would have."""
_TAG: Final = re.compile(r"[A-Za-z0-9_.@:-]{1,256}")
_DETAIL_TYPES: Final[Mapping[str, str]] = {
    "Bounce": "Email Bounced",
    "Click": "Email Clicked",
    "Complaint": "Email Complaint Received",
    "Delivery": "Email Delivered",
    "DeliveryDelay": "Email Delivery Delayed",
    "Open": "Email Opened",
    "Reject": "Email Rejected",
    "Rendering Failure": "Email Rendering Failed",
    "Send": "Email Sent",
    "Subscription": "Email Subscription",
}
_BOUNCES: Final = {
    "Permanent": ("5.1.1", "General"),
    "Transient": ("4.2.2", "MailboxFull"),
    "Undetermined": ("5.0.0", "Undetermined"),
}
"""The SMTP status and the subtype of each type of bounce."""
_KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "Bounce": tuple(_BOUNCES),
    "Complaint": ("abuse", "auth-failure", "fraud", "not-spam", "other", "virus"),
}
"""What SES tells apart within a type; the second are the feedback types that mailbox providers send."""


class SesBulk(contract.FakeBulk):
    """SendBulkEmail with a template in the request."""

    def read(self, request: contract.HttpRequest) -> Sequence[contract.SentMessage]:
        """See FakeBulk."""
        if request.path != _BULK_PATH:
            return ()
        given = request.json()
        entries, template = given.get("BulkEmailEntries", []), given.get("DefaultContent", {}).get("Template", {})
        content = template.get("TemplateContent", {})
        problems = {
            "BulkEmailEntries is required": not entries,
            f"Destination count exceeds {_MOST_ENTRIES}": len(entries) > _MOST_ENTRIES,
            "The request is too large": len(request.body) > _MOST_BYTES,
            "Template is required": not content,
            "Template contains unsupported operations.": any(
                "{" in _SUBSTITUTION.sub("", each) for each in content.values()
            ),
            "TemplateData is too long": any(len(_values(each)) > _MOST_VALUES for each in entries),
        }
        contract.AwsFakeProvider.refuse_first(problems, "BadRequestException")
        return [_entry(given, entry, content) for entry in entries]

    def only(self, request: contract.HttpRequest, places: Collection[int]) -> contract.HttpRequest:
        """See FakeBulk."""
        given = request.json()
        entries = [entry for place, entry in enumerate(given["BulkEmailEntries"]) if place in places]
        return replace(request, body=json.dumps({**given, "BulkEmailEntries": entries}).encode())

    def accepted(self, message_id: str) -> dict[str, Any]:
        """See FakeBulk."""
        return {"Status": "SUCCESS", "MessageId": message_id}

    def refused(self, answer: contract.HttpAnswer) -> dict[str, Any]:
        """See FakeBulk."""
        code, message = answer.content["__type"], answer.content["message"]
        return {"Status": _STATUSES.get(code, "FAILED"), "Error": message}

    def answer(self, results: Sequence[Mapping[str, Any]]) -> contract.HttpAnswer:
        """See FakeBulk."""
        return contract.HttpAnswer(status=200, content={"BulkEmailEntryResults": [dict(each) for each in results]})

    def results(self, answer: contract.HttpAnswer) -> Sequence[Mapping[str, Any]]:
        """See FakeBulk."""
        results: Sequence[Mapping[str, Any]] = answer.content["BulkEmailEntryResults"]
        return results


class Ses(contract.AwsFakeProvider):
    """SendEmail and SendBulkEmail, and the events about them."""

    provider = "ses"
    endpoints = ("AWS_ENDPOINT_URL_SESV2",)
    refusals: ClassVar[frozenset[contract.RefusalKind]] = frozenset(contract.REFUSAL_KINDS) - {"address_gone"}
    words: ClassVar[frozenset[str]] = frozenset(
        f"{word} {kind}".strip() for word in _DETAIL_TYPES for kind in _KINDS.get(word, ("",))
    )
    fates: ClassVar[Mapping[contract.Fate, str]] = {
        "accepted": "Send",
        "delivered": "Delivery",
        "bounced": "Bounce Permanent",
        "bounced_for_now": "Bounce Transient",
        "complained": "Complaint abuse",
        "failed": "Reject",
    }
    is_passed_on = True
    bulk = SesBulk()

    def __init__(self) -> None:
        self._sets: frozenset[str] = frozenset()
        self._tenants: frozenset[str] = frozenset()

    def deployed(self, outputs: Mapping[str, str]) -> None:
        """See FakeProvider: from then on the configuration set and the tenant that a mail names are those that the stack made."""
        self._sets, self._tenants = (
            frozenset(value for name, value in outputs.items() if name.startswith(f"Email{kind}"))
            for kind in ("ConfigurationSet", "Tenant")
        )

    def recognises(self, request: contract.HttpRequest) -> bool:
        """See FakeProvider."""
        return request.path in {_PATH, _BULK_PATH}

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
        made = {"ConfigurationSetName": ("Configuration set", self._sets), "TenantName": ("Tenant", self._tenants)}
        for field, (kind, names) in made.items():
            named = message.request.get(field)
            if self._sets and named is not None and named not in names:
                reason = f"{kind} {named} does not exist."
                raise contract.RefusedRequestError(contract.aws_error(404, "NotFoundException", reason))

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
        self, word: str, message: contract.SentMessage, *, message_id: str, sent_at: datetime, at: datetime
    ) -> Any:
        """See FakeProvider: a word is a type and, after a space, what SES tells apart within it."""
        event_type = next(each for each in _DETAIL_TYPES if word == each or word.startswith(f"{each} "))
        kind = word.removeprefix(event_type).strip()
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
        section = _section(event_type, kind, message.recipient, format_instant(at))
        detail = {"eventType": event_type, "mail": mail, **section}
        return {
            "Source": "aws.ses",
            "DetailType": _DETAIL_TYPES[event_type],
            "Detail": json.dumps(detail),
            "Resources": [],
        }


def _section(event_type: str, kind: str, recipient: str, at: str) -> dict[str, Any]:
    """What an event of this type holds beside ``mail``."""
    reader = {"ipAddress": "192.0.2.1", "timestamp": at, "userAgent": "Mozilla/5.0"}
    status, subtype = _BOUNCES.get(kind, ("", ""))
    delayed = {"emailAddress": recipient, "status": "4.4.1", "diagnosticCode": "smtp; 421 4.4.1 Unable to connect"}
    sections: dict[str, dict[str, Any]] = {
        "Send": {"send": {}},
        "Delivery": {
            "delivery": {
                "timestamp": at,
                "processingTimeMillis": 500,
                "recipients": [recipient],
                "smtpResponse": "250 2.6.0 Message received",
                "reportingMTA": "mta.example.com",
            }
        },
        "Bounce": {
            "bounce": {
                "feedbackId": str(uuid.uuid4()),
                "bounceType": kind,
                "bounceSubType": subtype,
                "bouncedRecipients": [{"emailAddress": recipient, "action": "failed", "status": status}],
                "timestamp": at,
                "reportingMTA": "dsn; mta.example.com",
            }
        },
        "Complaint": {
            "complaint": {
                "feedbackId": str(uuid.uuid4()),
                "complainedRecipients": [{"emailAddress": recipient}],
                "complaintFeedbackType": kind,
                "timestamp": at,
            }
        },
        "Reject": {"reject": {"reason": "Bad content"}},
        "Rendering Failure": {"failure": {"errorMessage": "Attribute 'name' is missing.", "templateName": "welcome"}},
        "DeliveryDelay": {
            "deliveryDelay": {
                "timestamp": at,
                "delayType": "TransientCommunicationFailure",
                "expirationTime": at,
                "delayedRecipients": [delayed],
            }
        },
        "Open": {"open": reader},
        "Click": {"click": {**reader, "link": "https://www.example.com/", "linkTags": None}},
        "Subscription": {"subscription": {"contactList": "Newsletter", "timestamp": at, "source": "UnsubscribeHeader"}},
    }
    return sections[event_type]


def _entry(given: Mapping[str, Any], entry: Mapping[str, Any], template: Mapping[str, str]) -> contract.SentMessage:
    """One message of a bulk call: the template with this recipient's values, which SES fills in as they are."""
    values = json.loads(_values(entry) or "{}")

    def filled(part: str) -> str:
        return _SUBSTITUTION.sub(lambda found: str(values.get(found[1], "")), template.get(part, ""))

    return contract.SentMessage(
        recipient=next(iter(entry.get("Destination", {}).get("ToAddresses", [])), ""),
        tags={tag["Name"]: tag["Value"] for tag in entry.get("ReplacementTags", [])},
        content=contract.SentContent(
            sender=given.get("FromEmailAddress", ""),
            subject=filled("Subject"),
            html=filled("Html"),
            text=filled("Text"),
            headers={header["Name"]: header["Value"] for header in entry.get("ReplacementHeaders", [])},
        ),
        request={**{name: value for name, value in given.items() if name != "BulkEmailEntries"}, "Entry": dict(entry)},
    )


def _values(entry: Mapping[str, Any]) -> str:
    replacement: Mapping[str, Any] = entry.get("ReplacementEmailContent", {}).get("ReplacementTemplate", {})
    return str(replacement.get("ReplacementTemplateData", ""))


def _content(request: Mapping[str, Any]) -> contract.SentContent:
    content = request.get("Content", {})
    sender = request.get("FromEmailAddress", "")
    if "Raw" in content:
        raw = base64.b64decode(content["Raw"]["Data"])
        return read_mail(message_from_bytes(raw, _class=EmailMessage, policy=policy.default), sender=sender)
    simple = content.get("Simple", {})
    body = simple.get("Body", {})
    return contract.SentContent(
        sender=sender,
        subject=simple.get("Subject", {}).get("Data", ""),
        html=body.get("Html", {}).get("Data", ""),
        text=body.get("Text", {}).get("Data", ""),
        headers={header["Name"]: header["Value"] for header in simple.get("Headers", [])},
    )


FAKES: Final = (Ses(), Smtp())
