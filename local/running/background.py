"""Starts, finds and stops the background process of ``waypost up``. Called by the CLI."""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.loopback import call_json
from local.problems import LocalError
from local.project.current_project import current_project

FOLDER_VARIABLE = "WAYPOST_UP_FOLDER"
STEP = "» "
"""How a line of progress begins in the log of the background process."""
START_SECONDS = 300.0
STOP_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where the background process keeps what it needs; ``access`` says how to reach it and exists while it runs."""

    folder: Path
    access: Path

    @property
    def lock(self) -> Path:
        """Held by the process that runs; its end, whatever it is, sets it free."""
        return self.folder / "lock"

    @property
    def log(self) -> Path:
        """What the process says."""
        return self.folder / "daemon.log"


def place() -> Place:
    """``out/local/up`` and ``out/local.json``, or all in the folder that ``WAYPOST_UP_FOLDER`` names."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    if chosen:
        return Place(Path(chosen) / "up", Path(chosen) / "local.json")
    out = current_project().out
    return Place(out / "local" / "up", out / "local.json")


def is_running() -> bool:
    """Whether a background process holds the lock."""
    lock_file = place().lock
    if not lock_file.exists():
        return False
    with lock_file.open("r", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def access() -> dict[str, Any]:
    """What ``out/local.json`` says. Raises LocalError when nothing runs."""
    if not (is_running() and place().access.exists()):
        raise LocalError("nothing is running", "waypost up starts it")
    found: dict[str, Any] = json.loads(place().access.read_text(encoding="utf-8"))
    return found


def control(method: str, path: str, request: Any = None, *, timeout: float = 30.0) -> Any:
    """Ask the control API of what runs. Raises LocalError."""
    url = access()["control_url"]
    try:
        return call_json(method, f"{url}{path}", request, timeout=timeout)
    except OSError as error:
        raise LocalError(f"{path[1:]} failed: {error}", f"see {place().folder / 'cloud.log'}") from error


def start(*, fresh: bool, step: Callable[[str], None]) -> dict[str, Any]:
    """Start the background process and wait until it is ready; what runs already stays. Raises LocalError."""
    process = None if is_running() else _spawn(fresh=fresh)
    deadline = time.monotonic() + START_SECONDS
    shown = 0
    while not place().access.exists():
        steps = [line.removeprefix(STEP) for line in _log_lines() if line.startswith(STEP)]
        for line in steps[shown:]:
            step(line)
        shown = len(steps)
        if time.monotonic() > deadline or (process.poll() is not None if process else not is_running()):
            if process is not None and process.poll() is None:
                process.terminate()
            output = "\n".join(line for line in _log_lines() if not line.startswith(STEP))
            raise LocalError(output.removeprefix("error: ") or "the embedded cloud did not start", f"see {place().log}")
        time.sleep(0.1)
    return access()


def _spawn(*, fresh: bool) -> subprocess.Popen[bytes]:
    if fresh:
        shutil.rmtree(place().folder, ignore_errors=True)
    place().folder.mkdir(parents=True, exist_ok=True)
    place().access.unlink(missing_ok=True)
    with place().log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "local.running.daemon"],
            cwd=current_project().folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def _log_lines() -> list[str]:
    return place().log.read_text(encoding="utf-8").splitlines()


def stop(*, fresh: bool = False) -> bool:
    """Stop what runs, keeping its state unless ``fresh``; whether anything ran. Raises LocalError when it will not end."""
    ran = is_running()
    if ran:
        pid = access()["pid"]
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while is_running():
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)  # the emulator notices, saves its state and ends
                raise LocalError("it did not stop in time and was killed", f"see {place().folder / 'cloud.log'}")
            time.sleep(0.1)
    if fresh:
        shutil.rmtree(place().folder, ignore_errors=True)
    return ran
