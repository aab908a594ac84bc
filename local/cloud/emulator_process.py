"""Starts, stops and talks to the process of the embedded cloud. Used by ``local.cloud.local_cloud``."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from local.loopback import call_json
from local.problems import LocalError

START_SECONDS = 30.0
STOP_SECONDS = 15.0
CONCURRENCY = max(4, 2 * (os.cpu_count() or 1))
"""Functions that run at once: each is a process of about 50 MB, and more of them than this only wait for a core."""
WARM_SECONDS = 60
"""How long a process that has nothing to do is kept, beyond the first of each function."""


class EmulatorProcess:
    """One emulator on a loopback port, with its state, its temporary files and its log under ``folder``.

    The code of the functions is unpacked once per content, under ``code_cache``.
    """

    def __init__(self, folder: Path, *, code_cache: Path, keeps_state: bool, port: int = 0) -> None:
        self.folder = folder
        self.log = folder / "cloud.log"
        self.port = port or free_port()
        self._code_cache = code_cache
        self._keeps_state = keeps_state
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where the AWS services answer."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self, variables: dict[str, str]) -> None:
        """Start it and wait until it answers; ``variables`` reach the functions. Raises LocalError."""
        self.launch(variables)
        self.await_answer()

    def launch(self, variables: dict[str, str]) -> None:
        """Start it without waiting; see ``await_answer``."""
        self.kill()  # what a crash may have left of an earlier one
        self._await_free_port()
        scratch = self.folder / "tmp"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "local.cloud.emulator"],
                cwd=self.folder,
                env={**_inherited(), **self._settings(scratch), **variables},
                stdin=subprocess.PIPE,  # its end is how the emulator learns of ours
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def await_answer(self) -> None:
        """Wait until it answers. Raises LocalError when it ends instead, or takes too long."""
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self.pid is None or time.monotonic() > deadline:
                self.kill()
                raise LocalError("the embedded cloud did not start", f"see {self.log}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Let it save its state and end; what is left of its processes after that is killed."""
        if self._process is None:
            return
        self._say_goodbye(self._process)
        with suppress(subprocess.TimeoutExpired):  # killed below, with its workers
            self._process.wait(STOP_SECONDS)
        self.kill()

    def kill(self) -> None:
        """End it and every worker at once, as a crash would."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):  # nothing of its group is left
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._say_goodbye(self._process)
        self._process = None
        shutil.rmtree(self.folder / "tmp", ignore_errors=True)

    @staticmethod
    def _say_goodbye(process: subprocess.Popen[bytes]) -> None:
        if process.stdin is not None:
            process.stdin.close()

    def quiet(self, *, within: float, after: datetime) -> dict[str, Any]:
        """``{quiet, busy, finished, schedules}`` as soon as nothing is under way, at the latest after ``within`` real seconds."""
        request = {"within": within, "after": after.isoformat()}
        state: dict[str, Any] = self._ask("quiet", request, timeout=within + 30)
        return state

    def fire(self, schedules: list[str]) -> None:
        """Fire schedules by the names that ``quiet`` gave."""
        self._ask("fire", {"schedules": schedules})

    def put_events(self, entries: list[dict[str, Any]]) -> None:
        """Put events on the default bus, those of AWS services too."""
        self._ask("events", {"entries": entries})

    def publish_to_topic(self, name: str, message: str) -> None:
        """Publish to the topics whose name ends so."""
        self._ask("topics", {"name": name, "message": message})

    def take_up_work(self) -> None:
        """Go on with what the end of the last process interrupted."""
        self._ask("take-up", {})

    def snapshot(self) -> None:
        """Write the state to disk."""
        self._ask("snapshot", {})

    def remember(self) -> None:
        """Keep what every store holds; nothing may be under way."""
        self._ask("remember", {})

    def bring_back(self) -> None:
        """Put back what ``remember`` kept, whatever happened since."""
        self._ask("bring-back", {}, timeout=120.0)

    def workers(self) -> dict[str, list[int]]:
        """Function → the ids of the processes that run it."""
        found: dict[str, list[int]] = self._ask("workers", {})
        return found

    def states_entered(self, executions: list[str]) -> dict[str, list[str]]:
        """Of those executions that there are, in the order asked for: ARN → the states entered, in their order."""
        found: dict[str, list[str]] = self._ask("states-entered", {"executions": executions})
        return found

    def resource_types(self) -> frozenset[str]:
        """The CloudFormation resource types that can be created."""
        return frozenset(self._ask("types", {}))

    def _ask(self, what: str, request: dict[str, Any], *, timeout: float = 30.0) -> Any:
        try:
            return call_json("POST", f"{self.url}/_waypost/{what}", request, timeout=timeout)
        except OSError as error:
            raise LocalError(f"the embedded cloud does not answer: {error}", f"see {self.log}") from error

    def _await_free_port(self) -> None:
        """An emulator whose parent was killed still saves its state for a moment."""
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) != 0:
                    return
            time.sleep(0.1)
        raise LocalError(f"port {self.port} is in use", "stop what uses it, or start afresh with waypost up --fresh")

    def _answers(self) -> bool:
        try:
            call_json("POST", f"{self.url}/_waypost/types", {}, timeout=5)
        except OSError:
            return False
        return True

    def _settings(self, scratch: Path) -> dict[str, str]:
        return {
            "GATEWAY_PORT": str(self.port),
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "127.0.0.1",
            "LAMBDA_ACCOUNT_CONCURRENCY": str(CONCURRENCY),
            "LAMBDA_WARM_TTL_SECONDS": str(WARM_SECONDS),
            "SFN_WAIT_SCALE": "0.1",  # a retry's pause is real time, which a rehearsal has little of
            "LOG_LEVEL": "INFO",
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "PERSIST_STATE": "1" if self._keeps_state else "0",
            "STATE_DIR": str(self.folder / "state"),
            "S3_PERSIST": "1" if self._keeps_state else "0",
            "S3_DATA_DIR": str(self.folder / "s3"),
            "TMPDIR": str(scratch),
            "WAYPOST_CODE_CACHE": str(self._code_cache.resolve()),
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
        }


def free_port() -> int:
    """A loopback port that is free at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _inherited() -> dict[str, str]:
    """Our environment without what would lead a function to a real account or to other code."""
    left_out = ("AWS_", "WAYPOST_", "PYTHONPATH", "LOCALSTACK_", "COVERAGE_", "COV_CORE_")
    return {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
