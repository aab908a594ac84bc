"""Mail through any server that takes submissions over TLS, for places without SES.

Sources: RFC 5321 (reply codes), RFC 3463 and RFC 5248 with the registry of enhanced status codes (iana.org/assignments/smtp-enhanced-status-codes).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from functools import partial
from typing import Final, assert_never

from waypost.channels.answers import Accepted, AddressGone, Answer, RefusedForNow, RefusedMessage, RefusedUs, Unclear
from waypost.channels.contract import Outgoing, Provider, ProviderPorts
from waypost.channels.email.channel import RenderedEmail
from waypost.channels.email.headers import origin_of, reply_addresses
from waypost.channels.email.mime import domain_of, message_id, mime_of
from waypost.channels.email.submission import Lost, MailServer, NotTaken, Outcome, Reply, Submission, trust
from waypost.clock import Clock

_GONE: Final = frozenset({
    "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10",  # no such mailbox or domain, no address, moved, takes no mail
    "5.2.1",  # disabled
    "5.7.17", "5.7.18",  # belongs to somebody else by now
})  # fmt: skip
_TAKES_NO_MAIL: Final = frozenset({521, 556})  # RFC 7504
_LOGIN_FIRST: Final = frozenset({530, 534, 535, 538})
_OURS: Final = frozenset({
    "5.1.7", "5.1.8",  # the sender's address
    "5.4.5",  # over the account's quota
    "5.7.8", "5.7.9", "5.7.10", "5.7.11", "5.7.12", "5.7.13", "5.7.14",  # credentials, encryption, account
    "5.7.20", "5.7.21", "5.7.22", "5.7.23", "5.7.24", "5.7.25", "5.7.26", "5.7.27", "5.7.28", "5.7.29",  # DKIM, SPF, DMARC, flood
})  # fmt: skip
_OPERATOR_FIRST: Final = frozenset({432})  # RFC 4954: a password transition is needed
_NO_ROOM: Final = 552
_TOO_LARGE: Final = frozenset({"5.2.3", "5.3.4"})
_QUEUED: Final = re.compile(
    r"queued as\s+([\w.@+-]{4,100})|\bid=([\w.@+-]{4,100})|^(?:[\d.]+\s+)?Ok:?\s+([\w.@+-]{4,100})\s*$", re.IGNORECASE
)
"""How servers name a message that they took: Postfix, Exim, Amazon."""


@dataclass(frozen=True, slots=True)
class Smtp(Provider[RenderedEmail]):
    """A mail server. ``sender`` is the From field as RFC 5322 writes it, ``reply_to`` the addresses that answers go to."""

    submission: Submission
    sender: str
    reply_to: tuple[str, ...]
    clock: Clock

    def send(self, outgoing: Outgoing[RenderedEmail]) -> Answer:
        """See Provider. The message key is the ``Message-ID``, and travels in a header of our own."""
        if not outgoing.to.text.isascii():
            return RefusedMessage("address_not_ascii")
        sender, reply_to = origin_of(outgoing.brand, self.sender, self.reply_to)
        message = mime_of(outgoing, sender=sender, reply_to=reply_to, at=self.clock())
        outcome = self.submission.submit(message, sender=parseaddr(sender)[1], recipient=outgoing.to.text)
        return answer_to(outcome, message_id=message_id(outgoing.message_key, domain=domain_of(sender)))


def answer_to(outcome: Outcome, *, message_id: str) -> Answer:
    """What the server's word says of the message; an accepted one that it gives no id has its own ``message_id``."""
    match outcome:
        case Reply():
            return _said(outcome, message_id)
        case NotTaken(cause=cause, is_ours=is_ours):
            return RefusedUs(cause) if is_ours else RefusedForNow(cause)
        case Lost(cause=cause):
            return Unclear(cause)
        case _:
            assert_never(outcome)


def _said(reply: Reply, message_id: str) -> Answer:
    """By the first digit of the code; one that the protocol does not have is unclear only after the message has left."""
    match reply.code // 100:
        case 2 if reply.step == "content":
            found = _QUEUED.search(reply.text)
            return Accepted(found[found.lastindex or 0] if found else message_id)
        case 4:
            return RefusedUs(_reason(reply)) if reply.code in _OPERATOR_FIRST else RefusedForNow(_reason(reply))
        case 5:
            return _refusal(reply)
        case _ if reply.step == "content":
            return Unclear(_reason(reply))
        case _:
            return RefusedForNow(_reason(reply))


def _refusal(reply: Reply) -> Answer:
    """What a permanent refusal is about: us, this address, or this message."""
    reason = _reason(reply)
    if reply.code in _LOGIN_FIRST or reply.status in _OURS:
        return RefusedUs(reason)
    match reply.step:
        case "sender" if reply.code == _NO_ROOM or reply.status in _TOO_LARGE:
            return RefusedMessage(reason)
        case "session" | "sender":
            return RefusedUs(reason)
        case "recipient" | "content":
            return _refused_recipient(reply, reason)
        case _:
            assert_never(reply.step)


def _refused_recipient(reply: Reply, reason: str) -> Answer:
    if reply.status in _GONE or (reply.step == "recipient" and reply.code in _TAKES_NO_MAIL):
        return AddressGone(reason, suppression="hard_bounce")
    if reply.step == "recipient" and reply.status.startswith("5.7."):  # it takes no mail for there from us
        return RefusedUs(reason, for_everyone=False)
    return RefusedMessage(reason)  # without a status, 550 is a mailbox or a policy (RFC 5321, section 4.2.2)


def _reason(reply: Reply) -> str:
    return " ".join(filter(None, ["smtp", reply.step, str(reply.code), reply.status]))


def connect(settings: Mapping[str, str], ports: ProviderPorts) -> Smtp:
    """The provider, from the settings ``sender``, ``reply_to`` (separated by commas), ``server`` and ``secret``.

    ``endpoint`` and ``authority`` are the server and its certificate authority in place of those, on a developer's machine.
    """
    sender = settings["sender"]
    submission = Submission(
        server=MailServer.of(settings.get("endpoint") or settings["server"]),
        credentials=ports.secret(settings["secret"]),
        name=domain_of(sender),
        tls=partial(trust, settings.get("authority", "")),
    )
    return Smtp(submission, sender, reply_addresses(settings), ports.clock)
