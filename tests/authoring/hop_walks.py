"""Plays a journey in both its forms, as authored and as hops, with the same answers of its tasks; used by test_hops."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.authoring.state_machine import Run, StateError

INTERESTS = ("beauty", "home", "digital", "garden", None)
ENROLMENT = {"contact_id": "c-1", "enrolment_id": "e-1", "enrolled_at": "2027-03-01T02:00:00.000Z"}

Option = dict[str, Any]
Trail = list[tuple[str, str]]


class Undecided(Exception):
    """A walk came to a task that its script says nothing about; it has ``options`` answers."""

    def __init__(self, options: int) -> None:
        super().__init__(options)
        self.options = options


@dataclass
class Script:
    """Which of its possible answers each task gives, in the order in which they are asked; numbers too large wrap around."""

    choices: Sequence[int]
    asked: int = 0

    def choose(self, options: Sequence[Option]) -> Option:
        """The answer of the next task."""
        at, self.asked = self.asked, self.asked + 1
        if at == len(self.choices):
            raise Undecided(len(options))
        return options[self.choices[at] % len(options)]


@dataclass(frozen=True)
class Walk:
    """What a walk passed (names and payloads of tasks), how it ended, and in how many executions."""

    trail: Trail
    end: str
    executions: int = field(default=1, compare=False)


def options_of(function: str, payload: Mapping[str, Any]) -> list[Option]:
    """What a task may answer: a result or an error."""
    match function:
        case "${PauseJourney}":
            found: list[Option] = [{"result": {"outcome": "elapsed"}}]
            if "or" in payload:
                events = ({"interest": name, "shelf": name} if name else {} for name in INTERESTS)
                found += [{"result": {"outcome": "event", "event": {"properties": each}}} for each in events]
            return [*found, {"error": "GoalReached"}, {"error": "JourneyExited"}, {"error": "EnrolmentNotFound"}]
        case "${SendMessage}":
            sent = [{"result": {"Payload": {"outcome": outcome}}} for outcome in ("sent", "skipped")]
            return [*sent, {"error": "UnknownMessage"}]
        case "${EvaluateSegment}":
            return [{"result": {"Payload": {"member": member}}} for member in (True, False)]
        case _:
            return [{"result": {"Payload": {"changed": True}}}, {"error": "ContactNotFound"}]


def as_authored(definition: Mapping[str, Any], script: Script) -> Walk:
    """The walk through the definition as one long execution."""
    trail: Trail = []

    def task(name: str, arguments: Mapping[str, Any]) -> Any:
        return _given(script.choose(_asked(trail, name, arguments)))

    return Walk(trail, _end(Run(task, ENROLMENT), definition))


def as_hops(
    machine: Mapping[str, Any],
    script: Script,
    *,
    early: Callable[[int], bool] = lambda _: False,
    spurious: Callable[[int], int] = lambda _: 0,
) -> Walk:
    """The walk through the machine of hops, an execution each.

    ``early(n)``: the n-th Pause is over when it is asked first. ``spurious(n)``: so many hops are started at the n-th
    Pause before it is over.
    """
    contact = _Contact(script, early)
    row: dict[str, Any] | None = None
    executions = 0
    while True:
        executions += 1
        end, parked = contact.hop(machine, row)
        if parked is None:
            assert contact.closed == [end], "a journey closes its enrolment once, as it ends"
            return Walk(contact.trail, end, executions)
        assert contact.closed == []
        assert end == "SUCCEEDED"
        row, pause = json.loads(json.dumps(parked)), contact.waiting
        for _ in range(spurious(pause.number)):
            known = list(contact.trail)
            executions += 1
            again = contact.hop(machine, row)
            assert again == ("SUCCEEDED", row), "a hop that came too early must park again at the same place"
            assert contact.trail == known, "a hop that came too early must do nothing"
        pause.over = True


@dataclass
class _Pause:
    number: int
    option: Option
    over: bool


@dataclass
class _Contact:
    """A contact on its way: its pauses as rows, and where it is parked."""

    script: Script
    early: Callable[[int], bool]
    trail: Trail = field(default_factory=list)
    pauses: dict[str, _Pause] = field(default_factory=dict)
    parked: dict[str, Any] | None = None
    begun: bool = False
    closed: list[str] = field(default_factory=list)
    nothing_left: bool = False
    waiting: _Pause = field(init=False)

    def hop(self, machine: Mapping[str, Any], row: Mapping[str, Any] | None) -> tuple[str, dict[str, Any] | None]:
        """Run one hop; how it ended, and the row of the next one if the contact is parked."""
        self.parked = None
        execution_input = ENROLMENT if row is None else {**ENROLMENT, "hop": row}
        return _end(Run(self.task, execution_input), machine), self.parked

    def task(self, name: str, arguments: Mapping[str, Any]) -> Any:
        payload = arguments["Payload"]
        assert not self.nothing_left or payload.get("outcome") == "completed", "the row says that nothing is left to do"
        if arguments["FunctionName"] == "${CloseEnrolment}":
            self.closed.append("SUCCEEDED" if payload["outcome"] == "completed" else f"FAILED {payload['error']}")
            return {"Payload": {"closed": True}}
        if payload.get("begin"):
            assert not self.begun, "a hop that resumes does not begin"
            self.begun = True
            return {"Payload": {"status": "over"}}
        if arguments["FunctionName"] != "${PauseJourney}":
            return _given(self.script.choose(_asked(self.trail, name, arguments)))
        key = f"{name}/{arguments['Payload'].get('occurrence', 1)}"
        if key not in self.pauses:
            option = self.script.choose(_asked(self.trail, name, arguments))
            number = len(self.pauses)
            self.pauses[key] = _Pause(number, option, over=self.early(number))
        pause = self.pauses[key]
        if pause.option.get("error") == "EnrolmentNotFound":
            raise StateError("EnrolmentNotFound", "because")
        if not pause.over:
            self.parked, self.waiting = arguments["Payload"]["row"], pause
            return {"Payload": {"status": "parked"}}
        self.nothing_left = pause.option.get("error", "over") in payload["row"].get("nothing_behind", ())
        if "error" in pause.option:
            return {"Payload": {"status": "left", "error": pause.option["error"], "cause": "because"}}
        return {"Payload": {"status": "over", "result": pause.option["result"]}}


def _asked(trail: Trail, name: str, arguments: Mapping[str, Any]) -> list[Option]:
    payload = {key: value for key, value in arguments["Payload"].items() if key not in {"context", "row"}}
    trail.append((name, json.dumps(payload, sort_keys=True)))
    return options_of(arguments["FunctionName"], payload)


def _given(option: Option) -> Any:
    if "error" in option:
        raise StateError(option["error"], "because")
    return option["result"]


def _end(run: Run, machine: Mapping[str, Any]) -> str:
    try:
        run.run(machine)
    except StateError as error:
        return f"FAILED {error.name}"
    return "SUCCEEDED"


def every_script(definition: Mapping[str, Any], *, most: int) -> Iterator[tuple[int, ...]]:
    """The script of every path through a definition without loops."""
    waiting: list[tuple[int, ...]] = [()]
    found = 0
    while waiting:
        choices = waiting.pop()
        try:
            as_authored(definition, Script(choices))
        except Undecided as undecided:
            waiting += [(*choices, option) for option in range(undecided.options)]
            continue
        found += 1
        assert found <= most, f"more than {most} paths"
        yield choices
