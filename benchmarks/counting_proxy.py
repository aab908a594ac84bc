"""Stands between the functions and the embedded cloud, and counts what they call. Used by ``journey_cost``.

A function reaches it by service-specific endpoint variables whose path names the function and the service
(``http://127.0.0.1:<port>/send_message/dynamodb``). Requests are passed on as they are, except that DynamoDB is asked
what a write consumed. What a read consumed is computed here, because the embedded cloud answers one flat unit: the same
items are read once more without filter and projection, as these do not make a read cheaper, and measured.
"""

import http.client
import json
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self
from urllib.parse import urlsplit

from benchmarks.request_units import item_size, read_units, write_units

_WRITES: Final = frozenset({"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"})
_READS: Final = frozenset({"GetItem", "BatchGetItem", "Query"})
_SCHEDULER: Final = {
    "POST": "CreateSchedule",
    "PUT": "UpdateSchedule",
    "DELETE": "DeleteSchedule",
    "GET": "GetSchedule",
}
_DYNAMODB: Final = "DynamoDB_20120810"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a function. ``entries`` is how many events or messages it carried; units are DynamoDB's.

    ``notes`` is how many enrolments it notes as due, each of which the sweep looks at once.
    """

    function: str
    service: str
    operation: str
    status: int
    entries: int = 1
    read_units: float = 0.0
    write_units: float = 0.0
    notes: int = 0


class CountingProxy:
    """A context manager; ``calls`` grows while it runs. ``upstream`` is the address of the embedded cloud."""

    def __init__(self, upstream: str) -> None:
        self.calls: list[Call] = []
        self._keys: dict[str, list[str]] = {}
        self._upstream = urlsplit(upstream).netloc
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def url(self, function: str, service: str) -> str:
        """The endpoint of a service for one function."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/{function}/{service}"

    def take(self) -> list[Call]:
        """The calls since the last take."""
        with self._lock:
            taken, self.calls = self.calls, []
        return taken

    def pass_on(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """Ask the embedded cloud, count the call, and give its answer: status, headers, body."""
        function, service, *rest = path.removeprefix("/").split("/", 2)
        operation = operation_of(headers) or _SCHEDULER[method]
        units = {"read_units": 0.0, "write_units": 0.0}
        request = json.loads(body) if body else {}
        if operation in _READS:
            units["read_units"] = self._read(operation, request)
        if operation in _WRITES:
            body = json.dumps(request | {"ReturnConsumedCapacity": "TOTAL"}).encode()
        status, found, answer = self._ask(method, "/" + "".join(rest), headers, body)
        if operation in _WRITES:
            units["write_units"] = self._written(operation, request, status, json.loads(answer))
        entries = len(request.get("Entries", [None]))
        call = Call(
            function=function,
            service=service,
            operation=operation,
            status=status,
            entries=entries,
            notes=int(operation == "PutItem" and is_note(request)),
            **units,
        )
        if not (operation == "GetItem" and is_shared(request)):
            with self._lock:
                self.calls.append(call)
        return status, found, answer

    def _read(self, operation: str, request: dict[str, Any]) -> float:
        """The units a read consumes."""
        match operation:
            case "GetItem":
                item = self._item(request["TableName"], request["Key"])
                return read_units([item_size(item)], consistent=request.get("ConsistentRead", False))
            case "BatchGetItem":
                return sum(
                    read_units(
                        [item_size(self._item(table, key)) for key in wanted["Keys"]],
                        consistent=wanted.get("ConsistentRead", False),
                        each=True,
                    )
                    for table, wanted in request["RequestItems"].items()
                )
            case _:
                found = self._dynamodb("Query", without_filter(request))["Items"]
                return read_units(map(item_size, found), consistent=request.get("ConsistentRead", False))

    def _written(self, operation: str, request: dict[str, Any], status: int, answer: dict[str, Any]) -> float:
        """The units a write consumed, with those of the index; a failed condition costs what is stored already."""
        if status == 200:
            consumed = answer["ConsumedCapacity"]
            return sum(
                float(each["CapacityUnits"]) for each in (consumed if isinstance(consumed, list) else [consumed])
            )
        stored = [
            item_size(self._item(part["TableName"], self._key(part))) for part in written_items(operation, request)
        ]
        return float(sum(write_units(size, transaction=operation == "TransactWriteItems") for size in stored))

    def _key(self, part: Mapping[str, Any]) -> dict[str, Any]:
        return part.get("Key") or {name: part["Item"][name] for name in self._key_names(part["TableName"])}

    def _key_names(self, table: str) -> list[str]:
        if table not in self._keys:
            described = self._dynamodb("DescribeTable", {"TableName": table})["Table"]
            self._keys[table] = [each["AttributeName"] for each in described["KeySchema"]]
        return self._keys[table]

    def _item(self, table: str, key: dict[str, Any]) -> dict[str, Any]:
        item: dict[str, Any] = self._dynamodb("GetItem", {"TableName": table, "Key": key, "ConsistentRead": True}).get(
            "Item", {}
        )
        return item

    def _dynamodb(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        headers = {
            "X-Amz-Target": f"{_DYNAMODB}.{operation}",
            "Content-Type": "application/x-amz-json-1.0",
            "Authorization": "AWS4-HMAC-SHA256 Credential=test/20310303/us-east-1/dynamodb/aws4_request",
        }
        status, _, answer = self._ask("POST", "/", headers, json.dumps(request).encode())
        content: dict[str, Any] = json.loads(answer)
        if status != 200:
            raise RuntimeError(f"{operation} for counting was refused: {content}")
        return content

    def _ask(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(self._upstream, timeout=60)
        passed = {name: value for name, value in headers.items() if name.lower() not in {"host", "content-length"}}
        try:
            connection.request(method, path, body, passed)
            response = connection.getresponse()
            return response.status, response.getheaders(), response.read()
        finally:
            connection.close()


def operation_of(headers: Mapping[str, str]) -> str:
    """The operation that a request of an AWS JSON service names, "" for one of another protocol; clients spell headers in any case."""
    [target] = [value for name, value in headers.items() if name.lower() == "x-amz-target"] or [""]
    return target.rpartition(".")[2]


def is_shared(get: Mapping[str, Any]) -> bool:
    """Whether an item is one that a process reads once a minute (the sending policy), under load once in hundreds of messages."""
    return bool(get["Key"].get("pk", {}).get("S", "") == "policy#sending")


def is_note(put: Mapping[str, Any]) -> bool:
    """Whether an item notes that an enrolment is due (``DynamoEnrolments.note_due``)."""
    return bool(put["Item"].get("pk", {}).get("S", "").startswith("due#"))


def without_filter(query: Mapping[str, Any]) -> dict[str, Any]:
    """The query for everything it scans: its key condition and index, with the names and values these use."""
    condition = query["KeyConditionExpression"]
    words = set(condition.replace("(", " ").replace(")", " ").replace(",", " ").split())
    kept = {
        name: value
        for name, value in query.items()
        if name in {"TableName", "IndexName", "KeyConditionExpression", "ExclusiveStartKey", "Limit", "ConsistentRead"}
    }
    for name in ("ExpressionAttributeNames", "ExpressionAttributeValues"):
        used = {placeholder: value for placeholder, value in query.get(name, {}).items() if placeholder in words}
        kept |= {name: used} if used else {}
    return kept


def written_items(operation: str, request: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The parts of a write, each with its ``TableName`` and its ``Key`` or ``Item``."""
    if operation != "TransactWriteItems":
        return [dict(request)]
    return [part for each in request["TransactItems"] for part in each.values()]


def operations(calls: list[Call]) -> Counter[tuple[str, str, str]]:
    """How often each function called each operation: (function, service, operation) → calls."""
    return Counter((call.function, call.service, call.operation) for call in calls)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    block_on_close = False
    proxy: CountingProxy


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, headers, answer = self.server.proxy.pass_on(self.command, self.path, dict(self.headers), body)
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in {"transfer-encoding", "content-length", "connection"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_PUT = do_DELETE = _pass_on  # noqa: N815 -- http.server looks for these names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the inherited name
        """Say nothing: what matters is counted."""
