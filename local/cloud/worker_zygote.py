"""A process that has imported what the layers bring, and becomes a Lambda worker by forking. Run by ``local.cloud.worker_forks``.

What it has imported, every worker has imported, so it imports only from the layers of its workers, and of Waypost only what
reads nothing of its surroundings when it is imported (as all of Waypost, design rule 10).

Over the socket it is given come requests, each with four file descriptors (standard input, output and error, and one that
only the worker keeps open, so that its end is noticed): four bytes of length, then JSON ``{script, cwd, env}``. The answer is
the worker's process id in eight bytes. It ends when the socket closes.
"""

import gc
import importlib
import json
import os
import runpy
import signal
import socket
import sys
from contextlib import suppress
from importlib.machinery import PathFinder

PRELOADED = (
    "aws_lambda_powertools.event_handler.api_gateway",
    "aws_lambda_powertools.logging",
    "aws_lambda_powertools.metrics",
    "aws_lambda_powertools.utilities.batch",
    "aws_lambda_powertools.utilities.typing",
    "botocore.client",
    "botocore.config",
    "botocore.endpoint_provider",
    "botocore.httpsession",
    "botocore.parsers",
    "botocore.retries.standard",
    "botocore.session",
    "botocore.signers",
    "minijinja",
    "orjson",
    "pydantic",
    "waypost.assembly.assemble",
    "waypost.aws.routing_batch",
    "waypost.aws.wiring",
    "waypost.intake.receive_webhook",
    "waypost.metrics.refresh_contacts",
    "waypost.sending.send_message",
    "waypost.tracking.record_delivery",
)
"""What most functions import, or those that start most often; one that the layers do not have is passed over."""


def main(control: int, layers: list[str]) -> None:
    """Import the preloaded packages from ``layers``, then fork a worker for each request."""
    connection = socket.socket(fileno=control)
    sys.stdout = sys.stderr  # a logger made meanwhile must not write into a worker's answers
    searched = list(sys.path)
    brought = [os.path.join(layer, "python") for layer in layers]  # noqa: PTH118 - pathlib is for those who need it
    sys.path[:0] = brought
    for name in PRELOADED:
        if PathFinder.find_spec(name.partition(".")[0], brought):
            with suppress(ImportError):
                importlib.import_module(name)
    sys.path[:] = searched
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # workers that ended are reaped by the system
    gc.freeze()
    while True:
        head, descriptors, _, _ = socket.recv_fds(connection, 4, 4)
        if not head:
            return
        request = json.loads(_read(connection, int.from_bytes(head, "big")))
        worker = os.fork()
        if worker == 0:
            connection.close()
            _become(request, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        connection.sendall(worker.to_bytes(8, "big"))


def _read(connection: socket.socket, length: int) -> bytes:
    content = b""
    while len(content) < length:
        content += connection.recv(length - len(content))
    return content


def _become(request: dict[str, object], descriptors: list[int]) -> None:
    """Run the worker's program as a fresh interpreter would; does not return."""
    for number, descriptor in enumerate(descriptors[:3]):
        os.dup2(descriptor, number)
        os.close(descriptor)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    script = str(request["script"])
    os.environ.clear()
    os.environ.update(dict(request["env"]))  # type: ignore[call-overload]
    os.chdir(str(request["cwd"]))
    sys.argv = [script]
    sys.path.insert(0, os.path.dirname(script))  # noqa: PTH120
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
    status = 0
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 1
    except BaseException:  # noqa: BLE001 - a worker that fails says so on standard error and ends, as an interpreter does
        sys.excepthook(*sys.exc_info())
        status = 1
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
