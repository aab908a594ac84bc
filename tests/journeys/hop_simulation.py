"""Runs everything that may touch an enrolment at the same time, in an order that a seed chooses; used by test_hop_simulation.

Hops, timers, the router and the sweep are threads of which one moves at a time, from one call of a port to the next. In
between the seed loses and doubles starts, doubles, delays and loses timers, delivers events again, lets functions and whole
executions die, and lets time pass.
"""

import random
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from tests.fakes.changes import FakeChanges
from tests.fakes.effects import Crash
from tests.fakes.published_journeys import JOURNEY, published
from tests.fakes.schedules import Booking
from tests.fakes.world import World, event, execution_arn, redelivered
from waypost.assembly import assemble
from waypost.clock import parse_instant
from waypost.errors import HopSuperseded, RetryableError
from waypost.events.envelope import Event
from waypost.journeys.changes.apply_change import ApplyChange
from waypost.journeys.changes.change import Act, Change
from waypost.journeys.changes.undo_change import UndoChange
from waypost.journeys.enrolment import Enrolment, Move
from waypost.journeys.machine_versions import journey_and_version
from waypost.sending.request import SendRequest

START: Final = parse_instant("2027-03-01T10:00:00+08:00")
READER, CUSTOMER = {"email": "lin@example.com"}, {"user_id": "u-1"}
DAY_3, ANSWER, LAST = "Until day 3 at ten", "Until day 5 or an answer", "Three hours"
RENAMED, NEW = "Three more hours", "version-2"
PAUSES: Final[Mapping[str, dict[str, Any]]] = {
    DAY_3: {"until": {"day": 3, "at": "10:00"}},
    ANSWER: {"until": {"day": 5, "at": "10:00"}, "or": {"event": "survey_answered"}},
    LAST: {"for": "3h"},
    RENAMED: {"for": "3h"},
}
MESSAGES: Final[Mapping[str, str]] = {
    "Welcome": "welcome",
    "Survey": "survey",
    "Survey, shorter": "survey",
    "For the answer": "reminder",
    "Without an answer": "reminder",
    "At the end": "reminder",
    "After leaving": "order_confirmation",
}
AFTER: Final[Mapping[str, Sequence[str]]] = {
    "": ["Welcome", DAY_3],
    DAY_3: ["Survey", ANSWER],
    f"{ANSWER}/event": ["For the answer", LAST],
    f"{ANSWER}/elapsed": ["Without an answer", LAST],
    LAST: ["At the end"],
    "left": ["After leaving"],
}
"""What comes after the start, after each Pause and after leaving."""
AFTER_THE_CHANGE: Final[Mapping[str, Sequence[str]]] = {
    "": ["Welcome", DAY_3],
    DAY_3: ["Survey, shorter", ANSWER],
    f"{ANSWER}/event": ["For the answer", RENAMED],
    f"{ANSWER}/elapsed": ["Without an answer", RENAMED],
    RENAMED: ["At the end"],
    "left": ["After leaving"],
}
"""The same in the version that a change deploys."""
GRAPHS: Final = {"": AFTER, NEW: AFTER_THE_CHANGE}
Graphs = Mapping[str, Mapping[str, Sequence[str]]]


LONGEST_CALL: Final = timedelta(minutes=15)
"""Of a function, and more than an Express execution lasts: what stands still for longer is gone."""


class Killed(BaseException):
    """The execution or the machine under it is gone; nothing tries again."""


@dataclass(frozen=True)
class Chances:
    """How often things go wrong, each of 1."""

    lost_start: float = 0.05
    doubled_start: float = 0.15
    lost_timer: float = 0.05
    doubled_timer: float = 0.15
    late_timer: float = 0.15
    repeated_event: float = 0.2
    old_glance: float = 0.2
    function_dies: float = 0.01
    execution_dies: float = 0.01
    time_passes: float = 0.01
    changed: float = 0.6
    undone: float = 0.2


class Simulation:
    """One contact's journey under one seed. ``log`` has every step that counts, in order."""

    def __init__(self, seed: int, chances: Chances = Chances()) -> None:
        self.random = random.Random(seed)  # noqa: S311 - a test that must be repeatable
        self.chances = chances
        self.world = World(published=published())
        self.world.clock.now = START
        self.log: list[tuple[str, Any]] = []
        self.threads: list[_Thread] = []
        self.starts: dict[str, int] = {}
        self.routed_at: dict[str, datetime] = {}
        self.calm = False
        self.happenings = self._events()
        self.changes = FakeChanges(self.world.effects)
        self.change = self._change() if self._chance(chances.changed) else None
        self.changed_at = START + timedelta(minutes=self.random.randint(0, 7200))
        self.lanes: dict[str, list[Event]] = {"reader": [], "customer": [], "own": []}
        self.heard: set[str] = set()
        self.graphs = self._graphs()
        self.world.contacts.between = self.turn
        self.world.enrolments.between = self.turn
        for name in ("contacts", "history", "bus", "queue", "ledger", "schedules", "email", "sms"):
            setattr(self.world, name, _Turns(getattr(self.world, name), self))
        self.changes = _Turns(self.changes, self)  # type: ignore[assignment]
        self.enrolments = self.world.enrolments
        self.world.enrolments = _Rows(self.enrolments, self)  # type: ignore[assignment]
        self.world.machines = _Starts(self.world.machines, self)  # type: ignore[assignment]

    def run(self) -> None:
        """Until every journey has ended and nothing is left to come."""
        for _ in range(20_000):
            if not self._move():
                self.calm = self.calm or not self.happenings
                if self._is_over():
                    return
                self._pass_time()
            elif self._chance(self.chances.time_passes):
                self._pass_time()
        raise AssertionError(f"this never ends: {[each.name for each in self.threads]}")

    # What moves.

    def turn(self) -> None:
        """Called by a thread before each call of a port."""
        thread = threading.current_thread()
        if isinstance(thread, _Thread):
            thread.pause()

    def chance_to_die(self, thread: "_Thread") -> BaseException | None:
        stood_still, thread.moved_at = self.world.clock.now - thread.moved_at, self.world.clock.now
        if stood_still > LONGEST_CALL:
            return Killed(thread.name)
        if self._chance(self.chances.execution_dies):
            return Killed(thread.name)
        return Crash(thread.name) if self._chance(self.chances.function_dies) else None

    def start_hop(self, machine: str, name: str, given: dict[str, Any]) -> None:
        double = self.starts[name] = self.starts.get(name, -1) + 1
        self._begin(f"{name}/{double}", lambda: Walk(self, machine, given, double).run())

    def _begin(self, name: str, act: Callable[[], object], then: Callable[[bool], None] = lambda _: None) -> None:
        self.threads.append(_Thread(name, act, then, self))

    def _chance(self, of_one: float) -> bool:
        return not self.calm and self.random.random() < of_one

    def _move(self) -> bool:
        """Let one thread, chosen by chance, come to its next call; False when there is none."""
        self._listen()
        if not self.threads:
            return False
        thread = self.random.choice(self.threads)
        if thread.move():
            self.threads.remove(thread)
        return True

    def _listen(self) -> None:
        """Route the next event of each lane: in order within a lane, side by side across lanes."""
        for emitted in list(self.world.queue.events.values()):
            if emitted.id not in self.heard:
                self.heard.add(emitted.id)
                self.lanes["own"].append(emitted)
        routing = {thread.name for thread in self.threads}
        for lane, waiting in self.lanes.items():
            if waiting and f"route {lane}" not in routing:
                self._route(lane, waiting[0])

    def _route(self, lane: str, happening: Event) -> None:
        def act() -> None:
            self.log.append(("routing", happening))
            self.world.route_events.route(happening)
            self.routed_at.setdefault(happening.id, self.world.clock.now)
            self.log.append(("routed", happening))

        def then(done: bool) -> None:
            if done and not self._chance(self.chances.repeated_event):
                self.lanes[lane].pop(0)

        self._begin(f"route {lane}", act, then)

    def _pass_time(self) -> None:
        """Go to whatever comes next; when nothing does, an hour on, and the sweep comes."""
        booking = self.world.schedules.next_due()
        times = [each for each in ((booking.at if booking else None), self._next_happening()) if each is not None]
        now = self.world.clock.now
        self.world.clock.set(max(now, min(times)) if times else now + timedelta(hours=1))
        while self.happenings and self.happenings[0][0] <= self.world.clock.now:
            _, lane, happening = self.happenings.pop(0)
            self.lanes[lane].append(happening)
        if booking is not None and booking.at <= self.world.clock.now:
            self._fire(booking)
        if not times or self.random.random() < 0.2:
            self._begin("sweep", self._sweep)
        if self.change is not None and self.world.clock.now >= self.changed_at:
            self._change_the_journey(self.change)

    def _change_the_journey(self, change: Change) -> None:
        """Apply the change until it is done, sometimes twice at once; undo it, sometimes."""
        known = self.changes.load(change.id)
        if known is not None and known.undone_at is None and self._chance(self.chances.undone):
            self._begin("undo", lambda: self._undoer().undo(known, by="ops"))
        elif known is None or known.is_open:
            for _ in range(self.random.choice([1, 1, 2])):
                self._begin("change", lambda: self._applier().apply([known or change], progress=lambda _: None))

    def _applier(self) -> ApplyChange:
        return assemble.apply_change(self.world.ports, changes=self.changes, wait=lambda: self.random.random() < 0.5)

    def _undoer(self) -> UndoChange:
        return assemble.undo_change(self.world.ports, changes=self.changes, progress=lambda _: None)

    def _change(self) -> Change:
        """The policy for contacts at each Pause, by chance; some Pauses get none."""
        stop, stay = Act("stop", reason="over"), Act("stay")
        possible = {
            DAY_3: [Act("follow", to=DAY_3), stay, stop, None],
            ANSWER: [Act("follow", to=ANSWER), Act("move", to=RENAMED, visit="1"), stay, stop, None],
            LAST: [Act("move", to=RENAMED, visit="1"), stay, stop, None],
        }
        chosen = {state: self.random.choice(acts) for state, acts in possible.items()}
        acts = {"": {state: act for state, act in chosen.items() if act is not None}}
        return Change("change", JOURNEY, NEW, acts, "ops", START)

    def _graphs(self) -> Graphs:
        """Both versions of the journey; in some, nothing is left to do behind the last Pause, or once the contact has left."""
        found = dict[str, Mapping[str, Sequence[str]]]()
        for version, graph in GRAPHS.items():
            places = [RENAMED if version else LAST, "left"]
            found[version] = {**graph, **{place: [] for place in places if self.random.random() < 0.5}}
        return found

    def _sweep(self) -> None:
        try:
            self.world.sweep_journeys.sweep()
        except RetryableError:
            return

    def _fire(self, booking: Booking) -> None:
        if self._chance(self.chances.late_timer):
            late = replace(booking, at=booking.at + timedelta(minutes=self.random.randint(1, 200)))
            self.world.schedules.booked[booking.name] = late
            return
        self.world.schedules.take(booking)
        if self._chance(self.chances.lost_timer) and booking.function == "resume_journey":
            return
        for _ in range(2 if self._chance(self.chances.doubled_timer) else 1):
            self._call(booking)

    def _call(self, booking: Booking) -> None:
        """A deferred message is tried until it goes, or is kept in the dead letters; a timer that dies is the sweep's."""

        def then(done: bool) -> None:
            if not done and booking.function == "send_deferred":
                self._call(booking)

        self._begin(f"timer {booking.name}", lambda: redelivered(lambda: self.world.call(booking)), then)

    def _next_happening(self) -> datetime | None:
        return self.happenings[0][0] if self.happenings else None

    def _is_over(self) -> bool:
        waiting = any(self.lanes.values()) or len(self.world.schedules) or self.happenings
        claimed = any(row.state == "claimed" for row in self.world.ledger)
        begun = any(change.is_open for change in self.changes.recent())
        return not waiting and not claimed and not begun and all(each.status == "ended" for each in self.enrolments)

    def _events(self) -> list[tuple[datetime, str, Event]]:
        """The contact signs up; what else happens, and when, is chance."""
        chance = self.random
        profile = {"email": "lin@example.com", "phone": "+8613800000001", "name": "Lin", "locale": "en"}
        profile["consent"] = {"email": True, "sms": True}  # type: ignore[assignment]
        found = [(START, "reader", event("registered", START, contact=READER, profile=profile, coupon="GLOW15"))]
        due = [START + timedelta(days=2), START + timedelta(days=4), START + timedelta(days=4, hours=3)]

        def at() -> datetime:
            near = chance.choice([START, *due]) + timedelta(seconds=chance.choice([0, 0, 1, 30, 90]))
            return near if chance.random() < 0.6 else START + timedelta(minutes=chance.randint(0, 7200))

        def add(kind: str, lane: str, **properties: Any) -> None:
            when, contact = at(), READER if lane == "reader" else CUSTOMER
            number = len(found)
            found.append((when, lane, event(kind, when, f"e-{number}-{kind}", contact=contact, **properties)))

        for _ in range(chance.randint(0, 3)):
            add("survey_answered", chance.choice(["reader", "reader", "customer"]), interest="beauty")
        if chance.random() < 0.3:
            add("order_placed", chance.choice(["reader", "customer"]), coupon="GLOW15")
        if chance.random() < 0.2:
            add("left_us", "reader")
        for _ in range(chance.choice([0, 0, 1, 2])):
            where = {"timezone": chance.choice(["America/New_York", "Asia/Kathmandu", "Asia/Shanghai"])}
            when = at()
            found.append(
                (when, "reader", event("identified", when, f"e-{len(found)}-moved", contact=READER, profile=where))
            )
        if chance.random() < 0.5:
            when = at()
            found.append((when, "customer", event("identified", when, "e-both", contact={**READER, **CUSTOMER})))
        return sorted(found, key=lambda each: (each[0], each[2].id != found[0][2].id))


class Walk:
    """One execution of a hop: what Step Functions does with the compiled machine of the journey above."""

    def __init__(self, simulation: Simulation, machine: str, given: dict[str, Any], double: int) -> None:
        self.simulation, self.world = simulation, simulation.world
        self._given = given
        self._after = simulation.graphs[journey_and_version(machine)[1]]
        self._execution = execution_arn(machine, given["hop"]["id"], double)

    def run(self) -> None:
        """Walk from where the hop begins to where it parks, is superseded or ends."""
        try:
            self._walk(self._given["hop"].get("at"))
        except (HopSuperseded, RetryableError):
            return  # another hop walks; or the standard Retry was not enough and the sweep gives the hop out again

    def _walk(self, at: str | None) -> None:
        answer = self._ask(at, PAUSES[at]) if at else self._ask("Begin", {"begin": True})
        place = at or ""
        while answer["status"] != "parked":
            states = self._after[self._way(place, answer)]
            for state in states:
                if state in PAUSES:
                    place, answer = state, self._ask(state, PAUSES[state])
                    break
                self._send(state, after_exit=answer["status"] == "left")
            else:
                self._close()
                return

    def _way(self, place: str, answer: Mapping[str, Any]) -> str:
        if answer["status"] == "left":
            return "left"
        return f"{place}/{answer['result']['outcome']}" if place == ANSWER else place

    def _payload(self, state: str, **payload: Any) -> dict[str, Any]:
        context = {"Execution": {"Id": self._execution, "Input": self._given}, "State": {"Name": state}}
        return {**payload, "context": context}

    def _ask(self, state: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        row = {"at": state, "input": {}, "variables": {}, "nothing_behind": self._nothing_behind(state)}
        answer = redelivered(lambda: self.world.pause_journey.ask(self._payload(state, **{"row": row, **payload})))
        if answer["status"] != "parked":
            self.simulation.log.append(("answered", (state, self._execution, answer)))
        return answer

    def _nothing_behind(self, state: str) -> list[str]:
        """What the compiler says of the Pause."""
        ways = {state: ["over"], "left": ["GoalReached", "JourneyExited"]}
        return [way for place, found in ways.items() if self._after.get(place) == [] for way in found]

    def _send(self, state: str, *, after_exit: bool) -> None:
        more = {"after_exit": True} if after_exit else {}
        request = SendRequest.from_payload(self._payload(state, message=MESSAGES[state], fails_hop=True, **more))
        result = redelivered(lambda: self.world.send_message.send(request))
        self.simulation.log.append(("sent", (state, self._execution, result.outcome)))

    def _close(self) -> None:
        redelivered(lambda: self.world.close_enrolment.close(self._payload("Close", outcome="completed")))


class _Thread(threading.Thread):
    """Moves one step at a time, up to its next call of a port."""

    def __init__(self, name: str, act: Callable[[], object], then: Callable[[bool], None], around: Simulation) -> None:
        super().__init__(name=name, daemon=True)
        self._act, self._then, self._around = act, then, around
        self._go, self._stopped = threading.Semaphore(0), threading.Semaphore(0)
        self._over = self._done = False
        self._dies: BaseException | None = None
        self._failure: BaseException | None = None
        self.moved_at = around.world.clock.now

    def move(self) -> bool:
        """True when it has come to its end."""
        if not self.is_alive() and not self._over:
            self.moved_at = self._around.world.clock.now
            self.start()
        else:
            self._dies = self._around.chance_to_die(self)
        self._go.release()
        self._stopped.acquire()
        if self._over:
            self.join()
            if self._failure is not None:
                raise self._failure
            self._then(self._done)
        return self._over

    def pause(self) -> None:
        self._stopped.release()
        self._go.acquire()
        if self._dies is not None:
            dies, self._dies = self._dies, None
            raise dies

    def run(self) -> None:
        self._go.acquire()
        try:
            self._act()
            self._done = True
        except (Crash, Killed, RetryableError):
            pass
        except BaseException as failure:  # noqa: BLE001 - the simulation raises it
            self._failure = failure
        self._over = True
        self._stopped.release()


@dataclass
class _Turns:
    """A port of which every call waits for its turn."""

    port: Any
    around: Simulation

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.port, name)
        if not callable(found):
            return found

        def in_turn(*args: Any, **kwargs: Any) -> Any:
            self.around.turn()
            return found(*args, **kwargs)

        return in_turn

    def __setattr__(self, name: str, value: Any) -> None:
        if name in {"port", "around"}:
            object.__setattr__(self, name, value)
        else:
            setattr(self.port, name, value)

    def __iter__(self) -> Any:
        return iter(self.port)

    def __len__(self) -> int:
        return len(self.port)

    def __contains__(self, name: object) -> bool:
        return name in self.port


@dataclass
class _Rows(_Turns):
    """The enrolments; what is written is logged, and a glance may come too early to see it."""

    before: dict[str, tuple[datetime, Enrolment | None]] = field(default_factory=dict)

    def glance(self, contact_id: str, enrolment_id: str) -> Enrolment | None:
        around = self.around
        around.turn()
        written_at, before = self.before.get(enrolment_id, (None, None))
        chance = around.chances.old_glance if written_at == around.world.clock.now else 0.0
        if chance and around._chance(chance):
            return before
        found: Enrolment | None = self.port.glance(contact_id, enrolment_id)
        return found

    def save(self, enrolment: Enrolment) -> bool:
        self.around.turn()
        before = self.port.glance(enrolment.contact_id, enrolment.enrolment_id)
        saved = bool(self.port.save(enrolment))
        if saved:
            self.before[enrolment.enrolment_id] = (self.around.world.clock.now, before)
            self.around.log.append(("saved", enrolment))
        return saved

    def end(self, enrolment: Enrolment) -> bool:
        self.around.turn()
        ended = bool(self.port.end(enrolment))
        if ended:
            self.around.log.append(("ended", enrolment))
        return ended


@dataclass
class _Starts(_Turns):
    """The machines: a start may get lost, or be done twice."""

    names: set[str] = field(default_factory=set)

    def start(self, journey: str, name: str, execution_input: Mapping[str, Any]) -> None:
        around = self.around
        around.turn()
        self.port.start(journey, name, execution_input)
        if around._chance(around.chances.lost_start):
            return
        for _ in range(2 if around._chance(around.chances.doubled_start) else 1):
            around.start_hop(journey, name, dict(execution_input))


def check(simulation: Simulation) -> None:
    """Nothing is lost, nothing is sent twice, and there are never two walkers. Raises AssertionError."""
    world, log = simulation.world, simulation.log
    if not len(simulation.enrolments):
        _check_that_it_was_over_before(simulation)
        return
    (enrolment,) = simulation.enrolments
    assert enrolment.status == "ended"
    ends = {past.state: past.end for past in enrolment.trail}
    assert len(ends) == len(enrolment.trail), "a Pause was passed twice"
    path = _path(simulation.graphs, ends, enrolment.moves) if enrolment.failure is None else None
    answers: dict[str, Any] = {}
    for kind, what in log:
        if kind == "answered":
            state, _, answer = what
            assert answers.setdefault(state, answer) == answer, f"{state} was answered in two ways"
    for row in world.ledger:
        key, state = row.message_key, row.occasion.label
        calls = world.email.risky_calls(key) + world.sms.risky_calls(key)
        assert calls <= 1, f"{state} was sent twice"
        assert row.state not in {"claimed", "deferred"}, f"{state} is still open"
        if path is not None:
            assert state in path, f"{state} is on no way through {ends}"
    if path is not None:
        decided = {row.occasion.label for row in world.ledger}
        assert decided == {state for state in path if state in MESSAGES}, "a message got lost"
        assert enrolment.outcome in {"completed", "goal", "exited", "stopped"}
    _check_walkers(log)
    _check_that_events_counted(simulation, enrolment)


def _check_that_it_was_over_before(simulation: Simulation) -> None:
    """The trigger was routed so late that a goal or an exit was routed before it."""
    ended = {what.id for kind, what in simulation.log if kind == "routed" and what.type in {"order_placed", "left_us"}}
    decided = [each for decisions in simulation.world.history.routed.values() for each in decisions]
    assert ended
    assert [each["reason"] for each in decided] == ["over_before_entry"]


def _path(graphs: Graphs, ends: Mapping[str, str], moves: Sequence[Move]) -> list[str]:
    """The states that a contact passes whose Pauses ended so, and which a change took along in between."""
    path, place, version, left = list[str](), "", "", list(moves)
    while True:
        steps = graphs[version][place]
        path += steps
        if not steps or steps[-1] not in PAUSES:
            return path
        waits = path[-1]
        while left and (left[0].from_version, left[0].from_state) == (version, waits):
            move = left.pop(0)
            version, waits = move.to_version, move.to_state
            path.append(waits)
        if waits not in ends:
            return path  # stopped here
        end = ends[waits]
        place = "left" if end == "left" else f"{ANSWER}/{end}" if waits == ANSWER else waits


def _check_walkers(log: Sequence[tuple[str, Any]]) -> None:
    """A Pause lets an execution go on only while that holds the row; only the last holder ends the journey, or what ends a last Pause."""
    holder, waits = "", False
    for kind, what in log:
        if kind == "saved":
            holder, waits = what.hop.taken_by, what.position == "parked"
        elif kind == "ended" and what.failure is None:
            by_nobody = waits and not what.hop.taken_by and what.outcome != "stopped"
            assert by_nobody or what.hop.taken_by == holder, "a walker that does not hold the row ended the journey"
    taken = [(what.hop.id, what.hop.taken_by) for kind, what in log if kind == "saved" and what.hop.taken_by]
    assert len({hop for hop, _ in taken}) == len(set(taken)), "a hop was taken by two executions"


def _is_behind(enrolment: Enrolment, state: str) -> bool:
    return any(past.state == state for past in enrolment.trail)


def _check_that_events_counted(simulation: Simulation, enrolment: Enrolment) -> None:
    """What was routed to its end before the journey ended, or before its Pause did, had its effect."""
    log = simulation.log
    moved = [what.profile["timezone"] for kind, what in log if kind == "routing" and "timezone" in what.profile]
    # The journey began on 28 February in New York, so that its fifth day at ten is over there thirteen hours into the fourth day here.
    due = START + (timedelta(days=3, hours=13) if "America/New_York" in moved else timedelta(days=4))
    steps = [(step, kind, what) for step, (kind, what) in enumerate(log)]
    routed = {what.id: step for step, kind, what in reversed(steps) if kind == "routed"}
    ended = next(step for step, kind, _ in steps if kind == "ended")
    awaited, over = (
        next((step for step, kind, what in steps if kind == "saved" and _is_behind(what, state)), ended)
        for state in (DAY_3, ANSWER)
    )
    began = {what.id: (step, what) for step, kind, what in reversed(steps) if kind == "routing"}
    for step, happening in began.values():
        if happening.contact != READER or happening.id not in routed:
            continue
        if happening.type in {"left_us", "order_placed"} and routed[happening.id] < ended:
            assert enrolment.left_on is not None, f"{happening.id} did not end the journey"
        in_time = simulation.routed_at[happening.id] <= due
        counts = in_time and awaited < step and routed[happening.id] < min(over, ended)
        if happening.type == "survey_answered" and counts:
            assert [past.end for past in enrolment.trail if past.state == ANSWER] in (["event"], ["left"], []), (
                f"{happening.id} did not end the Pause"
            )
