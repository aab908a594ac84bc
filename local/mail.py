"""A mail as its reader gets it, read from a SendEmail request. Used by the providers."""

import base64
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """``headers`` are the extra ones the sender set; ``html`` and ``text`` are empty when that part is missing."""

    sender: str
    recipient: str
    subject: str
    html: str
    text: str
    headers: dict[str, str] = field(default_factory=dict)


def read_mail(request: dict[str, Any]) -> Mail:
    """Read a ``Simple`` or ``Raw`` SendEmail request of SES v2."""
    content = request.get("Content", {})
    recipient = next(iter(request.get("Destination", {}).get("ToAddresses", [])), "")
    sender = request.get("FromEmailAddress", "")
    if "Raw" in content:
        return _read_raw(base64.b64decode(content["Raw"]["Data"]), sender=sender, recipient=recipient)
    simple = content.get("Simple", {})
    body = simple.get("Body", {})
    return Mail(
        sender=sender,
        recipient=recipient,
        subject=simple.get("Subject", {}).get("Data", ""),
        html=body.get("Html", {}).get("Data", ""),
        text=body.get("Text", {}).get("Data", ""),
        headers={header["Name"]: header["Value"] for header in simple.get("Headers", [])},
    )


def _read_raw(raw: bytes, *, sender: str, recipient: str) -> Mail:
    message = message_from_bytes(raw, _class=EmailMessage, policy=policy.default)
    shown = {"from", "to", "subject", "content-type", "mime-version", "content-transfer-encoding"}
    return Mail(
        sender=sender or str(message.get("From", "")),
        recipient=recipient or str(message.get("To", "")),
        subject=str(message.get("Subject", "")),
        html=_part(message, "html"),
        text=_part(message, "plain"),
        headers={name: str(value) for name, value in message.items() if name.lower() not in shown},
    )


def _part(message: EmailMessage, subtype: str) -> str:
    part = message.get_body(preferencelist=(subtype,))
    return str(part.get_content()) if part is not None else ""
