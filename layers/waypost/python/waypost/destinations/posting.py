"""Posts webhooks over HTTPS and lets nobody make us call our own network. Used by deliver_event.

A name is looked up once, every address it has must be a public one, and the connection goes to the address that was
checked: a name that changes its mind between look-up and connection (DNS rebinding) gains nothing. No redirect is
followed. Source of the rules: OWASP, Server Side Request Forgery Prevention Cheat Sheet; Standard Webhooks, "Server side
request forgery".
"""

import ipaddress
import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from threading import Event, Timer
from typing import Final
from urllib.parse import urlsplit

from waypost.clock import real_now
from waypost.destinations.ports import Answer, Forbidden, NoAnswer

Resolve = Callable[[str, int], list[str]]
"""The addresses of a host. Raises OSError."""

CONNECT_SECONDS: Final = 5.0


def resolve(host: str, port: int) -> list[str]:
    """By the resolver of this machine."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def problem_with(url: str, *, loopback: bool = False) -> str:
    """Why this URL cannot be a destination's, or nothing. ``loopback`` allows ``http://127.0.0.1`` for tests."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "should be a URL"
    if not host or parts.username or parts.password or parts.fragment or any(sign.isspace() for sign in url):
        return "should be a URL with a host, without user, password and fragment"
    if parts.scheme != "https":
        return "" if loopback and parts.scheme == "http" and _is_loopback(host) else "should begin with https://"
    if port not in {None, 443, 8443}:
        return "should use port 443 or 8443"
    address = _address(host)
    if address is None and ("." not in host or host.endswith((".local", ".internal", ".localhost"))):
        return "should be the public name of a host"
    return "" if address is None or address.is_global else "should be a public address"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpsSender:
    """A WebhookSender. ``loopback`` lets it call this machine, which only the local harness does."""

    loopback: bool = False
    resolve: Resolve = resolve
    clock: Callable[[], datetime] = real_now

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, timeout: timedelta
    ) -> Answer | NoAnswer | Forbidden:
        """See WebhookSender."""
        if problem := problem_with(url, loopback=self.loopback):
            return Forbidden(f"the URL {problem}")
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        try:
            addresses = self.resolve(host, port)
        except OSError:
            return NoAnswer("the host is unknown")
        if not addresses or not all(self._may_be_called(address) for address in addresses):
            return Forbidden("the host leads to a private address")
        tls = ssl.create_default_context() if parts.scheme == "https" else None
        connection = HTTPSConnection(host, port) if tls else HTTPConnection(host, port)
        path = parts.path or "/"
        # a socket's timeout starts anew with every byte that comes; this one does not
        passed = Event()
        deadline = Timer(timeout.total_seconds(), _cut, [connection, passed])
        deadline.start()
        try:
            _connect(connection, addresses[0], tls, timeout)
            connection.request("POST", f"{path}?{parts.query}" if parts.query else path, body, dict(headers))
            response = connection.getresponse()
            return Answer(response.status, _retry_after(response.getheader("retry-after"), self.clock()))
        except ssl.SSLError as error:
            return NoAnswer(f"no TLS connection: {error.reason or 'refused'}")
        except (OSError, HTTPException) as error:
            late = isinstance(error, TimeoutError) or passed.is_set()
            within = f"no answer within {timeout.total_seconds():.0f} seconds"
            return NoAnswer(within if late else f"the connection failed: {type(error).__name__}")
        finally:
            deadline.cancel()
            connection.close()

    def _may_be_called(self, address: str) -> bool:
        found = ipaddress.ip_address(address.split("%", 1)[0])
        if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
            found = found.ipv4_mapped
        return (found.is_global and not found.is_multicast) or (self.loopback and found.is_loopback)


def _connect(connection: HTTPConnection, address: str, tls: ssl.SSLContext | None, timeout: timedelta) -> None:
    """Connect to the address that was checked, and not to what the name leads to a moment later.

    The name is in the request, and must be in the certificate.
    """
    seconds = timeout.total_seconds()
    connection.sock = socket.create_connection((address, connection.port), timeout=min(seconds, CONNECT_SECONDS))
    connection.sock.settimeout(seconds)
    if tls:
        connection.sock = tls.wrap_socket(connection.sock, server_hostname=connection.host)


def _cut(connection: HTTPConnection, passed: Event) -> None:
    passed.set()
    with suppress(OSError):  # it has just ended by itself
        if connection.sock is not None:
            connection.sock.shutdown(socket.SHUT_RDWR)


def _retry_after(header: str | None, now: datetime) -> timedelta | None:
    """What ``Retry-After`` says: seconds or an HTTP date (RFC 9110, section 10.2.3); nonsense counts as nothing."""
    text = (header or "").strip()
    if text.isdigit() and len(text) <= 6:
        return timedelta(seconds=int(text))
    try:
        at = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return max(at.replace(tzinfo=at.tzinfo or UTC) - now, timedelta(0))


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)
