"""A rendered mail as it travels: the message of RFC 5322 with its two parts. Used by what hands over or looks at raw mails."""

import re
from collections.abc import Mapping
from datetime import datetime
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr, parseaddr
from typing import Final
from urllib.parse import parse_qs, urlencode

from waypost.channels.contract import Outgoing
from waypost.channels.email.channel import RenderedEmail
from waypost.channels.email.headers import feedback, own_headers

TAGS_HEADER: Final = "X-Waypost-Tags"
"""Carries the tags of a message, so that a report that returns its headers (RFC 3464) names the message."""

_BODY: Final = SMTP.clone(cte_type="7bit")  # no server has to offer 8BITMIME
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_LONGEST_LINE: Final = 76  # with encoded words; RFC 2047, section 2
_SENDER_ID: Final = "waypost"
"""The last part of ``Feedback-ID``, 5 to 15 characters. Source: Gmail's "Feedback Loop", support.google.com/a/answer/6254652."""


def mime_of(outgoing: Outgoing[RenderedEmail], *, sender: str, reply_to: tuple[str, ...], at: datetime) -> bytes:
    """The message with all that Waypost says in its header. The same message has the same ``Message-ID`` each time."""
    domain = domain_of(sender)
    return as_mime(
        outgoing.content,
        sender=sender,
        recipient=outgoing.to.text,
        message_id=message_id(outgoing.message_key, domain=domain),
        at=at,
        headers={
            **({"Reply-To": ", ".join(reply_to)} if reply_to else {}),
            **own_headers(outgoing),
            "Feedback-ID": ":".join([*feedback(outgoing), domain, _SENDER_ID]),
            TAGS_HEADER: urlencode(outgoing.tags),
        },
    )


def as_mime(
    content: RenderedEmail,
    *,
    sender: str,
    recipient: str,
    message_id: str,
    at: datetime,
    headers: Mapping[str, str],
) -> bytes:
    """The mail in lines of ASCII, text part first (RFC 2046, 5.1.4: the best alternative is the last).

    ``sender`` is the From field, ``message_id`` has its angle brackets, ``headers`` are further fields. The header is written
    here: ``email`` folds or encodes a long link in it, which mailbox providers then do not read.
    """
    fields = {
        "From": sender if sender.isascii() else formataddr(parseaddr(sender)),
        "To": recipient,
        "Date": format_datetime(at),
        "Message-ID": message_id,
        "Subject": content.subject,
        **headers,
    }
    body = EmailMessage(policy=_BODY)
    body.set_content(content.text)
    body.add_alternative(content.html, subtype="html")
    return "".join(_line(name, value) for name, value in fields.items()).encode("ascii") + body.as_bytes()


def domain_of(sender: str) -> str:
    """The domain of a From field."""
    return parseaddr(sender)[1].rpartition("@")[2]


def message_id(message_key: str, *, domain: str) -> str:
    """The ``Message-ID`` of a message: its key at the sender's domain."""
    return f"<{message_key}@{domain}>"


def tags_of(header: str) -> Mapping[str, str]:
    """The tags in a header field ``X-Waypost-Tags``."""
    return {name: values[0] for name, values in parse_qs("".join(header.split())).items()}


def _line(name: str, value: str) -> str:
    """One header field. The addresses in it are never broken over two lines: not every reader puts them together again."""
    value = _CONTROL.sub(" ", value)
    if name == "Subject" or not value.isascii():
        value = Header(value, "us-ascii" if _is_plain(value) else "utf-8", _LONGEST_LINE, name).encode(linesep="\r\n")
    return f"{name}: {value}\r\n"


def _is_plain(value: str) -> bool:
    return value.isascii() and "=?" not in value
