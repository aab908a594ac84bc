"""Keeps the embedded cloud's data over a crash: a snapshot, and after it every write that was answered. Used by the emulator.

On AWS a write that was answered is durable. MiniStack keeps everything in memory and saves it when it stops in good order;
killed, it would forget claims in the send ledger and repeat sends. So each successful write request to the stores below is
appended to a file before its answer leaves, and run again after the last snapshot is loaded. Executions that were under way
start again from their beginning under the same name and input: what they did is answered from the ledger. Queue messages
that a function was working on come back at once.
"""

# ruff: noqa: SLF001 -- this file works inside MiniStack on purpose; the version is pinned

import base64
import json
import logging
import threading
import time
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

from ministack import app as ministack_app
from ministack.core import persistence
from ministack.core.responses import request_scope
from ministack.services import sqs, stepfunctions

logger = logging.getLogger("waypost.emulator")

WRITES = frozenset(
    {
        *(f"DynamoDB_20120810.{action}" for action in ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems")),
        *(f"AmazonSQS.{action}" for action in ("SendMessage", "SendMessageBatch")),
        *(f"AWSStepFunctions.{action}" for action in ("StartExecution", "StopExecution")),
        *(f"secretsmanager.{action}" for action in ("PutSecretValue", "UpdateSecret")),
    }
)  # fmt: skip
"""``X-Amz-Target`` of the requests that are kept; EventBridge Scheduler speaks REST and is recognised by its path."""

Message = MutableMapping[str, Any]
Application = Callable[[Message, Any, Any], Awaitable[None]]


class Journal:
    """The writes since the last snapshot."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._file = path.open("a", encoding="ascii")
        self._lock = threading.Lock()
        self.length = 0

    def recorded(self, application: Application) -> Application:
        """The application, with each successful write appended before its answer leaves."""

        async def run(scope: Message, receive: Any, send: Any) -> None:
            if scope["type"] != "http" or not _is_write(scope):
                await application(scope, receive, send)
                return
            body = bytearray()

            async def reading() -> Message:
                message: Message = await receive()
                body.extend(message.get("body", b""))
                return message

            async def sending(message: Message) -> None:
                if message["type"] == "http.response.start" and message["status"] < 300:
                    self._append(scope, bytes(body))
                await send(message)

            await application(scope, reading, sending)

        return run

    def _append(self, scope: Message, body: bytes) -> None:
        record = {
            "method": scope["method"],
            "path": scope["path"],
            "query": scope["query_string"].decode("latin-1"),
            "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]],
            "body": base64.b64encode(body).decode("ascii"),
        }
        with self._lock:
            self._file.write(json.dumps(record) + "\n")
            self._file.flush()
            self.length += 1

    async def replay(self, application: Application) -> None:
        """Run the kept writes again, in their order; a line cut off by the crash was never answered and is left out."""
        lines = self._path.read_text(encoding="ascii").splitlines(keepends=True)
        complete = [json.loads(line) for line in lines if line.endswith("\n")]
        for record in complete:
            await _request(application, record)
        self.length = len(complete)
        if complete:
            logger.warning("replayed %d writes", len(complete))

    def snapshot(self) -> None:
        """Save everything and empty the journal. Runs on the event loop, so no request is half done meanwhile."""
        with self._lock:
            persistence.save_all(ministack_app._build_persistence_save_dict())
        self.clear()

    def clear(self) -> None:
        """Forget the writes; they are in the snapshot now."""
        with self._lock:
            self._file.truncate(0)
            self.length = 0

    @staticmethod
    def take_up_work(started: Callable[[str], None]) -> None:
        """Start the executions again that the end of the process interrupted, and hand out its messages again.

        ``started`` hears of each execution.
        """
        for queue in sqs._queues._data.values():
            for message in queue["messages"]:
                message["visible_at"] = min(message["visible_at"], time.time())
        for (account, region, arn), execution in list(stepfunctions._executions._data.items()):
            if execution["status"] == "FAILED" and execution.get("error") == "States.ServiceRestart":
                execution.update(
                    status="RUNNING", stopDate=None, error=None, cause=None, events=execution["events"][:1]
                )
                started(arn)
                threading.Thread(target=_run_in_scope, args=(account, region, arn), daemon=True).start()


def _run_in_scope(account: str, region: str, arn: str) -> None:
    with request_scope(account, region):
        stepfunctions._run_execution(arn)


def _is_write(scope: Message) -> bool:
    if scope["path"].startswith("/schedules/"):
        return bool(scope["method"] != "GET")
    return any(name == b"x-amz-target" and value.decode("latin-1") in WRITES for name, value in scope["headers"])


async def _request(application: Application, record: dict[str, Any]) -> None:
    body = base64.b64decode(record["body"])
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "method": record["method"],
        "path": record["path"],
        "raw_path": record["path"].encode(),
        "query_string": record["query"].encode("latin-1"),
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in record["headers"]],
        "client": ("127.0.0.1", 0),
        "server": ("127.0.0.1", 0),
    }
    given = False

    async def receive() -> Message:
        nonlocal given
        if given:
            return {"type": "http.disconnect"}
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] >= 300:
            logger.warning("a kept write was refused: %s %s", record["method"], record["path"])

    await application(scope, receive, send)
