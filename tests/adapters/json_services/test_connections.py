"""Connections that stay open: used again, given up when the service closed them, and shared by no two threads at a time."""

import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_socket
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ReadTimeoutError,
    SSLError,
)

from tests.http.test_poster_over_tls import NAME, certificate
from waypost.aws.json_services import connections
from waypost.aws.json_services.connections import MOST_KEPT, Answer, Connections, NoAnswer
from waypost.aws.json_services.endpoints import Endpoint

HEADERS = {"host": "dynamodb.example", "x-amz-target": "DynamoDB_20120810.GetItem"}
OK = b"HTTP/1.1 200 OK\r\nX-Amzn-RequestId: r-1\r\ncontent-length: 2\r\n\r\n{}"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;part=1\r\n{\r\n1\r\n}\r\n0\r\nx-end: yes\r\n\r\n"
CONTINUED = b"HTTP/1.1 100 Continue\r\n\r\n" + OK
LAST = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}"
CUT = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"
CUT_IN_THE_HEADERS = b"HTTP/1.1 200 OK\r\ncontent-le" + b"close"
UNTIL_THE_END = b"HTTP/1.1 200 OK\r\n\r\n{}" + b"close"
OLD = b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n{}" + b"close"
CLOSE, SILENCE = b"close", b"silence"


@dataclass
class Service:
    """Answers each request of each connection as ``answer`` says by its number, from 1 on; counts connections and requests."""

    answer: Callable[[int], bytes] = lambda _: OK
    port: int = 0
    opened: int = 0
    requests: list[bytes] = field(default_factory=list)
    hung_up: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)
    tls: ssl.SSLContext | None = None

    def url(self, host: str = "127.0.0.1") -> str:
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"


@contextmanager
def serving(service: Service) -> Iterator[Service]:
    """The service on a port of the loopback."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            service.opened += 1
            while (line := self.rfile.readline()) not in {b"", b"\r\n"}:
                lines = [line]
                while lines[-1] != b"\r\n":
                    lines.append(self.rfile.readline())
                [length] = [int(each.split(b":")[1]) for each in lines if each.startswith(b"content-length")]
                service.requests.append(b"".join(lines) + self.rfile.read(length))
                answer = service.answer(len(service.requests))
                if answer == SILENCE:
                    service.over.wait()
                if answer in {CLOSE, SILENCE}:
                    break
                self.wfile.write(answer.removesuffix(CLOSE))
                if answer.endswith(CLOSE) or answer in {LAST, CUT}:
                    break

        def finish(self) -> None:
            super().finish()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.connection.close()
            service.hung_up.set()

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

        def get_request(self) -> tuple[socket.socket, object]:
            connection, address = super().get_request()
            return (service.tls.wrap_socket(connection, server_side=True) if service.tls else connection), address

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that hangs up in the middle is part of these tests."""

    with Server(("127.0.0.1", 0), Handler) as server:
        service.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        try:
            yield service
        finally:
            service.over.set()
            server.shutdown()


@pytest.fixture(autouse=True)
def _sockets() -> None:
    """These tests reach servers of their own on the loopback."""
    pytest_socket.enable_socket()


def to(service: Service, *, host: str = "127.0.0.1", read_timeout: float = 5) -> Connections:
    return Connections(Endpoint.of(service.url(host), "eu-west-1"), connect_timeout=2, read_timeout=read_timeout)


def failure(found: Answer | NoAnswer) -> type[Exception]:
    assert isinstance(found, NoAnswer)
    return type(found.error)


@pytest.mark.parametrize("answer", [OK, CHUNKED, CONTINUED])
def test_one_connection_serves_call_after_call(answer: bytes) -> None:
    with serving(Service(lambda _: answer)) as service, to(service) as calls:
        answers = [calls.post("/", HEADERS, b'{"a": 1}') for _ in range(3)]

    assert [isinstance(each, Answer) and (each.status, each.body) for each in answers] == [(200, b"{}")] * 3
    assert service.opened == 1
    assert service.requests[0].startswith(b"POST / HTTP/1.1\r\nhost: dynamodb.example\r\n")
    assert service.requests[0].endswith(b'content-length: 8\r\n\r\n{"a": 1}')


def test_headers_come_by_names_in_lower_case() -> None:
    with serving(Service()) as service, to(service) as calls:
        found = calls.post("/", HEADERS, b"{}")
    assert isinstance(found, Answer)
    assert found.headers["x-amzn-requestid"] == "r-1"


def test_an_answer_without_a_body_has_its_end() -> None:
    with serving(Service(lambda _: b"HTTP/1.1 204 No Content\r\n\r\n")) as service, to(service) as calls:
        found = [calls.post("/", HEADERS, b"{}") for _ in range(2)]
    assert [isinstance(each, Answer) and (each.status, each.body) for each in found] == [(204, b"")] * 2
    assert service.opened == 1


def test_an_operation_is_called_at_its_path() -> None:
    with serving(Service()) as service, to(service) as calls:
        calls.post("/v2/email/outbound-emails", HEADERS, b"{}")
    assert service.requests[0].startswith(b"POST /v2/email/outbound-emails HTTP/1.1\r\n")


@pytest.mark.parametrize("answer", [LAST, UNTIL_THE_END, OLD])
def test_a_connection_that_the_service_closes_after_its_answer_is_not_kept(answer: bytes) -> None:
    with serving(Service(lambda _: answer)) as service, to(service) as calls:
        found = [calls.post("/", HEADERS, b"{}") for _ in range(2)]
    assert [isinstance(each, Answer) and each.body for each in found] == [b"{}"] * 2
    assert service.opened == 2


def test_a_connection_that_was_closed_while_idle_is_replaced_without_a_failure() -> None:
    with serving(Service(lambda number: OK + CLOSE if number == 1 else OK)) as service, to(service) as calls:
        assert isinstance(calls.post("/", HEADERS, b"{}"), Answer)
        service.hung_up.wait()
        assert isinstance(calls.post("/", HEADERS, b"{}"), Answer)
    assert service.opened == 2


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (CLOSE, ConnectionClosedError),
        (CUT, ConnectionClosedError),
        (CUT_IN_THE_HEADERS, ConnectionClosedError),
        (b"SSH-2.0\r\n\r\n" + CLOSE, HTTPClientError),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{" + CLOSE, ConnectionClosedError),
        (b"HTTP/1.1 OK\r\n\r\n" + CLOSE, HTTPClientError),
        (b"HTTP/1.1 200 OK\r\ncontent-length: two\r\n\r\n{}" + CLOSE, HTTPClientError),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n-1\r\n" + CLOSE, HTTPClientError),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * 70_000 + CLOSE, HTTPClientError),
    ],
)
def test_a_connection_that_breaks_is_a_failure_and_not_kept(answer: bytes, error: type[Exception]) -> None:
    with serving(Service(lambda number: answer if number == 1 else OK)) as service, to(service) as calls:
        assert failure(calls.post("/", HEADERS, b"{}")) is error
        assert isinstance(calls.post("/", HEADERS, b"{}"), Answer)
    assert service.opened == 2


def test_an_answer_that_does_not_come_is_a_timeout() -> None:
    with serving(Service(lambda _: SILENCE)) as service, to(service, read_timeout=0.05) as calls:
        found = calls.post("/", HEADERS, b"{}")
    assert isinstance(found, NoAnswer)
    assert (type(found.error), found.timed_out) == (ReadTimeoutError, True)


def test_a_port_that_nothing_listens_on_was_never_reached() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        service = Service(port=free.getsockname()[1])
        assert failure(to(service).post("/", HEADERS, b"{}")) is EndpointConnectionError


@pytest.mark.parametrize(
    ("raised", "error"), [(TimeoutError(), ConnectTimeoutError), (socket.gaierror(), EndpointConnectionError)]
)
def test_what_keeps_a_connection_from_opening_is_told_apart(
    raised: Exception, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> socket.socket:
        raise raised

    monkeypatch.setattr(socket, "create_connection", refuse)
    assert failure(to(Service(port=9)).post("/", HEADERS, b"{}")) is error


def test_threads_have_a_connection_each_and_at_most_ten_are_kept() -> None:
    threads = MOST_KEPT + 3
    together = threading.Barrier(threads)

    def answer(_: int) -> bytes:
        together.wait()
        return OK

    with (
        serving(Service(answer)) as service,
        to(service) as calls,
        ThreadPoolExecutor(threads) as pool,
    ):
        found = list(pool.map(lambda _: calls.post("/", HEADERS, b"{}"), range(threads)))
        assert all(isinstance(each, Answer) for each in found)
        assert service.opened == threads
        assert len(calls._idle) == MOST_KEPT


@pytest.fixture
def certified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """A service with a certificate for ``NAME``, which stands for the loopback."""
    public, private = certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(public, private)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(public))
    connect = socket.create_connection
    monkeypatch.setattr(socket, "create_connection", lambda at, timeout: connect(("127.0.0.1", at[1]), timeout))
    connections.authorities.cache_clear()
    with serving(Service(tls=tls)) as service:
        yield service
    connections.authorities.cache_clear()


def test_calls_go_over_tls_on_one_connection(certified: Service) -> None:
    with to(certified, host=NAME) as calls:
        assert all(isinstance(calls.post("/", HEADERS, b"{}"), Answer) for _ in range(3))
    assert certified.opened == 1


def test_a_certificate_for_another_name_is_refused(certified: Service) -> None:
    assert failure(to(certified, host="dynamodb.example").post("/", HEADERS, b"{}")) is SSLError
    assert certified.requests == []


def test_the_authorities_are_those_of_botocore(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    connections.authorities.cache_clear()
    context = connections.authorities()
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
    assert len(context.get_ca_certs()) > 50
