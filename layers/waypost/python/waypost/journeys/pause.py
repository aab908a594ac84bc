"""A visit to a Pause as stored with its enrolment. Used by parking and resuming."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, assert_never, get_args

from waypost.codec import JsonForm

TimeEnd = Literal["elapsed", "past", "no_date"]
"""How time ends a Pause: its time has come, it lay in the past already, or there is no date to count from."""
TIME_ENDS: Final = get_args(TimeEnd)

PauseEnd = Literal["elapsed", "past", "no_date", "event", "left"]

WayOut = Literal["over", "GoalReached", "JourneyExited"]
"""How a journey goes on from a Pause: behind it, or where one of these errors is caught."""


def time_outcome(end: TimeEnd) -> dict[str, Any]:
    """What a Pause tells the journey when time ended it."""
    return {"outcome": end}


@dataclass(frozen=True, slots=True)
class Pause(JsonForm):
    """One visit to a Pause state: where a contact stands, or where its running hop came from.

    ``spec`` is the payload's ``for`` or ``until``; ``waits_for`` its ``or`` (``{event, where?}``). ``row`` is what the next
    hop needs to go on here: ``{at, input, variables}``, and ``nothing_behind``, the ways out that need no hop. ``end`` says how it ended, if it has; ``result`` is then what the
    task answers, or ``{error, cause}`` when the journey is being left. ``lived_due_at`` is ``due_at`` in the time of a journey that
    a test contact lives faster.
    """

    pause_id: str
    state: str
    occurrence: int
    spec: Mapping[str, Any]
    due_at: datetime
    parked_at: datetime
    row: Mapping[str, Any]
    waits_for: Mapping[str, Any] | None = None
    end: PauseEnd | None = None
    result: Mapping[str, Any] | None = None
    ended_at: datetime | None = None
    lived_due_at: datetime | None = None

    @property
    def event_id(self) -> str:
        """The event that ended it, or ""."""
        return str(self.result["event"]["id"]) if self.end == "event" and self.result is not None else ""

    def is_last(self, way: WayOut) -> bool:
        """Whether nothing is left to do in the journey once it goes on this way."""
        return way in self.row.get("nothing_behind", ())

    def answer(self) -> dict[str, Any]:
        """What the task answers to the hop that holds the enrolment."""
        match self.end:
            case None:
                return {"status": "parked"}
            case "elapsed" | "past" | "no_date" | "event":
                return {"status": "over", "result": dict(self.result or {})}
            case "left":
                return {"status": "left", **(self.result or {})}
            case _:
                assert_never(self.end)
