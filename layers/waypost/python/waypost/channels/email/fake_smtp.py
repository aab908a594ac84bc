"""Answers as a mail server that takes submissions, such as Postfix in front of a provider.

Sources: RFC 5321, RFC 3463 and RFC 5248.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, ClassVar, Final, assert_never

from waypost.channels import fake_contract as contract
from waypost.channels.email.mime import TAGS_HEADER, tags_of

LONGEST_LINE: Final = 998
"""Characters of a line without its end (RFC 5321, section 4.5.3.1.6)."""
_SHOWN: Final = frozenset({"from", "to", "subject", "content-type", "mime-version", "content-transfer-encoding"})


class Smtp(contract.FakeProvider):
    """A mail server over TLS. A message comes as a request whose method is ``SMTP``."""

    provider = "smtp"
    transport = "smtp"
    endpoints = ("WAYPOST_EMAIL_ENDPOINT",)
    authorities = ("WAYPOST_EMAIL_AUTHORITY",)
    choices: ClassVar[Mapping[str, str]] = {"email_smtp_server": "smtps://mail.waypost.example"}
    credentials: ClassVar[Mapping[str, str]] = {"username": "waypost", "password": "local"}
    refusals: ClassVar[frozenset[contract.RefusalKind]] = frozenset(contract.REFUSAL_KINDS)
    words: ClassVar[frozenset[str]] = frozenset()
    fates: ClassVar[Mapping[contract.Fate, str]] = {}

    def recognises(self, request: contract.HttpRequest) -> bool:
        """See FakeProvider."""
        return request.method == "SMTP"

    def read(self, request: contract.HttpRequest) -> contract.SentMessage:
        """See FakeProvider: the message (RFC 5322), and the envelope that it came in."""
        message = message_from_bytes(request.body, _class=EmailMessage, policy=policy.SMTP)
        return contract.SentMessage(
            recipient=request.headers.get("rcpt-to", ""),
            tags=dict(tags_of(str(message.get(TAGS_HEADER, "")))),
            content=read_mail(message),
            request={**request.headers, "raw": request.body.decode("ascii", "replace")},
        )

    def check(self, message: contract.SentMessage) -> None:
        """See FakeProvider: the form of RFC 5322 that servers insist on."""
        headers, lines = message.content.headers, str(message.request["raw"]).split("\r\n")
        problems = {
            "501 5.1.3 Bad recipient address syntax": "@" not in message.recipient,
            "554 5.6.0 Message has no Message-ID, Date or From": not (
                headers.keys() >= {"Message-ID", "Date"} and message.content.sender
            ),
            "554 5.6.0 Message is empty": not (message.content.text or message.content.html),
            "500 5.5.2 Line too long": any(len(line) > LONGEST_LINE or "\n" in line for line in lines),
            "554 5.6.1 Message is not in 7 bits": "\ufffd" in message.request["raw"],
        }
        for answer, is_wrong in problems.items():
            if is_wrong:
                raise contract.RefusedRequestError(_answer(answer))

    def accepted(self, message_id: str) -> contract.HttpAnswer:
        """See FakeProvider."""
        return _answer(f"250 2.0.0 Ok: queued as {message_id}")

    def refusal(self, kind: contract.RefusalKind) -> contract.HttpAnswer:
        """See FakeProvider. A server that fails on its own side ends the connection and says nothing."""
        match kind:
            case "throttle":
                return _answer("450 4.7.1 Too many messages, slow down")
            case "reject":
                return _answer("554 5.7.1 Message refused by content filter")
            case "refuse_us":
                return _answer("550 5.4.5 Daily sending quota exceeded")
            case "address_gone":
                return _answer("550 5.1.1 No such user here")
            case "error":
                return contract.HttpAnswer(status=0)
            case _:
                assert_never(kind)

    def new_id(self) -> str:
        """See FakeProvider."""
        return uuid.uuid4().hex[:10].upper()

    def notice(
        self, word: str, message: contract.SentMessage, *, message_id: str, sent_at: datetime, at: datetime
    ) -> Any:
        """See FakeProvider: a mail server reports by mails to the sender's address, which nothing here reads."""
        del message, message_id, sent_at, at
        raise ValueError(f"SMTP does not say {word!r}")


def read_mail(message: EmailMessage, *, sender: str = "") -> contract.SentContent:
    """A message as its reader gets it; ``sender`` is the From field where the provider was given it beside."""
    return contract.SentContent(
        sender=sender or str(message.get("From", "")),
        subject=str(message.get("Subject", "")),
        html=_part(message, "html"),
        text=_part(message, "plain"),
        headers={name: str(value) for name, value in message.items() if name.lower() not in _SHOWN},
    )


def _part(message: EmailMessage, subtype: str) -> str:
    part = message.get_body(preferencelist=(subtype,))
    return str(part.get_content()) if part is not None else ""


def _answer(text: str) -> contract.HttpAnswer:
    code, _, rest = text.partition(" ")
    return contract.HttpAnswer(status=int(code), text=rest)
