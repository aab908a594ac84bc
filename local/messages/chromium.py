"""Pictures of a page by a headless Chromium, over its own protocol. Used by ``waypost message preview``.

The protocol runs through a pipe: no port is opened, and nothing is installed beside the browser that is there.
Source: https://chromedevtools.github.io/devtools-protocol/
"""

import base64
import contextlib
import fcntl
import json
import os
import shutil
import signal
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from local.problems import LocalError

CHOSEN: Final = "WAYPOST_CHROMIUM"
"""Names the browser where none of ``_NAMES`` is on the path."""

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge", "chrome")
_PLACES: Final = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
_FROM_US, _TO_US = 3, 4
"""The descriptors on which Chromium speaks after ``--remote-debugging-pipe``."""

_HEIGHT: Final = 800
_MOST_BYTES: Final = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a page is looked at: the ``width`` in CSS pixels, the pixels of the screen for each, and the colours asked for."""

    name: str
    width: int
    scale: int = 1
    dark: bool = False


PHONE: Final = Look(name="phone", width=390, scale=2)
DESKTOP: Final = Look(name="desktop", width=1280)
LOOKS: Final = (
    PHONE,
    Look(name="phone-dark", width=PHONE.width, scale=PHONE.scale, dark=True),
    DESKTOP,
    Look(name="desktop-dark", width=DESKTOP.width, dark=True),
)
"""The pictures of a mail."""


def find_chromium() -> str:
    """The path of the browser. Raises LocalError where there is none."""
    chosen = os.environ.get(CHOSEN)
    candidates = (chosen,) if chosen else (*_NAMES, *_PLACES)
    for name in candidates:
        if found := shutil.which(name):
            return found
    what = f"{chosen!r} in {CHOSEN} is no program" if chosen else "there is no Chromium to make pictures with"
    raise LocalError(what, f"install chromium or google-chrome, name one in {CHOSEN}, or add --no-pictures")


class Chromium:
    """One headless browser for as long as the block lasts; in its pictures the scripts of a page do not run."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._answers = b""
        self._last = 0

    def __enter__(self) -> Self:
        self._profile = tempfile.mkdtemp(prefix="waypost-chromium-")
        theirs, self._ours_out = os.pipe()
        self._ours_in, theirs_out = os.pipe()
        high = [fcntl.fcntl(each, fcntl.F_DUPFD, 10) for each in (theirs, theirs_out)]
        for each in (theirs, theirs_out):
            os.close(each)
        nothing = os.devnull
        self._process = os.posix_spawn(
            self._program,
            [self._program, *_OPTIONS, *_ROOT, f"--user-data-dir={self._profile}", "about:blank"],
            dict(os.environ),
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, nothing, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, nothing, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_OPEN, 2, nothing, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_DUP2, high[0], _FROM_US),
                (os.POSIX_SPAWN_DUP2, high[1], _TO_US),
                (os.POSIX_SPAWN_CLOSE, high[0]),
                (os.POSIX_SPAWN_CLOSE, high[1]),
            ],
            setpgroup=0,
        )
        for each in high:
            os.close(each)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)
        os.close(self._ours_out)
        os.close(self._ours_in)
        shutil.rmtree(self._profile, ignore_errors=True)

    def picture(self, html: Path, look: Look) -> bytes:
        """The whole page as PNG. Raises LocalError when the browser ends or refuses."""
        target = self.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        metrics = {
            "width": look.width,
            "height": _HEIGHT,
            "deviceScaleFactor": look.scale,
            "mobile": look.width < _HEIGHT,
        }
        scheme = {"name": "prefers-color-scheme", "value": "dark" if look.dark else "light"}
        self.call("Emulation.setDeviceMetricsOverride", metrics, session)
        self.call("Emulation.setEmulatedMedia", {"features": [scheme]}, session)
        self.call("Emulation.setScriptExecutionDisabled", {"value": True}, session)
        self.call("Page.enable", {}, session)
        self.call("Page.navigate", {"url": html.resolve().as_uri()}, session)
        self.await_event("Page.loadEventFired", session)
        shot = self.call("Page.captureScreenshot", {"format": "png", "captureBeyondViewport": True}, session)
        self.call("Target.closeTarget", {"targetId": target})
        return base64.b64decode(shot["data"])

    def call(self, method: str, parameters: dict[str, Any], session: str = "") -> dict[str, Any]:
        """One command of the protocol, to the browser or to a page. Raises LocalError when the browser ends or refuses."""
        self._last += 1
        number = self._last
        message = {"id": number, "method": method, "params": parameters, **({"sessionId": session} if session else {})}
        try:
            os.write(self._ours_out, json.dumps(message).encode() + b"\0")
        except BrokenPipeError:
            raise _ended() from None
        while True:
            answer = self._read()
            if answer.get("id") != number:
                continue
            if "error" in answer:
                raise LocalError(f"Chromium refused {method}: {answer['error']['message']}", "add --no-pictures")
            result: dict[str, Any] = answer["result"]
            return result

    def await_event(self, event: str, session: str) -> None:
        """Wait for an event of a page."""
        while True:
            answer = self._read()
            if answer.get("method") == event and answer.get("sessionId") == session:
                return

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._answers:
            more = os.read(self._ours_in, _MOST_BYTES)
            if not more:
                raise _ended()
            self._answers += more
        text, _, self._answers = self._answers.partition(b"\0")
        answer: dict[str, Any] = json.loads(text)
        return answer


_OPTIONS: Final = (
    "--headless=new", "--remote-debugging-pipe", "--disable-gpu", "--disable-extensions", "--disable-sync", "--no-first-run",
    "--no-default-browser-check", "--hide-scrollbars", "--mute-audio", "--disable-background-networking",
    "--disable-component-update", "--disable-dev-shm-usage",
)  # fmt: skip
_ROOT: Final = ("--no-sandbox",) if os.geteuid() == 0 else ()
"""Chromium's own sandbox does not start for root, as whom it runs in a container."""


def _ended() -> LocalError:
    return LocalError(
        "Chromium ended before the picture was there",
        f"run it by hand, choose another with {CHOSEN}, or add --no-pictures",
    )
