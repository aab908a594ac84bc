"""Calls over HTTPS: one attempt, to the address that was checked, within one deadline. Used by deliver_event and by providers.

A name is looked up once, every address it has must be a public one, and the connection goes to an address that was
checked: a name that changes its mind between look-up and connection (DNS rebinding) gains nothing. No redirect is
followed and nothing is repeated: urllib3's connections, below its pools, do neither, and a connection is used once, so
that none breaks because it was idle too long. Source: Standard Webhooks, "Server side request forgery".
"""

import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from http.client import HTTPException
from threading import Event, Timer
from types import TracebackType
from typing import Final, Self
from urllib.parse import SplitResult, urlsplit

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ReadTimeoutError
from urllib3.response import BaseHTTPResponse

from waypost.clock import real_now
from waypost.http.addresses import is_loopback, is_public, problem_with
from waypost.http.ports import ANSWER_LIMIT, Answer, Forbidden, NoAnswer, NotSent, Outcome

CONNECT_TIMEOUT: Final = timedelta(seconds=5)
_FAILURES: Final = (OSError, HTTPException, HTTPError)
_TIMEOUTS: Final = (TimeoutError, ConnectTimeoutError, ReadTimeoutError)


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, by the resolver of this machine, whose own timeouts hold and not the call's deadline.

    Raises OSError, or UnicodeError for a name that no host can have.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@cache
def public_authorities() -> ssl.SSLContext:
    """Trust in the certificate authorities of this machine; their names are read once per process."""
    return ssl.create_default_context()


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedPoster:
    """A Caller. ``loopback`` lets it call this machine, which only the local harness does."""

    loopback: bool = False
    resolve: Callable[[str, int], list[str]] = resolve
    tls: Callable[[], ssl.SSLContext] = public_authorities
    clock: Callable[[], datetime] = real_now

    def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        timeout: timedelta,
        answer_limit: int = ANSWER_LIMIT,
    ) -> Outcome:
        """See Poster."""
        return self._call("POST", url, body, headers, timeout=timeout, answer_limit=answer_limit)

    def get(
        self, url: str, headers: Mapping[str, str], *, timeout: timedelta, answer_limit: int = ANSWER_LIMIT
    ) -> Outcome:
        """See Caller."""
        return self._call("GET", url, None, headers, timeout=timeout, answer_limit=answer_limit)

    def _call(
        self,
        method: str,
        url: str,
        body: bytes | None,
        headers: Mapping[str, str],
        *,
        timeout: timedelta,
        answer_limit: int,
    ) -> Outcome:
        if problem := problem_with(url, loopback=self.loopback):
            return Forbidden(f"the URL {problem}")
        parts = urlsplit(url)
        try:
            authority = _authority(parts)
            addresses = self.resolve(parts.hostname or "", _port(parts))
        except (OSError, UnicodeError):
            return NotSent("the host is unknown")
        if not addresses or not all(self._may_be_called(address) for address in addresses):
            return Forbidden("the host leads to a private address")
        with _Deadline(timeout) as deadline:
            connection = self._connected(parts, addresses, deadline)
            if isinstance(connection, NotSent):
                return connection
            try:
                target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
                connection.request(method, target, body, {"host": authority, **headers}, preload_content=False)
                return self._answer(connection.getresponse(), deadline, answer_limit)
            except _FAILURES as error:
                within = f"no answer within {timeout.total_seconds():g} seconds"
                return NoAnswer(_reason(error, within, late=deadline.has_passed))
            finally:
                connection.close()

    def _may_be_called(self, address: str) -> bool:
        return is_public(address) or (self.loopback and is_loopback(address))

    def _connected(
        self, parts: SplitResult, addresses: list[str], deadline: "_Deadline"
    ) -> HTTPConnection | HTTPSConnection | NotSent:
        """A connection to the first of the checked addresses that takes one; the certificate must be for the host's name."""
        outcome = NotSent("the host is unknown")
        for address in addresses:
            connection = self._connection(parts, address, deadline.timeout)
            try:
                connection.connect()
                deadline.watch(connection)
            except _FAILURES as error:
                connection.close()
                outcome = NotSent(_reason(error, "no connection in time", late=deadline.has_passed))
                if deadline.has_passed:
                    break
            else:
                return connection
        return outcome

    def _connection(self, parts: SplitResult, address: str, timeout: timedelta) -> HTTPConnection | HTTPSConnection:
        seconds = min(timeout, CONNECT_TIMEOUT).total_seconds()
        if parts.scheme == "http":  # only the local harness comes here
            return HTTPConnection(address, _port(parts), timeout=seconds)
        return HTTPSConnection(
            address, _port(parts), timeout=seconds, ssl_context=self.tls(), server_hostname=parts.hostname
        )

    def _answer(self, response: BaseHTTPResponse, deadline: "_Deadline", limit: int) -> Answer:
        headers = {name.lower(): value for name, value in response.headers.items()}
        retry_after = _retry_after(headers.get("retry-after", ""), self.clock())
        return Answer(response.status, retry_after, headers, _body(response, deadline, limit))


class _Deadline:
    """The end of a whole call. A socket's own timeout starts again with every byte that comes; this one does not."""

    def __init__(self, timeout: timedelta) -> None:
        self.timeout = timeout
        self._passed = Event()
        self._socket: socket.socket | None = None
        self._timer = Timer(timeout.total_seconds(), self._pass)

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()

    @property
    def has_passed(self) -> bool:
        """Whether the time is up."""
        return self._passed.is_set()

    def watch(self, connection: HTTPConnection) -> None:
        """Cut this connection when the time is up. Raises TimeoutError when it is up already."""
        connection.timeout = self.timeout.total_seconds()  # for each read; until now it was that of connecting
        self._socket = connection.sock
        if self.has_passed:
            raise TimeoutError

    def _pass(self) -> None:
        self._passed.set()
        if self._socket is not None:
            with suppress(OSError):  # it has just ended by itself
                self._socket.shutdown(socket.SHUT_RDWR)


def _reason(error: Exception, when_late: str, *, late: bool) -> str:
    """The error as the caller gets it, without an address."""
    if late or (isinstance(error, _TIMEOUTS) and not isinstance(error, NewConnectionError)):
        return when_late  # a connection that is refused is a timeout to urllib3
    if isinstance(error, ssl.SSLError):
        return f"no TLS connection: {error.reason or 'refused'}"
    return f"the connection failed: {type(error).__name__}"


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def _authority(parts: SplitResult) -> str:
    """The name that the receiver is called by (RFC 9110, section 7.2), in ASCII."""
    host = parts.hostname or ""
    name = f"[{host}]" if ":" in host else host.encode("idna").decode()
    return name if parts.port in {None, 443} else f"{name}:{parts.port}"


def _body(response: BaseHTTPResponse, deadline: _Deadline, limit: int) -> bytes | None:
    if limit == 0:
        return None
    try:
        body = response.read(limit + 1, decode_content=False)
        goes_on = response.read(1, decode_content=False)  # at the end, this is what notices a body that broke off
    except _FAILURES:
        return None
    # a body without a length ends where the connection ends, also where the deadline cut it
    return None if len(body) > limit or goes_on or deadline.has_passed else body


def _retry_after(header: str, now: datetime) -> timedelta | None:
    """What ``Retry-After`` says: seconds or an HTTP date (RFC 9110, section 10.2.3); nonsense counts as nothing."""
    text = header.strip()
    if text.isascii() and text.isdigit() and len(text) <= 6:
        return timedelta(seconds=int(text))
    try:
        at = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return max(at.replace(tzinfo=at.tzinfo or UTC) - now, timedelta(0))
