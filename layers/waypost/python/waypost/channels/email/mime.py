"""A rendered mail as it travels: the message of RFC 5322 with its two parts. Used by what hands over or looks at raw mails."""

from collections.abc import Mapping
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from waypost.channels.email.channel import RenderedEmail


def as_mime(
    content: RenderedEmail,
    *,
    sender: str,
    recipient: str,
    message_id: str,
    at: datetime,
    headers: Mapping[str, str],
) -> bytes:
    """The mail, text part first (RFC 2046, 5.1.4: the best alternative is the last).

    ``sender`` is the From field, ``message_id`` has its angle brackets, ``headers`` are further fields.
    """
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = recipient
    message["Date"] = format_datetime(at)
    message["Message-ID"] = message_id
    message["Subject"] = content.subject
    for name, value in headers.items():
        message[name] = value
    message.set_content(content.text)
    message.add_alternative(content.html, subtype="html")
    return message.as_bytes()
