"""Connections that stay open between calls, and what comes back over them; failures as botocore names them."""

import os
import select
import socket
import ssl
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from http.client import BadStatusLine, HTTPException, IncompleteRead, RemoteDisconnected
from pathlib import Path
from typing import Final, Protocol, Self

import botocore
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ReadTimeoutError,
    SSLError,
)

from waypost.aws.json_services.endpoints import Endpoint

MOST_KEPT: Final = 10
"""Connections kept open; as many as botocore keeps."""
LONGEST_HEAD: Final = 65_536
"""Bytes of an answer before its body."""
_AT_ONCE: Final = 65_536
_HEAD_END: Final = b"\r\n\r\n"
_CONTINUE: Final = 100
_WITHOUT_A_BODY: Final = frozenset({204, 304})


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: its status, its headers by names in lower case, its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """A failed attempt: the BotoCoreError that botocore would raise. It may have been carried out if a connection was open."""

    error: Exception
    timed_out: bool = False


class Transport(Protocol):
    """Carries requests to one endpoint."""

    def post(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer | NoAnswer:
        """The answer to one attempt, or why there is none."""
        ...


class Connections:
    """A Transport on TCP. Threads may share it: each takes a connection for itself while it waits for an answer.

    A connection that the service has closed while it was idle (Lambda freezes between two invocations) is found by a look at
    its socket and not used. One that breaks in the moment it is used is a failure, which the client repeats as any other.
    """

    def __init__(self, endpoint: Endpoint, *, connect_timeout: float, read_timeout: float) -> None:
        self._endpoint = endpoint
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._idle: deque[socket.socket] = deque()  # append and pop are atomic

    def post(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer | NoAnswer:
        """See Transport."""
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"POST {path} HTTP/1.1\r\n{lines}content-length: {len(body)}\r\n\r\n"
        connection = self._kept() or self._opened()
        if not isinstance(connection, socket.socket):
            return connection
        try:
            connection.sendall(head.encode("latin-1") + body)
            answer, stays_open = _received(connection)
        except BaseException as error:
            connection.close()
            if isinstance(error, (OSError, HTTPException)):
                return self._broken(error)
            raise
        if stays_open and len(self._idle) < MOST_KEPT:
            self._idle.append(connection)
        else:
            connection.close()
        return answer

    def close(self) -> None:
        """Close every idle connection."""
        while self._idle:
            self._idle.pop().close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _kept(self) -> socket.socket | None:
        while True:
            try:
                connection = self._idle.pop()  # the one that was used last
            except IndexError:
                return None
            if not _has_something_to_read(connection):
                return connection
            connection.close()

    def _opened(self) -> socket.socket | NoAnswer:
        endpoint = self._endpoint
        connection: socket.socket | None = None
        try:
            connection = socket.create_connection((endpoint.host, endpoint.port), self._connect_timeout)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if endpoint.tls:
                connection = authorities().wrap_socket(connection, server_hostname=endpoint.host)
            connection.settimeout(self._read_timeout)
        except TimeoutError as error:
            return _abandoned(connection, ConnectTimeoutError(endpoint_url=endpoint.url, error=error), timed_out=True)
        except ssl.SSLError as error:
            return _abandoned(connection, SSLError(endpoint_url=endpoint.url, error=error))
        except (OSError, UnicodeError) as error:
            return _abandoned(connection, EndpointConnectionError(endpoint_url=endpoint.url, error=error))
        return connection

    def _broken(self, error: OSError | HTTPException) -> NoAnswer:
        match error:
            case TimeoutError():
                return NoAnswer(ReadTimeoutError(endpoint_url=self._endpoint.url, error=error), timed_out=True)
            case ConnectionError() | IncompleteRead() | ssl.SSLEOFError():
                return NoAnswer(ConnectionClosedError(endpoint_url=self._endpoint.url, error=error))
            case ssl.SSLError():
                return NoAnswer(SSLError(endpoint_url=self._endpoint.url, error=error))
            case _:
                return NoAnswer(HTTPClientError(error=error))


def _abandoned(connection: socket.socket | None, error: Exception, *, timed_out: bool = False) -> NoAnswer:
    if connection is not None:
        with suppress(OSError):
            connection.close()
    return NoAnswer(error, timed_out)


def _received(connection: socket.socket) -> tuple[Answer, bool]:
    """The answer, and whether the connection stays open. Raises OSError or HTTPException.

    ``http.client`` reads headers by the parser of mails, which takes longer than the rest of a call.
    """
    incoming = _Incoming(connection)
    status = _CONTINUE
    while status == _CONTINUE:
        first, *lines = incoming.head()
        version, status = _status(first)
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length = headers.get("content-length")
    if "chunked" in headers.get("transfer-encoding", "").lower():
        body, has_end = incoming.chunks(), True
    elif length is not None or status in _WITHOUT_A_BODY:
        body, has_end = incoming.exactly(_number(length or "0")), True
    else:
        body, has_end = incoming.rest(), False
    closes = "close" in headers.get("connection", "").lower() or version != "HTTP/1.1"
    return Answer(status, headers, body), has_end and not closes


class _Incoming:
    """What comes over a connection, and was not used yet."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._unused = b""

    def head(self) -> list[str]:
        """The lines up to the first empty one. Raises HTTPException for longer ones than any service sends."""
        start = 0
        while (end := self._unused.find(_HEAD_END, start)) < 0:
            if len(self._unused) > LONGEST_HEAD:
                raise HTTPException(f"a head of more than {LONGEST_HEAD} bytes")
            start = max(len(self._unused) - len(_HEAD_END), 0)
            self._more()
        head, self._unused = self._unused[:end], self._unused[end + len(_HEAD_END) :]
        return head.decode("latin-1").split("\r\n")

    def exactly(self, size: int) -> bytes:
        """So many bytes. Raises IncompleteRead when fewer come."""
        parts, missing = [self._unused[:size]], size - len(self._unused)
        self._unused = self._unused[size:]
        while missing > 0:
            part = self._connection.recv(min(missing, _AT_ONCE))
            if not part:
                raise IncompleteRead(b"".join(parts), missing)
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)

    def rest(self) -> bytes:
        """Everything up to the end of the connection."""
        parts, self._unused = [self._unused], b""
        while part := self._connection.recv(_AT_ONCE):
            parts.append(part)
        return b"".join(parts)

    def chunks(self) -> bytes:
        """A body that comes in pieces. Source: RFC 9112, section 7.1."""
        parts: list[bytes] = []
        while size := _number(self._line().partition(";")[0], base=16):
            parts.append(self.exactly(size))
            self._line()
        while self._line():
            pass  # headers that come after the body
        return b"".join(parts)

    def _line(self) -> str:
        while (end := self._unused.find(b"\r\n")) < 0:
            if len(self._unused) > LONGEST_HEAD:
                raise HTTPException(f"a line of more than {LONGEST_HEAD} bytes")
            self._more()
        line, self._unused = self._unused[:end], self._unused[end + 2 :]
        return line.decode("latin-1")

    def _more(self) -> None:
        part = self._connection.recv(_AT_ONCE)
        if not part:
            raise IncompleteRead(self._unused) if self._unused else RemoteDisconnected("closed without an answer")
        self._unused += part


def _status(line: str) -> tuple[str, int]:
    """The protocol and the code of an answer's first line. Raises BadStatusLine."""
    version, _, rest = line.partition(" ")
    code = rest[:3]
    if not version.startswith("HTTP/1.") or not (code.isascii() and code.isdigit() and len(code) == 3):
        raise BadStatusLine("the answer is not one of HTTP")
    return version, int(code)


def _number(text: str, *, base: int = 10) -> int:
    try:
        number = int(text, base)
    except ValueError:
        number = -1
    if number < 0:
        raise HTTPException("the answer does not say how long it is")
    return number


def _has_something_to_read(connection: socket.socket) -> bool:
    """Whether an idle connection is at its end: nothing else can have come without a request."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))


@cache
def authorities() -> ssl.SSLContext:
    """Trust in the authorities that botocore trusts; their names are read once per process."""
    bundle = os.environ.get("AWS_CA_BUNDLE") or os.environ.get("REQUESTS_CA_BUNDLE")
    return ssl.create_default_context(cafile=bundle or str(Path(botocore.__file__).with_name("cacert.pem")))
