"""A webhook over TLS goes to the address that was checked, and to nobody whose certificate is for another name."""

import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import pytest_socket
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from waypost.destinations import posting
from waypost.destinations.ports import Answer, NoAnswer
from waypost.destinations.posting import HttpsSender

NAME = "crm.example.com"
SECOND = timedelta(seconds=3)


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
def port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A TLS server on the loopback whose certificate is trusted."""
    pytest_socket.enable_socket()
    public, private = certificate(tmp_path)
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(public, private)
    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.socket = served.wrap_socket(server.socket, server_side=True)
    trusting = ssl.create_default_context(cafile=str(public))
    monkeypatch.setattr(ssl, "create_default_context", lambda: trusting)
    monkeypatch.setattr(posting, "problem_with", lambda _url, **_options: "")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    Handler.hosts.clear()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def sender() -> HttpsSender:
    return HttpsSender(loopback=True, resolve=lambda _host, _port: ["127.0.0.1"])


def test_the_connection_goes_to_the_checked_address_and_speaks_to_the_name(port: int) -> None:
    answer = sender().post(f"https://{NAME}:{port}/in", b"{}", {}, timeout=SECOND)
    assert answer == Answer(204)
    assert Handler.hosts == [f"{NAME}:{port}"]


def test_a_certificate_for_another_name_is_no_answer(port: int) -> None:
    answer = sender().post(f"https://other.example.com:{port}/in", b"{}", {}, timeout=SECOND)
    assert isinstance(answer, NoAnswer)
    assert "TLS" in answer.reason
    assert Handler.hosts == []
