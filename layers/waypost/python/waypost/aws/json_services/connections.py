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
from http.client import HTTPException, HTTPResponse, IncompleteRead
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

    def post(self, headers: Mapping[str, str], body: bytes) -> Answer | NoAnswer:
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

    def post(self, headers: Mapping[str, str], body: bytes) -> Answer | NoAnswer:
        """See Transport."""
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"POST {self._endpoint.path} HTTP/1.1\r\n{lines}content-length: {len(body)}\r\n\r\n"
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
    """The answer, and whether the connection stays open. Raises OSError or HTTPException."""
    response = HTTPResponse(connection, method="POST")
    try:
        response.begin()
        body = response.read()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, headers, body), not response.will_close
    finally:
        response.close()


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
