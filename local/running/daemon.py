"""The background process of ``waypost up``: the embedded cloud with running time, and a control API on the loopback.

Started and stopped by ``local.running.background``; ``python -m local.running.daemon`` runs it in the foreground.
"""

import fcntl
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from local.cloud.local_cloud import LocalCloud, write_atomically
from local.cloud.time_travel import Work, duration
from local.problems import LocalError
from local.providers.message_files import write_message
from local.providers.record import FAULT_KINDS, Fault
from local.providers.server import fakes
from local.running.background import STEP, place
from waypost.clock import format_instant, parse_instant, real_now

TICK_SECONDS = 1.0
SETTLE_SECONDS = 10.0


class Travelling:
    """How far a travel has come."""

    def __init__(self, *, begun: datetime, target: datetime) -> None:
        self._begun, self._now, self._target = begun, begun, target
        self._work: Work | None = None

    def arrived(self, instant: datetime) -> None:
        """Virtual time has moved."""
        self._now, self._work = instant, None

    def working(self, work: Work) -> None:
        """Something is worked off before time moves on."""
        self._work = work

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        work = self._work
        return {
            "begun": format_instant(self._begun),
            "now": format_instant(self._now),
            "target": format_instant(self._target),
            "work": dict(work.kinds) if work else {},
            "seconds": round(work.seconds, 1) if work else 0.0,
        }


class Daemon:
    """What the control API does; each method takes the request's JSON and gives the answer's."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.cloud = cloud
        self.stopping = threading.Event()
        self._passed = cloud.clock.now()
        self._written = 0
        self._travelling: Travelling | None = None
        self.messages = cloud.folder / "messages"
        self.actions: dict[tuple[str, str], Callable[[dict[str, Any]], Any]] = {
            ("GET", "/status"): self.status,
            ("POST", "/travel"): self.travel,
            ("GET", "/progress"): self.progress,
            ("POST", "/settle"): self.settle,
            ("GET", "/calls"): self.calls,
            ("GET", "/faults"): self.faults,
            ("POST", "/faults"): self.fail,
            ("DELETE", "/faults"): self.clear_faults,
            ("GET", "/actions"): self.actions_of_people,
            ("POST", "/actions"): self.act,
            ("POST", "/stop"): self.stop,
        }

    def tick(self) -> None:
        """Fire what became due while time ran by itself, and write down what went out."""
        now = self.cloud.clock.now()
        self.cloud.time.tick(self._passed)
        self._passed = now
        accepted = self.cloud.providers.accepted
        for call in accepted[self._written :]:
            journey = call.tags.get("journey", "message")
            list(write_message(self.messages, f"{call.number:04d}-{journey}-{call.message_key}", call))
        self._written = len(accepted)

    def status(self, _: dict[str, Any]) -> dict[str, Any]:
        """``{now, quiet, busy, schedules}``."""
        state = self.cloud.emulator.quiet(within=0.05, after=self.cloud.clock.now())
        return {"now": format_instant(self.cloud.clock.now()), **state}

    def travel(self, request: dict[str, Any]) -> dict[str, Any]:
        """``{by: "2d"}`` or ``{to: instant}`` → ``{now, fired}``; time runs on from there."""
        clock, time = self.cloud.clock, self.cloud.time
        target = clock.now() + duration(request["by"]) if "by" in request else parse_instant(request["to"])
        travelling = self._travelling = Travelling(begun=clock.now(), target=target)
        time.at_work = travelling.working
        try:
            fired = time.travel_to(target, arrived=travelling.arrived)
        finally:
            self._travelling = None
            time.at_work = lambda _: None
            clock.run_from(clock.now())
            self._passed = clock.now()
        return {"now": format_instant(clock.now()), "fired": fired}

    def progress(self, _: dict[str, Any]) -> dict[str, Any]:
        """Of a travel that is under way: ``{begun, now, target, work, seconds}``; {} when there is none.

        ``work`` has each kind of work that is left before time moves on, with its amount; ``seconds`` is how long it has been
        worked off.
        """
        travelling = self._travelling
        return {} if travelling is None else travelling.to_dict()

    def settle(self, request: dict[str, Any]) -> dict[str, Any]:
        """``{within: seconds}`` → ``{quiet: true}`` once nothing is under way."""
        self.cloud.time.settle(within=float(request.get("within", 60)))
        return {"quiet": True}

    def calls(self, _: dict[str, Any]) -> list[dict[str, Any]]:
        """Every call that reached a provider since the start."""
        return [call.to_dict() for call in self.cloud.providers.calls]

    def faults(self, _: dict[str, Any]) -> list[dict[str, Any]]:
        """What is to go wrong."""
        return [asdict(fault) for fault in self.cloud.providers.faults()]

    def fail(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        """Plan a fault: ``{kind, times?, channel?, message_key?, seconds?}``."""
        if request.get("kind") not in FAULT_KINDS:
            raise ValueError(f"kind: expected one of {', '.join(FAULT_KINDS)}")
        self.cloud.providers.fail(Fault(**request))
        return self.faults({})

    def clear_faults(self, _: dict[str, Any]) -> list[dict[str, Any]]:
        """Nothing goes wrong any more."""
        self.cloud.providers.clear_faults()
        return []

    def actions_of_people(self, _: dict[str, Any]) -> dict[str, Any]:
        """What people can do at the providers: channel → action → ``{summary, values}``."""
        known = {
            channel: {name: asdict(action) for fake in mounted for name, action in fake.actions.items()}
            for channel, mounted in fakes().items()
        }
        return {channel: actions for channel, actions in known.items() if actions}

    def act(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        """``{channel, action, values?, times?}`` → what we answered to each callback that followed, ``{status, body}``."""
        answers = self.cloud.providers.perform(
            request["channel"], request["action"], request.get("values"), times=int(request.get("times", 1))
        )
        return [{"status": each.status, "body": each.body.decode(errors="replace")} for each in answers]

    def stop(self, _: dict[str, Any]) -> dict[str, Any]:
        """Save and end."""
        self.stopping.set()
        return {"stopping": True}


class _Control(ThreadingHTTPServer):
    daemon_threads = True
    daemon: Daemon


class _Handler(BaseHTTPRequestHandler):
    server: _Control

    def do_GET(self) -> None:
        """Look."""
        self._act({})

    def do_DELETE(self) -> None:
        """Take back."""
        self._act({})

    def do_POST(self) -> None:
        """Act; JSON only, so that no web page can post here unasked."""
        if self.headers.get("content-type", "").partition(";")[0] != "application/json":
            self._answer(415, {"error": "send application/json"})
            return
        self._act(json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or b"{}"))

    def _act(self, request: dict[str, Any]) -> None:
        action = self.server.daemon.actions.get((self.command, self.path))
        if action is None:
            self._answer(404, {"error": f"no {self.command} {self.path}"})
            return
        try:
            self._answer(200, action(request))
        except (ValueError, TypeError, KeyError) as error:
            self._answer(400, {"error": str(error)})
        except LocalError as error:
            self._answer(500, {"error": error.what, "advice": error.advice})

    def _answer(self, status: int, content: Any) -> None:
        payload = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the name is http.server's
        """Nothing to log."""


def serve(cloud: LocalCloud) -> None:
    """Keep the cloud running until it is asked to stop."""
    daemon = Daemon(cloud)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: daemon.stopping.set())
    if not cloud.clock.running:
        cloud.clock.run_from(cloud.clock.now())
    control = _Control(("127.0.0.1", 0), _Handler)
    control.daemon = daemon
    threading.Thread(target=control.serve_forever, daemon=True).start()
    found = {
        **cloud.access.to_dict(),
        "control_url": f"http://127.0.0.1:{control.server_address[1]}",
        "providers_url": cloud.providers.url,
        "pid": os.getpid(),
        "emulator_pid": cloud.emulator.pid,
        "log": str(cloud.emulator.log),
        "messages": str(daemon.messages),
        "notes": cloud.notes,
    }
    write_atomically(place().access, json.dumps(found, indent=2) + "\n")
    while not daemon.stopping.wait(TICK_SECONDS):
        if cloud.emulator.pid is None:
            _say("the embedded cloud ended; starting it again")
            cloud.start_emulator()
        try:
            daemon.tick()
        except LocalError as problem:  # looked at again in a second
            _say(str(problem))
    control.shutdown()
    with suppress(LocalError):  # what is still under way is taken up at the next start
        cloud.time.settle(within=SETTLE_SECONDS)


def main() -> int:
    """Run until stopped; progress goes to standard output, one line each."""
    here = place()
    here.folder.mkdir(parents=True, exist_ok=True)
    with here.lock.open("w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            with LocalCloud(
                here.folder, start=real_now(), runs=True, keeps_state=True, delivery_events=True, progress=_say
            ) as cloud:
                serve(cloud)
        except LocalError as error:
            sys.stderr.write(f"error: {error}\n")
            return 1
        finally:
            here.access.unlink(missing_ok=True)
    return 0


def _say(step: str) -> None:
    sys.stdout.write(f"{STEP}{step}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
