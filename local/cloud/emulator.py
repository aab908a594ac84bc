"""The process of the embedded cloud: MiniStack plus what the local tools must see of it. Started by ``local.cloud.local_cloud``.

Its own paths, all JSON, beside the AWS services on the same loopback port:

- ``POST /_waypost/quiet``: answers when nothing is under way, or says what still is; and when each schedule is due;
- ``POST /_waypost/fire``: fires schedules and scheduled rules now, whatever their time;
- ``POST /_waypost/events``: puts events on the default bus, also those of AWS services;
- ``POST /_waypost/take-up``: goes on with what the end of the last process interrupted;
- ``POST /_waypost/snapshot``: writes the state to disk;
- ``POST /_waypost/remember`` and ``bring-back``: keeps what the stores hold, and puts it back;
- ``POST /_waypost/types``: the CloudFormation resource types that can be created;
- ``POST /_waypost/workers``: the processes that run the functions;
- ``POST /_waypost/states-entered``: the states that executions entered, as their histories have them.

It ends when its standard input closes, so it never outlives the process that started it.
"""

# ruff: noqa: SLF001 -- this file works inside MiniStack on purpose; the version is pinned

import asyncio
import gc
import json
import logging
import os
import resource
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import uvicorn
from ministack import app as ministack_app
from ministack.core import lambda_runtime
from ministack.core.responses import request_scope
from ministack.services import eventbridge, lambda_svc, scheduler, sns, sqs, stepfunctions
from ministack.services.cloudformation import provisioners

from local.cloud import ministack_corrections
from local.cloud.activity import Activity
from local.cloud.code_cache import share_unpacked_code
from local.cloud.deduplication import forget_in_order
from local.cloud.due_times import next_time
from local.cloud.emulator_state import RememberedState, abandon_waiting_tasks
from local.cloud.expression_cache import remember_expressions
from local.cloud.journal import Journal
from local.cloud.service_protocols import know_protocols
from local.cloud.worker_forks import fork_workers, prepare_workers

logger = logging.getLogger("waypost.emulator")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

LOOK_EVERY_SECONDS = 0.002
LOOK_AFTER_SHARE = 0.02
"""Of the time that work has been under way, until the next look at it: a look costs more the more there is."""
RARE_COLLECTIONS = (50_000, 20, 100)
"""Thresholds of the garbage collector: nearly all that the emulator makes it keeps, and each full collection walks through it."""
LONGEST_JOURNAL = 5_000
"""Writes kept beside the last snapshot; each takes about a millisecond to run again after a crash."""


class Emulator:
    """The ASGI application: Waypost's own paths, everything else is MiniStack's."""

    def __init__(self, journal: Journal | None) -> None:
        self.activity = Activity()
        self.stopping = asyncio.Event()
        self._journal = journal
        self._state = RememberedState()
        self._paths: dict[str, Callable[[dict[str, Any]], Awaitable[Any]]] = {
            "/_waypost/quiet": self._quiet,
            "/_waypost/fire": self._fire,
            "/_waypost/events": self._events,
            "/_waypost/topics": self._topics,
            "/_waypost/take-up": self._take_up,
            "/_waypost/snapshot": self._snapshot,
            "/_waypost/remember": self._remember,
            "/_waypost/bring-back": self._bring_back,
            "/_waypost/types": self._types,
            "/_waypost/workers": self._workers,
            "/_waypost/states-entered": self._states_entered,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or the start and the end of the server."""
        if scope["type"] == "lifespan":
            await ministack_app.app(scope, receive, self._with_journal(send))
        elif scope["type"] == "http" and scope["path"] in self._paths:
            await self._own(scope, receive, send)
        else:
            with self.activity.under_way("requests"):
                application = self._journal.recorded(ministack_app.app) if self._journal else ministack_app.app
                await application(scope, receive, send)

    def _with_journal(self, send: Send) -> Send:
        """Bring back what the journal holds once MiniStack has loaded its snapshot, before the first request comes in."""

        async def hook(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "lifespan.startup.complete" and self._journal:
                await self._journal.replay(ministack_app.app)
            elif message["type"] == "lifespan.shutdown.complete" and self._journal:
                self._journal.clear()  # MiniStack has just saved everything
            await send(message)

        return hook

    async def _own(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        answer = await self._paths[scope["path"]](json.loads(body) if body else {})
        payload = json.dumps(answer).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(payload)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": payload})

    async def _quiet(self, request: dict[str, Any]) -> dict[str, Any]:
        """``{quiet, busy, finished, schedules}``: quiet when two looks in a row find nothing under way.

        ``finished`` counts the pieces of work done so far, so that slow work can be distinguished from stuck work.
        ``schedules`` have the next time they are due after the instant ``after``.
        """
        loop = asyncio.get_running_loop()
        begun = loop.time()
        deadline = begun + float(request.get("within", 0))
        idle_looks = 0
        while True:
            idle_looks = 0 if self._is_busy() else idle_looks + 1
            if idle_looks >= 2 and self._journal and self._journal.length > LONGEST_JOURNAL:
                self._journal.snapshot()
            if idle_looks >= 2 or loop.time() >= deadline:
                busy = self._busy()
                return {
                    "quiet": not busy,
                    "busy": busy,
                    "finished": self.activity.finished(),
                    "schedules": _schedules(datetime.fromisoformat(request["after"])),
                }
            pause = LOOK_EVERY_SECONDS if idle_looks else LOOK_AFTER_SHARE * (loop.time() - begun)
            await asyncio.sleep(max(LOOK_EVERY_SECONDS, min(pause, deadline - loop.time())))

    def _is_busy(self) -> bool:
        """Whether anything is under way; see ``_busy``, which costs more the more there is."""
        return bool(
            self.activity.any_counted
            or self.activity.any_walking
            or lambda_svc.executions_in_flight()[0]
            or any(lambda_svc._esm_inflight.values())
            or _queued()
        )

    def _busy(self) -> dict[str, Any]:
        """What is under way, by kind; empty when the system waits for time or for the outside."""
        busy: dict[str, Any] = {**self.activity.counts()}
        invocations, by_function = lambda_svc.executions_in_flight()
        if invocations:
            busy["functions"] = sorted(name.rsplit(":", 1)[-1] for name in by_function)
        if queued := _queued():
            busy["queues"] = queued
        if batches := sum(lambda_svc._esm_inflight.values()):
            busy["batches"] = batches
        if walking := self.activity.walking():
            busy["executions"] = sorted(arn.rsplit(":", 1)[-1] for arn in walking)
        return busy

    async def _fire(self, request: dict[str, Any]) -> dict[str, Any]:
        """``{schedules: [name…]}`` as listed by ``quiet`` → ``{fired: n}``."""
        wanted = set(request["schedules"])
        fired = 0
        for key, schedule in list(scheduler._schedules._data.items()):
            if _name("schedule", key) in wanted:
                _fire_target(key, schedule["Target"], schedule, "aws.scheduler")
                fired += 1
                if schedule["ScheduleExpression"].startswith("at("):
                    schedule["Fired"] = True
                    if schedule["ActionAfterCompletion"] == "DELETE":
                        scheduler._schedules._data.pop(key, None)
        for key, rule in list(eventbridge._rules._data.items()):
            if _name("rule", key) in wanted:
                for target in eventbridge._targets._data.get(key, []):
                    _fire_target(key, target, rule, "aws.events")
                fired += 1
        return {"fired": fired}

    async def _events(self, request: dict[str, Any]) -> Any:
        """``{entries: [PutEvents entry…]}`` → the answer of PutEvents; sources of AWS services are allowed."""
        _, _, body = eventbridge._put_events({"Entries": request["entries"]}, allow_aws_source=True)
        return json.loads(body)

    async def _topics(self, request: dict[str, Any]) -> dict[str, Any]:
        """``{name, message}`` → ``{published: n}``: to the topics whose name ends so."""
        found = [key for key in list(sns._topics._data) if _name("topic", key).endswith(f"-{request['name']}")]
        for account, region, arn in found:
            with request_scope(account, region):
                sns.publish_internal(arn, request["message"])
        return {"published": len(found)}

    async def _take_up(self, _: dict[str, Any]) -> dict[str, Any]:
        """Go on with what was interrupted; asked for when the functions are in place, for it calls them at once."""
        if self._journal:
            self._journal.take_up_work(self.activity.started)
        return {"taken_up": self._journal is not None}

    async def _snapshot(self, _: dict[str, Any]) -> dict[str, Any]:
        """Write everything to disk; the journal is emptied."""
        if self._journal:
            self._journal.snapshot()
        return {"saved": self._journal is not None}

    async def _remember(self, _: dict[str, Any]) -> dict[str, Any]:
        """Keep what every store holds at this moment, when nothing is under way: ``{entries: n}``."""
        return {"entries": self._state.remember()}

    async def _bring_back(self, _: dict[str, Any]) -> dict[str, Any]:
        """Put back what ``remember`` kept, and end the processes of the functions, which may hold more in memory."""
        loop = asyncio.get_running_loop()
        abandoned = abandon_waiting_tasks()
        while self._is_busy():  # noqa: ASYNC110 -- what is under way has many owners
            await asyncio.sleep(LOOK_EVERY_SECONDS)
        await loop.run_in_executor(None, lambda_runtime.reset)
        self._state.bring_back()
        return {"abandoned": abandoned}

    async def _types(self, _: dict[str, Any]) -> list[str]:
        """The CloudFormation resource types that can be created."""
        return sorted(provisioners._RESOURCE_HANDLERS)

    async def _workers(self, _: dict[str, Any]) -> dict[str, list[int]]:
        """Function → the ids of the processes that run it."""
        found: dict[str, list[int]] = {}
        for key, workers in list(lambda_runtime._workers.items()):
            running = [worker._proc.pid for worker in workers if worker._proc and worker._proc.poll() is None]
            found.setdefault(key.split(":")[-2], []).extend(running)
        return found

    async def _states_entered(self, request: dict[str, Any]) -> dict[str, list[str]]:
        """``{executions: [arn…]}`` → the names of the states that each entered, without the executions that are not there."""
        found = {arn: _execution(arn) for arn in request["executions"]}
        return {arn: _entered(execution) for arn, execution in found.items() if execution is not None}


def _execution(arn: str) -> dict[str, Any] | None:
    region, account = arn.split(":")[3:5]
    execution: dict[str, Any] | None = stepfunctions._executions.get_scoped(account, region, arn)
    return execution


def _entered(execution: dict[str, Any]) -> list[str]:
    details = (event.get("stateEnteredEventDetails") for event in execution["events"])
    return [entered["name"] for entered in details if entered]


def _all(store: Any) -> list[Any]:
    return list(store._data.values())


def _name(kind: str, key: tuple[str, str, str]) -> str:
    return f"{kind}/{key[-1]}"


def _queued() -> dict[str, int]:
    """Messages in queues that a function reads: queue name → count, without the empty ones."""
    queued: dict[str, int] = {}
    read = {mapping["EventSourceArn"] for mapping in _all(lambda_svc._esms) if mapping.get("Enabled", True)}
    for queue in _all(sqs._queues):
        if queue["messages"] and queue["attributes"].get("QueueArn") in read:
            queued[queue["attributes"]["QueueArn"].rsplit(":", 1)[-1]] = len(queue["messages"])
    return queued


def _schedules(after: datetime) -> list[dict[str, str]]:
    """Every enabled schedule and scheduled rule that is still due: ``{name, expression, due}``."""
    enabled = [
        (_name("schedule", key), schedule["ScheduleExpression"], schedule.get("ScheduleExpressionTimezone") or "UTC")
        for key, schedule in list(scheduler._schedules._data.items())
        if schedule.get("State") == "ENABLED" and not schedule.get("Fired")
    ] + [
        (_name("rule", key), rule["ScheduleExpression"], "UTC")
        for key, rule in list(eventbridge._rules._data.items())
        if rule.get("State") == "ENABLED" and rule.get("ScheduleExpression")
    ]
    upcoming = [(name, expression, next_time(expression, zone, after)) for name, expression, zone in enabled]
    return [
        {"name": name, "expression": expression, "due": time.isoformat()} for name, expression, time in upcoming if time
    ]


def _fire_target(key: tuple[str, str, str], target: Any, owner: Any, source: str) -> None:
    account, region, _ = key
    event = {
        "EventId": ministack_app.uuid.uuid4().hex,
        "Source": source,
        "DetailType": "Scheduled Event",
        "Detail": "{}",
        "Time": ministack_app.time.time(),
        "Resources": [owner.get("Arn", "")],
        "Account": account,
        "Region": region,
    }
    with request_scope(account, region):
        eventbridge._invoke_target(target, event, owner)


def _end_with_parent(stop: Callable[[], None]) -> None:
    """Standard input is a pipe from the process that started us; it closes when that process ends, however it ends."""

    def watch() -> None:
        while sys.stdin.buffer.read(1):
            pass
        stop()

    threading.Thread(target=watch, daemon=True, name="parent-watch").start()


async def run(port: int, journal: Journal | None) -> None:
    """Serve until the parent ends or a signal asks to stop."""
    emulator = Emulator(journal)
    ministack_corrections.install(emulator.activity)
    unpacked = share_unpacked_code(Path(os.environ["WAYPOST_CODE_CACHE"]))
    remember_expressions()
    know_protocols()
    forget_in_order()
    prepare_workers(fork_workers(), unpacked)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, emulator.stopping.set)

    def stop() -> None:
        loop.call_soon_threadsafe(emulator.stopping.set)

    _end_with_parent(stop)
    config = uvicorn.Config(
        emulator,
        host="127.0.0.1",
        port=port,
        http="httptools",  # most of a call's time was the reading of HTTP in Python
        ws="none",
        lifespan="on",
        log_level="warning",
        access_log=False,
        date_header=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=2,
    )
    server = _Server(config)
    serving = loop.create_task(server.serve())
    await asyncio.wait(
        {serving, stopping := loop.create_task(emulator.stopping.wait())}, return_when=asyncio.FIRST_COMPLETED
    )
    stopping.cancel()
    server.should_exit = True
    await serving


class _Server(uvicorn.Server):
    """A server that leaves the signals to the emulator."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Do nothing."""
        yield


def main() -> None:
    """``python -m local.cloud.emulator``; the settings are environment variables set by ``local.cloud.local_cloud``."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # some systems call the hard limit unlimited and refuse it
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    gc.set_threshold(*RARE_COLLECTIONS)
    state = os.environ.get("STATE_DIR") if os.environ.get("PERSIST_STATE") == "1" else None
    journal = Journal(Path(state) / "journal.jsonl") if state else None
    try:
        asyncio.run(run(int(os.environ["GATEWAY_PORT"]), journal))
    finally:
        lambda_runtime.reset()  # ends the worker processes


if __name__ == "__main__":
    main()
