"""A mail server over TLS on this machine, for the fakes that are reached by SMTP: aiosmtpd on a thread of its own.

It checks the protocol as a real server does (STARTTLS and login first, order of commands, sizes); what becomes of a message is the
handler's to say. A certificate is made at each start; clients trust the authority in ``authority``.
"""

import asyncio
import ssl
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Protocol, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST: Final = "127.0.0.1"
HUNG_UP = ""
"""A reply of a handler that ends the connection without one."""

Reply = str
"""A line such as ``250 2.0.0 Ok``, or HUNG_UP."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """One message as it was handed over."""

    sender: str
    recipient: str
    message: bytes


class MailHandler(Protocol):
    """What a server says beyond the protocol; each is called on a thread of its own."""

    def logged_in(self, username: str, password: str) -> bool:
        """Whether these are good."""
        ...

    def sender(self, address: str) -> Reply:
        """The reply to MAIL."""
        ...

    def recipient(self, address: str) -> Reply:
        """The reply to RCPT."""
        ...

    def message(self, transaction: Transaction) -> Reply:
        """The reply to the end of the message."""
        ...


class MailServer:
    """A context manager; ``url`` is its address while it runs, ``smtps://`` or with ``starttls`` ``smtp://``.

    ``port`` is taken again after ``stop`` and ``start``.
    """

    def __init__(self, handler: MailHandler, *, starttls: bool = False, largest: int = 10_000_000) -> None:
        self.port = 0
        self.connections = 0
        self._handler = handler
        self._starttls = starttls
        self._largest = largest
        self._folder = TemporaryDirectory(prefix="waypost-mail-server-")
        self.authority = Path(self._folder.name) / "authority.pem"
        self._tls = _certified(self.authority)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._clients: set[asyncio.BaseTransport] = set()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._folder.cleanup()

    @property
    def url(self) -> str:
        """Where clients reach it."""
        return f"{'smtp' if self._starttls else 'smtps'}://{HOST}:{self.port}"

    def start(self) -> None:
        """Listen."""
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        ready.wait()

    def stop(self) -> None:
        """End every connection, and take no other."""
        loop, thread = self._loop, self._thread
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            self._loop = self._thread = None

    def drop_idle(self, farewell: str = "") -> None:
        """End the connections from the server's side, as after an idle time, with a last line or without."""
        loop = self._loop
        if loop is None:
            return
        done = threading.Event()

        def end() -> None:
            for transport in list(self._clients):
                if farewell and isinstance(transport, asyncio.WriteTransport):
                    transport.write(f"{farewell}\r\n".encode())
                transport.close()
            done.set()

        loop.call_soon_threadsafe(end)
        done.wait()

    def _run(self, ready: threading.Event) -> None:
        loop = self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        loop.set_exception_handler(lambda *_: None)  # a client that hangs up is what some tests are about
        implicit = None if self._starttls else self._tls
        server = loop.run_until_complete(
            loop.create_server(self._protocol, HOST, self.port, ssl=implicit, reuse_address=True)
        )
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        loop.run_forever()
        server.close()
        for transport in list(self._clients):
            if isinstance(transport, asyncio.WriteTransport):
                transport.abort()
        loop.run_until_complete(_ended(asyncio.all_tasks(loop)))
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()

    def _protocol(self) -> SMTP:
        conversation = _Conversation(
            _Hooks(self._handler),
            opened=self._opened,
            closed=self._clients.discard,
            loop=asyncio.get_running_loop(),
            hostname="mail.waypost.example",
            data_size_limit=self._largest,
            tls_context=self._tls if self._starttls else None,
            require_starttls=self._starttls,
            auth_required=True,
            authenticator=_authenticator(self._handler),
        )
        if not self._starttls:  # TLS is there from the first byte; said at its making, aiosmtpd warns of plain logins
            conversation._auth_require_tls = False  # noqa: SLF001
        return conversation

    def _opened(self, transport: asyncio.BaseTransport) -> None:
        self.connections += 1
        self._clients.add(transport)


async def _ended(tasks: set[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0)  # for the aborted connections to be closed


class _Conversation(SMTP):
    """One connection, which its server can end."""

    def __init__(
        self,
        hooks: "_Hooks",
        *,
        opened: Callable[[asyncio.BaseTransport], None],
        closed: Callable[[asyncio.BaseTransport], None],
        **options: Any,
    ) -> None:
        super().__init__(hooks, **options)
        self._when_opened = opened
        self._when_closed = closed
        self._known: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self._known is None:
            self._known = transport
            self._when_opened(transport)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self._known is not None:
            self._when_closed(self._known)
        super().connection_lost(error)

    async def push(self, status: Any) -> None:
        """A reply; HUNG_UP ends the connection in its place, and a shutdown after it."""
        if status == HUNG_UP:
            if isinstance(self.transport, asyncio.WriteTransport):
                self.transport.abort()
            raise ConnectionResetError
        await super().push(status)
        if str(status).startswith("421") and self.transport is not None:
            self.transport.close()


class _Hooks:
    """Passes what aiosmtpd asks on to the handler, off its loop."""

    def __init__(self, handler: MailHandler) -> None:
        self._handler = handler

    async def handle_MAIL(  # noqa: N802 -- aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> Reply:
        del server, session
        envelope.mail_from, envelope.mail_options = address, options
        return await asyncio.to_thread(self._handler.sender, address)

    async def handle_RCPT(  # noqa: N802 -- aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> Reply:
        del server, session, options
        reply = await asyncio.to_thread(self._handler.recipient, address)
        if reply.startswith("2"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(  # noqa: N802 -- aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> Reply:
        del server, session
        content = envelope.original_content or b""
        transaction = Transaction(
            sender=envelope.mail_from or "", recipient=",".join(envelope.rcpt_tos), message=content
        )
        return await asyncio.to_thread(self._handler.message, transaction)


def _authenticator(handler: MailHandler) -> Callable[..., AuthResult]:
    def authenticate(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: Any) -> AuthResult:
        is_good = isinstance(given, LoginPassword) and handler.logged_in(given.login.decode(), given.password.decode())
        return AuthResult(success=is_good, handled=False)

    return authenticate


def _certified(authority: Path) -> ssl.SSLContext:
    """TLS for this machine's address, with a certificate that is written to ``authority``."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    authority.write_bytes(pem)
    chain = authority.with_name("server.pem")
    chain.touch(mode=0o600)
    chain.write_bytes(secret + pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    with suppress(OSError):
        chain.unlink()
    return context


def headers_of(transaction: Transaction) -> Mapping[str, str]:
    """The envelope, as the fakes read it."""
    return {"mail-from": transaction.sender, "rcpt-to": transaction.recipient}
