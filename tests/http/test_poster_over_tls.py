"""A post over TLS goes to the address that was checked, and to nobody whose certificate is for another name."""

import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest
import pytest_socket
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from waypost.http import poster
from waypost.http.ports import Answer, NotSent, Outcome
from waypost.http.poster import PinnedPoster

NAME = "crm.example.com"
SECONDS = timedelta(seconds=3)


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for ``NAME`` that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "public.pem", folder / "private.pem"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return public, private


class Server(NamedTuple):
    """Where it listens, and what trusts it."""

    port: int
    tls: ssl.SSLContext


class Handler(BaseHTTPRequestHandler):
    """Takes everything, and notes whom it was meant for."""

    hosts: list[str] = []  # noqa: RUF012 - the server makes a handler for each request

    def do_POST(self) -> None:
        """Note and answer."""
        self.rfile.read(int(self.headers["content-length"]))
        self.hosts.append(self.headers["host"])
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the name is http.server's
        """Nothing to log."""


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A TLS server on the loopback, and a client's trust in its certificate."""
    pytest_socket.enable_socket()
    public, private = certificate(tmp_path)
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(public, private)
    listening = HTTPServer(("127.0.0.1", 0), Handler)
    listening.socket = served.wrap_socket(listening.socket, server_side=True)
    trusting = ssl.create_default_context(cafile=str(public))
    monkeypatch.setattr(poster, "problem_with", lambda _url, **_options: "")
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    Handler.hosts.clear()
    yield Server(listening.server_address[1], trusting)
    listening.shutdown()
    listening.server_close()


def post(server: Server, host: str, *, addresses: tuple[str, ...] = ("127.0.0.1",)) -> Outcome:
    poster = PinnedPoster(loopback=True, resolve=lambda _host, _port: list(addresses), tls=lambda: server.tls)
    return poster.post(f"https://{host}:{server.port}/in", b"{}", {}, timeout=SECONDS)


def test_the_connection_goes_to_the_checked_address_and_speaks_to_the_name(server: Server) -> None:
    answer = post(server, NAME)
    assert isinstance(answer, Answer)
    assert (answer.status, answer.body) == (204, b"")
    assert Handler.hosts == [f"{NAME}:{server.port}"]


def test_a_certificate_for_another_name_ends_the_call_before_anything_is_sent(server: Server) -> None:
    answer = post(server, "other.example.com")
    assert isinstance(answer, NotSent)
    assert "TLS" in answer.reason
    assert Handler.hosts == []


def test_a_certificate_that_nobody_vouches_for_ends_the_call(server: Server) -> None:
    answer = post(server._replace(tls=ssl.create_default_context()), NAME)
    assert isinstance(answer, NotSent)
    assert "TLS" in answer.reason
    assert Handler.hosts == []


def test_the_next_address_is_tried_while_nothing_was_sent(server: Server) -> None:
    answer = post(server, NAME, addresses=("127.255.255.254", "127.0.0.1"))
    assert isinstance(answer, Answer)
    assert len(Handler.hosts) == 1
