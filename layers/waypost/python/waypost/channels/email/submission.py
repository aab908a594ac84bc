"""Hands messages to a mail server over TLS (RFC 6409, RFC 8314), one attempt each, over connections that stay open.

A message is the server's with the line that ends it and not before: whatever breaks earlier has sent nothing.
"""

import re
import select
import smtplib
import ssl
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final, Literal, Self, assert_never
from urllib.parse import urlsplit

from waypost.clock import Clock, real_now
from waypost.errors import WaypostError
from waypost.events.ports import SecretStore

CONNECT_TIMEOUT: Final = 5.0  # seconds, for the connection and each answer until the login is through
ANSWER_TIMEOUT: Final = 10.0  # seconds, below the function's own timeout
KEPT_FOR: Final = timedelta(minutes=1)
"""Servers end idle connections after five minutes at the earliest (RFC 5321, section 4.5.3.2), and networks without a word."""

_GO_AHEAD: Final = 354
_SHUTTING_DOWN: Final = 421
_CREDENTIALS_REFUSED: Final = 535
_STATUS: Final = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})\b")
_LEADING_DOT: Final = re.compile(rb"(?m)^\.")

Step = Literal["session", "sender", "recipient", "content"]
"""What a server answers: greeting, TLS and login; MAIL; RCPT; DATA and the message."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server replied to a step. ``text`` may name an address: it is for reading codes and ids, never for a log."""

    step: Step
    code: int
    text: str = field(default="", repr=False)

    @property
    def status(self) -> str:
        """The enhanced status code (RFC 3463), such as ``5.1.1``; "" where there is none."""
        found = _STATUS.match(self.text)
        return found[1] if found else ""


@dataclass(frozen=True, slots=True)
class NotTaken:
    """The message did not leave. ``is_ours``: the server or its certificate is not what this deployment expects."""

    cause: str
    is_ours: bool = False


@dataclass(frozen=True, slots=True)
class Lost:
    """The connection ended while the message was on its way or before its answer: it may have been taken."""

    cause: str


Outcome = Reply | NotTaken | Lost


@dataclass(frozen=True, slots=True)
class MailServer:
    """A server that takes messages. ``is_implicit``: TLS from the first byte; else by STARTTLS, without which nothing is sent."""

    host: str
    port: int
    is_implicit: bool

    @classmethod
    def of(cls, url: str) -> Self:
        """From ``smtps://host:465`` or ``smtp://host:587``; a host alone is the first. Raises ValueError."""
        parts = urlsplit(url if "://" in url else f"smtps://{url}")
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or parts.path or parts.query or parts.username:
            raise ValueError("expected smtps://host:port or smtp://host:port")
        implicit = parts.scheme == "smtps"
        return cls(parts.hostname, parts.port or (465 if implicit else 587), implicit)


@cache
def trust(authority: str = "") -> ssl.SSLContext:
    """Trust in the certificate authorities of this machine, or in the one of a file; read once per process."""
    return ssl.create_default_context(cafile=authority or None)


@dataclass(slots=True, kw_only=True)
class Submission:
    """Connections to one mail server. Threads may share it: each takes a connection for itself.

    ``credentials`` hold ``username`` and ``password``; ``name`` is what this client calls itself.
    """

    server: MailServer
    credentials: SecretStore
    name: str
    tls: Callable[[], ssl.SSLContext] = trust
    clock: Clock = real_now
    _idle: deque[tuple[smtplib.SMTP, datetime]] = field(default_factory=deque, init=False, repr=False)

    def submit(self, message: bytes, *, sender: str, recipient: str) -> Outcome:
        """Hand one message over. A kept connection that broke or was ended before the message left is replaced by a new one."""
        if kept := self._kept():
            outcome = self._hand_over(kept, message, sender=sender, recipient=recipient)
            if not _has_ended(outcome):
                return outcome
        opened = self._opened()
        if not isinstance(opened, smtplib.SMTP):
            return opened
        return self._hand_over(opened, message, sender=sender, recipient=recipient)

    def __del__(self) -> None:
        """Close what is kept: a socket that is only forgotten stays open until it is collected."""
        while self._idle:
            self._idle.pop()[0].close()

    def _kept(self) -> smtplib.SMTP | None:
        """A connection that nothing is known against: one that can be read was ended by the server."""
        while self._idle:
            connection, used_at = self._idle.pop()
            is_fresh = self.clock() - used_at < KEPT_FOR
            if is_fresh and connection.sock is not None and not select.select([connection.sock], [], [], 0)[0]:
                return connection
            connection.close()
        return None

    def _hand_over(self, connection: smtplib.SMTP, message: bytes, *, sender: str, recipient: str) -> Outcome:
        outcome = _conversation(connection, message, sender=sender, recipient=recipient)
        if isinstance(outcome, Reply) and outcome.code != _SHUTTING_DOWN and _is_ready(connection, outcome):
            self._idle.append((connection, self.clock()))
        else:
            connection.close()
        return outcome

    def _opened(self) -> smtplib.SMTP | Reply | NotTaken:
        """A connection that is logged in. Where the server refuses the credentials, they may just have been changed."""
        try:
            known = self.credentials.read()
            opened = self._session(known)
            if isinstance(opened, Reply) and opened.code == _CREDENTIALS_REFUSED:
                newer = self.credentials.read_again()
                return self._session(newer) if newer != known else opened
        except WaypostError as error:
            return NotTaken(type(error).__name__)
        return opened

    def _session(self, credentials: Mapping[str, Any]) -> smtplib.SMTP | Reply | NotTaken:
        username, password = str(credentials.get("username", "")), str(credentials.get("password", ""))
        if not username:
            return NotTaken("no_credentials", is_ours=True)
        try:
            return self._logged_in(username, password)
        except smtplib.SMTPResponseException as refused:
            return Reply("session", refused.smtp_code, _text(refused.smtp_error))
        except smtplib.SMTPServerDisconnected as error:
            return NotTaken(type(error).__name__)
        except (smtplib.SMTPException, ssl.SSLCertVerificationError, UnicodeError) as error:
            # without STARTTLS or a way to log in that we know; not whom we meant; a password that no login can carry
            return NotTaken(type(error).__name__, is_ours=True)
        except OSError as error:
            return NotTaken(type(error).__name__)

    def _logged_in(self, username: str, password: str) -> smtplib.SMTP:
        """Raises OSError, of which smtplib's own errors are, and UnicodeError."""
        host, port, name = self.server.host, self.server.port, self.name
        if self.server.is_implicit:
            connection: smtplib.SMTP = smtplib.SMTP_SSL(host, port, name, timeout=CONNECT_TIMEOUT, context=self.tls())
        else:
            connection = smtplib.SMTP(host, port, name, timeout=CONNECT_TIMEOUT)
        try:
            if not self.server.is_implicit:
                connection.starttls(context=self.tls())
            connection.login(username, password)
            if connection.sock is not None:
                connection.sock.settimeout(ANSWER_TIMEOUT)
        except BaseException:
            connection.close()
            raise
        return connection


def _conversation(connection: smtplib.SMTP, message: bytes, *, sender: str, recipient: str) -> Outcome:
    size = [f"size={len(message)}"] if connection.has_extn("size") else []
    try:
        code, text = connection.mail(sender, size)
        if not _is_done(code):
            return Reply("sender", code, _text(text))
        code, text = connection.rcpt(recipient)
        if not _is_done(code):
            return Reply("recipient", code, _text(text))
        code, text = connection.docmd("DATA")
        if code != _GO_AHEAD:
            return Reply("content", code, _text(text))
    except OSError as error:
        return NotTaken(type(error).__name__)
    try:
        connection.send(_LEADING_DOT.sub(b"..", message).removesuffix(b"\r\n") + b"\r\n.\r\n")
        code, text = connection.getreply()
    except OSError as error:
        return Lost(type(error).__name__)
    return Reply("content", code, _text(text))


def _is_done(code: int) -> bool:
    return 200 <= code < 300


def _is_ready(connection: smtplib.SMTP, reply: Reply) -> bool:
    """Whether the next message can be handed over; after a refusal the transaction is ended first."""
    if reply.step == "content" and _is_done(reply.code):
        return True
    with suppress(OSError):
        return _is_done(connection.rset()[0])
    return False


def _has_ended(outcome: Outcome) -> bool:
    """Whether it says only that the connection is of no use any more."""
    match outcome:
        case NotTaken():
            return True
        case Reply(step=step, code=code):
            return step == "sender" and code == _SHUTTING_DOWN
        case Lost():
            return False
        case _:
            assert_never(outcome)


def _text(raw: bytes | str) -> str:
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
