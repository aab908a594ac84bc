"""A receiver of webhooks on this machine: checks what it gets as a customer would, and answers as configured."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook


@dataclass(frozen=True)
class Received:
    """One request: its headers in lower case, its body, and what the library says of the signature."""

    path: str
    headers: dict[str, str]
    body: bytes
    genuine: bool


@dataclass
class ReceiveWebhook:
    """``answers`` are given one after the other, then the last of them for ever.

    An answer is a status, or a status with headers; ``"slow"`` never comes, ``"drip"`` comes a byte at a time and never ends,
    ``"cut"`` is a broken connection.
    """

    key: str = ""
    answers: list[Any] = field(default_factory=lambda: [200])
    received: list[Received] = field(default_factory=list)
    url: str = ""
    released: threading.Event = field(default_factory=threading.Event)

    def next_answer(self) -> Any:
        """What to say now."""
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    @property
    def ids(self) -> list[str]:
        """The webhook-id of each request."""
        return [each.headers.get("webhook-id", "") for each in self.received]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    receiver: ReceiveWebhook


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Note the request and answer."""
        receiver = self.server.receiver
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        receiver.received.append(Received(self.path, headers, body, _is_genuine(receiver.key, body, headers)))
        match receiver.next_answer():
            case "cut":
                self.close_connection = True
            case "slow":
                receiver.released.wait()
            case "drip":
                while not receiver.released.wait(0.05):
                    self.wfile.write(b"H")
            case (status, extra):
                self._say(status, extra)
            case status:
                self._say(status, {})

    def _say(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"content-length": "0", **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the name is http.server's
        """Nothing to log."""


def _is_genuine(key: str, body: bytes, headers: dict[str, str]) -> bool:
    if not key:
        return False
    try:
        Webhook(key).verify(body, headers)
    except Exception:  # noqa: BLE001 -- the library raises what it likes
        return False
    return True


@contextmanager
def receiving(key: str = "", answers: Sequence[Any] = (200,)) -> Iterator[ReceiveWebhook]:
    """A receiver that listens on a loopback port until the block ends."""
    receiver = ReceiveWebhook(key=key, answers=list(answers))
    server = _Server(("127.0.0.1", 0), _Handler)
    server.receiver = receiver
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/hooks"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.released.set()
        server.shutdown()
        server.server_close()
