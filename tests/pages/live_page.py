"""A page in a real Chromium whose scripts run: what a person sees and does there. Used by the tests of scripts for other people's pages."""

import base64
import json
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from local.messages.chromium import Chromium, Look

_HEIGHT = 800
_PATIENCE = 60_000
"""Milliseconds that a page may take."""

_KEYS = {"Tab": 9, "Enter": 13, "Escape": 27}
_UNTIL = """(async () => {
  const holds = () => { try { return %s } catch { return false } }
  const end = performance.now() + %d
  while (!holds()) {
    if (performance.now() > end) throw new Error("still not so")
    await new Promise(resolve => setTimeout(resolve, 20))
  }
})()"""


@dataclass(frozen=True, slots=True)
class LivePage:
    """One page; expressions are JavaScript of the page."""

    browser: Chromium
    session: str

    def value(self, expression: str) -> Any:
        """What an expression is worth, a promise awaited. Raises AssertionError for what it throws."""
        asked = {"expression": expression, "awaitPromise": True, "returnByValue": True}
        answer = self.browser.call("Runtime.evaluate", asked, self.session)
        assert "exceptionDetails" not in answer, f"{expression}: {json.dumps(answer['exceptionDetails'])}"
        return answer["result"].get("value")

    def until(self, expression: str) -> None:
        """Wait until an expression holds."""
        self.value(_UNTIL % (expression, _PATIENCE))

    def press(self, key: str, *, text: str = "") -> None:
        """Press a key where the focus is."""
        pressed = {"key": key, "code": key, "windowsVirtualKeyCode": _KEYS[key]}
        typed = {"text": text} if text else {}
        self.browser.call("Input.dispatchKeyEvent", {"type": "keyDown", **pressed, **typed}, self.session)
        self.browser.call("Input.dispatchKeyEvent", {"type": "keyUp", **pressed}, self.session)

    def look(self, look: Look) -> bytes:
        """What is seen in a window of this width, as PNG."""
        metrics = {
            "width": look.width, "height": _HEIGHT, "deviceScaleFactor": look.scale, "mobile": look.width < _HEIGHT
        }  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if look.dark else "light"}
        self.browser.call("Emulation.setDeviceMetricsOverride", metrics, self.session)
        self.browser.call("Emulation.setEmulatedMedia", {"features": [scheme]}, self.session)
        picture = base64.b64decode(self.browser.call("Page.captureScreenshot", {"format": "png"}, self.session)["data"])
        assert struct.unpack(">II", picture[16:24]) == (look.width * look.scale, _HEIGHT * look.scale)
        return picture


@contextmanager
def live_page(browser: Chromium, url: str) -> Iterator[LivePage]:
    """The page at an address, when it is loaded."""
    target = browser.call("Target.createTarget", {"url": "about:blank"})["targetId"]
    session = browser.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
    browser.call("Page.enable", {}, session)
    browser.call("Page.navigate", {"url": url}, session)
    browser.await_event("Page.loadEventFired", session)
    yield LivePage(browser, session)
    browser.call("Target.closeTarget", {"targetId": target})


@contextmanager
def site(html: str, *, policy: str = "") -> Iterator[str]:
    """A site with one page, at an origin of its own; ``policy`` is its Content-Security-Policy."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html; charset=utf-8")
            if policy:
                self.send_header("content-security-policy", policy)
            self.end_headers()
            self.wfile.write(html.encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is http.server's
            """Requests are not listed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
