"""One attempt within one deadline: what is called, what is not, and what is known when no answer comes."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
import pytest_socket

from tests.destinations_receiver import receiving
from waypost.http import poster
from waypost.http.addresses import is_public, problem_with
from waypost.http.ports import Answer, Forbidden, NoAnswer, NotSent, Outcome
from waypost.http.poster import PinnedPoster

SECOND = timedelta(seconds=1)
NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
OK = b"HTTP/1.1 200 OK\r\n"


@dataclass
class Scripted:
    """A server that answers every request with the same bytes; then it closes, or holds the connection until the end."""

    answer: bytes = OK + b"content-length: 0\r\n\r\n"
    holds: bool = False
    url: str = ""
    requests: list[bytes] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)


@contextmanager
def answering(script: Scripted) -> Iterator[Scripted]:
    """The server on a port of the loopback."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            lines = [self.rfile.readline()]
            while lines[-1] not in {b"\r\n", b""}:
                lines.append(self.rfile.readline())
            script.requests.append(b"".join(lines))
            self.wfile.write(script.answer)
            self.wfile.flush()
            if script.holds:
                script.released.wait()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        script.url = f"http://127.0.0.1:{server.server_address[1]}/in?x=1"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield script
        finally:
            script.released.set()
            server.shutdown()


@pytest.fixture(autouse=True)
def _sockets() -> None:
    """These tests reach servers of their own on the loopback."""
    pytest_socket.enable_socket()


def post(script: Scripted, *, timeout: timedelta = timedelta(seconds=5), limit: int = 100) -> Outcome:
    with answering(script):
        return PinnedPoster(loopback=True, clock=lambda: NOW).post(
            script.url, b"", {"x-key": "k-1"}, timeout=timeout, answer_limit=limit
        )


def test_an_answer_has_its_status_headers_and_body() -> None:
    answer = post(Scripted(OK + b'Content-Length: 11\r\nX-Request-Id: r-1\r\n\r\n{"ok":true}'))
    assert answer == Answer(200, None, {"content-length": "11", "x-request-id": "r-1"}, b'{"ok":true}')


def test_a_request_names_its_host_and_what_the_caller_gave() -> None:
    script = Scripted()
    post(script)
    [request] = script.requests
    first, *headers = request.decode().lower().splitlines()
    assert first == "post /in?x=1 http/1.1"
    assert f"host: {script.url[7:-7]}" in headers
    assert "x-key: k-1" in headers
    assert "accept-encoding: identity" in headers


@pytest.mark.parametrize("framing", [b"content-length: 101\r\n", b"", b"transfer-encoding: chunked\r\n"])
def test_a_body_beyond_the_limit_is_not_read(framing: bytes) -> None:
    body = b"65\r\n" + b"x" * 101 + b"\r\n0\r\n\r\n" if b"chunked" in framing else b"x" * 101
    answer = post(Scripted(OK + framing + b"\r\n" + body))
    assert isinstance(answer, Answer)
    assert (answer.status, answer.body) == (200, None)


def test_an_endless_body_costs_no_more_than_the_limit() -> None:
    answer = post(Scripted(OK + b"\r\n" + b"x" * 5_000, holds=True))
    assert isinstance(answer, Answer)
    assert answer.body is None


def test_a_body_that_nobody_wants_is_not_waited_for() -> None:
    answer = post(Scripted(OK + b"content-length: 50\r\n\r\nhalf", holds=True), limit=0, timeout=timedelta(minutes=5))
    assert isinstance(answer, Answer)
    assert answer.body is None


@pytest.mark.parametrize("framing", [b"content-length: 50\r\n", b""])
def test_the_status_of_an_answer_whose_body_never_ends_is_known(framing: bytes) -> None:
    """Without a length a body ends with the connection: the one that the deadline cut must not pass for a whole body."""
    answer = post(Scripted(OK + framing + b"\r\nhalf", holds=True), timeout=timedelta(seconds=0.3))
    assert isinstance(answer, Answer)
    assert (answer.status, answer.body) == (200, None)


def test_a_body_that_breaks_off_is_not_taken_for_a_whole_one() -> None:
    answer = post(Scripted(OK + b"content-length: 50\r\n\r\nhalf"))
    assert isinstance(answer, Answer)
    assert answer.body is None


def test_compressed_bytes_stay_as_they_came() -> None:
    answer = post(Scripted(OK + b"content-encoding: gzip\r\ncontent-length: 4\r\n\r\n\x1f\x8b\x08\x00"))
    assert isinstance(answer, Answer)
    assert answer.body == b"\x1f\x8b\x08\x00"


def test_a_redirect_is_an_answer_and_followed_by_nobody() -> None:
    script = Scripted(b"HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n")
    answer = post(script)
    assert isinstance(answer, Answer)
    assert answer.status == 302
    assert len(script.requests) == 1


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1", b"nonsense\r\n\r\n"])
def test_a_request_without_a_readable_answer_may_have_taken_effect(answer: bytes) -> None:
    script = Scripted(answer)
    assert isinstance(post(script), NoAnswer)
    assert len(script.requests) == 1, "nothing is repeated behind the caller's back"


def test_a_receiver_that_never_answers_may_have_acted() -> None:
    assert post(Scripted(b"", holds=True), timeout=timedelta(seconds=0.3)) == NoAnswer("no answer within 0.3 seconds")


def test_where_nobody_listens_nothing_was_sent() -> None:
    script = Scripted()
    with answering(script):
        pass
    answer = PinnedPoster(loopback=True).post(script.url, b"", {}, timeout=SECOND)
    assert answer == NotSent("the connection failed: NewConnectionError")


def test_a_plain_server_on_the_tls_port_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poster, "problem_with", lambda _url, **_options: "")
    with receiving() as receiver:
        port = int(receiver.url.split(":")[2].split("/")[0])
        pinned = PinnedPoster(loopback=True, resolve=lambda _host, _port: ["127.0.0.1"])
        answer = pinned.post(f"https://crm.example.com:{port}/", b"{}", {}, timeout=2 * SECOND)
        assert isinstance(answer, NotSent)
        assert receiver.received == []


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("120", timedelta(minutes=2)),
        (" 0 ", timedelta(0)),
        ("Mon, 02 Mar 2026 05:00:00 GMT", timedelta(hours=1)),
        ("Mon, 02 Mar 2026 03:00:00 GMT", timedelta(0)),
        ("99999999999", None),
        ("soon", None),
        ("-5", None),
    ],
)
def test_the_time_that_a_receiver_asks_for_is_read(header: str, expected: timedelta | None) -> None:
    answer = post(Scripted(OK + f"retry-after: {header}\r\ncontent-length: 0\r\n\r\n".encode()))
    assert isinstance(answer, Answer)
    assert answer.retry_after == expected


REFUSED_URLS = [
    "http://crm.example.com/in",
    "ftp://crm.example.com/in",
    "https://",
    "https://user:secret@crm.example.com/",
    "https://crm.example.com/#fragment",
    "https://crm.example.com:22/",
    "https://crm.example.com:99999/",
    "https://localhost/",
    "https://crm/",
    "https://10.0.0.7/",
    "https://169.254.169.254/latest/meta-data",
    "https://127.0.0.1/",
    "https://[::1]/",
    "https://[fd00::1]/",
    "https://[::ffff:10.0.0.7]/",
    "https://crm.internal/",
    "https://crm.internal./",
    "https://CRM.Local/",
    "https://127.1/",
    "https://0x7f.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0177.0.0.1/",
    "https://crm example.com/",
    "https://crm.example.com/in\r\nx-injected:1",
    "https://crm.example.com/in\x00",
    "https://crm.example.com/路径",
    "https://[::1",
]


@pytest.mark.parametrize("url", REFUSED_URLS)
def test_an_address_within_is_not_called(url: str) -> None:
    assert problem_with(url)
    assert isinstance(PinnedPoster().post(url, b"{}", {}, timeout=SECOND), Forbidden)


@pytest.mark.parametrize(
    "url",
    [
        "https://crm.example.com/in?x=1",
        "https://crm.example.com:8443/",
        "https://8.8.8.8/",
        "https://[2606:4700::1111]/",
        "https://例子.example.com/",
    ],
)
def test_a_public_address_is_one(url: str) -> None:
    assert problem_with(url) == ""


WITHIN = [
    "0.0.0.0",  # noqa: S104 - no server binds it
    "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1", "192.168.0.1", "198.18.0.1",
    "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "::", "::1", "fe80::1%eth0", "fec0::1", "fd00:ec2::254", "ff02::1", "100::1", "2001:db8::1", "64:ff9b:1::1",
    "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::10.0.0.1", "::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::a9fe:a9fe",
    "2002:a00:1::", "2002:7f00:1::1", "2001:0:53aa:64c:0:0:f5ff:fffe", "", "nonsense",
]  # fmt: skip
OUTSIDE = [
    "93.184.216.34", "8.8.8.8", "2606:4700::1111", "2400:3200::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1",
]  # fmt: skip


@pytest.mark.parametrize("address", WITHIN)
def test_an_address_that_is_or_stands_for_one_within_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_an_address_that_is_or_stands_for_one_outside_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("addresses", [[], ["93.184.216.34", "127.0.0.1"], *([address] for address in WITHIN)])
def test_a_name_that_leads_within_is_not_called(addresses: list[str]) -> None:
    pinned = PinnedPoster(resolve=lambda _host, _port: addresses)
    answer = pinned.post("https://rebinding.example.com/", b"{}", {}, timeout=SECOND)
    assert answer == Forbidden("the host leads to a private address")


@pytest.mark.parametrize("error", [OSError, UnicodeError])
def test_to_a_name_that_leads_nowhere_nothing_is_sent(error: type[Exception]) -> None:
    def unknown(_host: str, _port: int) -> list[str]:
        raise error

    answer = PinnedPoster(resolve=unknown).post("https://a.example.com/", b"{}", {}, timeout=SECOND)
    assert answer == NotSent("the host is unknown")


def test_a_name_that_no_host_can_have_is_unknown() -> None:
    answer = PinnedPoster(resolve=lambda _host, _port: ["8.8.8.8"]).post(
        f"https://{'ä' * 70}.example.com/", b"", {}, timeout=SECOND
    )
    assert answer == NotSent("the host is unknown")


def test_the_loopback_is_for_the_harness_alone() -> None:
    with receiving() as receiver:
        refused = PinnedPoster().post(receiver.url, b"{}", {}, timeout=SECOND)
        assert isinstance(refused, Forbidden)
        assert receiver.received == []


def test_an_interface_that_is_read_is_asked_by_get_without_a_body() -> None:
    script = Scripted(OK + b"content-length: 2\r\n\r\n{}")
    with answering(script):
        answer = PinnedPoster(loopback=True, clock=lambda: NOW).get(script.url, {"x-key": "k-1"}, timeout=5 * SECOND)
    assert answer == Answer(200, None, {"content-length": "2"}, b"{}")
    [request] = script.requests
    assert request.startswith(b"GET /in?x=1 HTTP/1.1\r\n")
    assert b"content-length" not in request.lower()
