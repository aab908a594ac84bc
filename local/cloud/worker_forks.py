"""Makes Lambda workers by forking a process that has imported the layers already. Used by the emulator process.

A worker of its own interpreter imports the SDK and the libraries of the layers each time, which is most of what its start
costs; a fork has them at once. A function's own modules are imported by each worker, as on AWS.
"""

# ruff: noqa: SLF001 -- this file works inside MiniStack on purpose; the version is pinned

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TextIO

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from local.cloud.code_cache import UnpackedCode
from local.cloud.ministack_corrections.replacing import Function, replace

_ZYGOTE: Final = Path(__file__).with_name("worker_zygote.py")
_LAYERS: Final = "_LAMBDA_LAYERS_DIRS"
_KILLED: Final = -int(signal.SIGKILL)


def fork_workers() -> "Zygotes":
    """Make the Python workers of this process forks of a zygote, one zygote for each set of layers."""
    zygotes = Zygotes()

    class Processes:
        """The module ``subprocess`` as MiniStack's workers see it."""

        def __getattr__(self, name: str) -> Any:
            return getattr(subprocess, name)

        @staticmethod
        def Popen(command: Sequence[str], **options: Any) -> Any:  # noqa: N802 -- the name is subprocess's
            environment = options.get("env") or {}
            if command[0] == sys.executable and _LAYERS in environment:
                return zygotes.fork(command[1], cwd=options["cwd"], env=environment)
            return subprocess.Popen(command, **options)

    lambda_runtime.subprocess = Processes()
    return zygotes


def prepare_workers(zygotes: "Zygotes", unpacked: UnpackedCode) -> None:
    """Start the zygote when the first function is created with layers that were unpacked before.

    It imports beside the rest of the deployment what the first worker would wait for.
    """

    def preparing(original: Function) -> Function:
        def attach(layers: Any) -> Any:
            attached, error = original(layers)
            if attached and not error:
                contents = [lambda_svc._resolve_layer_zip(layer) for layer in attached]
                folders = [unpacked.folder(content) if content else None for content in contents]
                zygotes.prepare([folder for folder in folders if folder and folder.exists()], of=len(contents))
            return attached, error

        return attach

    replace(lambda_svc, "_normalize_layer_attachments", preparing)


class Zygotes:
    """The zygotes of this process, by the layers they have imported."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connections: dict[tuple[str, ...], socket.socket] = {}
        self._processes: list[subprocess.Popen[bytes]] = []

    def close(self) -> None:
        """End the zygotes; the workers they made go on."""
        with self._lock:
            for connection in self._connections.values():
                connection.close()
            self._connections.clear()
        for process in self._processes:
            process.wait()

    def prepare(self, layers: Sequence[Path], *, of: int) -> None:
        """Start the zygote for these layers now, unless one of a function's ``of`` layers is missing."""
        searched = tuple(os.path.realpath(folder) for folder in layers)
        with self._lock:
            if len(searched) == of and searched not in self._connections:
                self._start(searched)

    def fork(self, script: str, *, cwd: str, env: Mapping[str, str]) -> "ForkedWorker":
        """A worker that runs ``script``. Raises OSError when the zygote does not answer."""
        layers = tuple(os.path.realpath(folder) for folder in env[_LAYERS].split(os.pathsep))
        request = json.dumps({"script": script, "cwd": cwd, "env": dict(env)}).encode()
        ours, theirs = _pipes()
        try:
            with self._lock:
                connection = self._connections.get(layers) or self._start(layers)
                socket.send_fds(connection, [len(request).to_bytes(4, "big")], theirs)
                connection.sendall(request)
                answer = connection.recv(8, socket.MSG_WAITALL)
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        if len(answer) < 8:
            self._connections.pop(layers, None)
            raise OSError("the process that forks workers has ended")
        return ForkedWorker(int.from_bytes(answer, "big"), *ours)

    def _start(self, layers: tuple[str, ...]) -> socket.socket:
        ours, theirs = socket.socketpair()
        with theirs:
            zygote = subprocess.Popen(
                [sys.executable, "-P", str(_ZYGOTE), str(theirs.fileno()), *layers],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        self._processes.append(zygote)
        self._connections[layers] = ours
        return ours


def _pipes() -> tuple[list[int], list[int]]:
    """Our ends (input, output, error, life) and the worker's, in the same order."""
    to_worker, *from_worker = (os.pipe() for _ in range(4))
    ours = [to_worker[1], *(read for read, _ in from_worker)]
    return ours, [to_worker[0], *(write for _, write in from_worker)]


class ForkedWorker:
    """What MiniStack uses of ``subprocess.Popen``, for a process that is another process's child.

    How it ended is not known, only that it did: ``life`` is the read end of a pipe that only the worker holds open.
    """

    def __init__(self, pid: int, stdin: int, stdout: int, stderr: int, life: int) -> None:
        self.pid = pid
        self.stdin: TextIO = open(stdin, "w", encoding="utf-8", buffering=1)  # noqa: SIM115
        self.stdout: TextIO = open(stdout, encoding="utf-8")  # noqa: SIM115
        self.stderr: TextIO = open(stderr, encoding="utf-8", errors="replace")  # noqa: SIM115
        self.returncode: int | None = None
        self._life = life
        self._lock = threading.Lock()

    def poll(self) -> int | None:
        """None while it runs."""
        return self._ended_within(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end. Raises subprocess.TimeoutExpired."""
        status = self._ended_within(timeout)
        if status is None:
            raise subprocess.TimeoutExpired([str(_ZYGOTE)], timeout or 0)
        return status

    def terminate(self) -> None:
        """Ask it to end."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self._signal(signal.SIGKILL)

    def close(self) -> None:
        """Close our ends of its streams; it has ended."""
        for stream in (self.stdin, self.stdout, self.stderr):
            with suppress(BrokenPipeError):
                stream.close()

    def _signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):  # it ended at this moment
                os.kill(self.pid, number)

    def _ended_within(self, timeout: float | None) -> int | None:
        with self._lock:
            if self.returncode is None and select.select([self._life], [], [], timeout)[0]:
                os.close(self._life)
                self.returncode = _KILLED
            return self.returncode
