"""One passage of a contact through a journey, as stored. Used by the engine, the sender's guards and the timeline.

A contact walks a journey in hops: short executions of its machine, each from the start or from a Pause to the next one. The
row says where the contact stands and which hop may walk: the one whose id it names, in the one execution that took it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal, Self

from waypost import ids
from waypost.clock import format_instant
from waypost.codec import JsonForm
from waypost.journeys.machine_versions import machine_name
from waypost.journeys.pause import TIME_ENDS, Pause, PauseEnd
from waypost.journeys.shortened_time import ShortenedTime
from waypost.sending.occasion import HopVisit

EnrolmentStatus = Literal["active", "leaving", "ended"]
"""``leaving``: a goal or exit event has arrived and the body of the journey is being left."""

EnrolmentOutcome = Literal["completed", "goal", "exited", "failed", "stopped"]
"""``stopped``: by an operator, or by the policy of a change of the journey."""

LeavingOutcome = Literal["goal", "exited"]
Position = Literal["running", "parked"]
"""``running``: a hop is given out, and walks or is about to; ``parked``: nothing runs until the Pause is over."""

START: Final = "start"
ONCE: Final = "once"
"""The entry key of a journey that a contact enters once (``re_entry: never``)."""
LONGEST_TRAIL: Final = 200
"""Pauses that the trail remembers; of a longer journey the first ones are forgotten."""
LONGEST_MOVES: Final = 10
"""Moves to another version that a row remembers; the records of the changes have all."""

MoveAct = Literal["follow", "move", "undo"]


@dataclass(frozen=True, slots=True)
class TriggerEvent(JsonForm):
    """The event that started a journey: what a Pause or a goal may be correlated with."""

    id: str
    type: str
    occurred_at: datetime
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hop(JsonForm):
    """The hop that may walk. ``at`` is its last sign of life: when it was given out, or taken by ``taken_by``."""

    id: str
    attempt: int
    at: datetime
    taken_by: str = ""


@dataclass(frozen=True, slots=True)
class PastPause(JsonForm):
    """A Pause that is over, for the timeline; ``awaited`` is the event type it waited for, ``event_id`` what ended it."""

    state: str
    occurrence: int
    parked_at: datetime
    due_at: datetime
    ended_at: datetime
    end: PauseEnd
    awaited: str = ""
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class Failure(JsonForm):
    """Why a journey ended as failed, or what interrupted its hop: the state, the name of its error and the cause.

    What interrupted a hop is forgotten when a later attempt comes to a Pause.
    """

    state: str
    error: str
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Move(JsonForm):
    """A change of the journey has taken the contact from a Pause of one version to a Pause of another."""

    change: str
    act: MoveAct
    at: datetime
    by: str
    from_version: str
    from_state: str
    to_version: str
    to_state: str


@dataclass(frozen=True, slots=True)
class Stopped(JsonForm):
    """Why a journey was ended from outside and by whom; ``change`` is the id of the change of the journey that did it."""

    reason: str
    by: str
    change: str = ""


@dataclass(frozen=True, slots=True)
class Enrolment(JsonForm):
    """A contact in a journey.

    ``anchor_at`` is when the latest deferred message goes out: the next Pause counts from it. ``left_on`` is the event
    that ended the body early. ``pause`` is where the contact stands, or where the running hop came from; None before the
    first one. ``due_at`` is when a timer or the sweep looks at the row. ``machine_version`` names the machine that walks its
    hops; ``version`` is the number that the author gave the journey. ``entered_for`` is a digest of the value of a property for which
    alone re-entry is counted (``re_entry: {per: sku, after: 30d}``). ``splits`` are the branches
    drawn for the contact; one that is ``held_out`` walks as the others do and gets nothing. ``shortened`` is there for a test: its ``anchor_at`` is
    in the time of the journey, all other instants are the clock's. A write succeeds only on the ``revision`` it read.
    """

    enrolment_id: str
    contact_id: str
    journey: str
    version: int
    trigger: TriggerEvent
    enrolled_at: datetime
    hop: Hop
    due_at: datetime
    correlation_id: str = ""
    status: EnrolmentStatus = "active"
    outcome: EnrolmentOutcome | None = None
    anchor_at: datetime | None = None
    left_on: TriggerEvent | None = None
    exclusive_group: str | None = None
    position: Position = "running"
    pause: Pause | None = None
    trail: tuple[PastPause, ...] = ()
    failure: Failure | None = None
    ended_at: datetime | None = None
    machine_version: str = ""
    moves: tuple[Move, ...] = ()
    stopped: Stopped | None = None
    entered_for: str = ""
    splits: Mapping[str, str] = field(default_factory=dict)
    held_out: bool = False
    shortened: ShortenedTime | None = None
    revision: int = 0

    # What holds.

    @property
    def machine(self) -> str:
        """The name of the machine that walks its hops."""
        return machine_name(self.journey, self.machine_version)

    @property
    def occasion(self) -> str:
        """What re-entry is counted for: the journey, or one value of a property in it."""
        return occasion_of(self.journey, self.entered_for)

    @property
    def enters_once(self) -> bool:
        """Whether the contact may never enter the journey again, so that what holds its place need not be freed."""
        return self.enrolment_id == ids.enrolment_id(self.journey, self.contact_id, ONCE)

    @property
    def changed_by(self) -> str:
        """The id of the last change of the journey that moved it, or ""."""
        return self.moves[-1].change if self.moves else ""

    @property
    def is_test(self) -> bool:
        """Whether a test contact lives the journey, which counts in no figure."""
        return self.shortened is not None

    def lived_at(self, now: datetime) -> datetime:
        """What time it is in the journey: the clock's, unless its time is shortened."""
        if self.shortened is None:
            return now
        pause = self.pause if self.position == "parked" else None
        if pause is None or pause.lived_due_at is None:
            return now + self.shortened.ahead
        if now >= pause.due_at:
            return pause.lived_due_at
        lived = pause.parked_at + self.shortened.ahead + (now - pause.parked_at) * self.shortened.pace
        return min(lived, pause.lived_due_at)

    def by_the_clock(self, wait: timedelta) -> timedelta:
        """How long a wait of the journey takes."""
        return wait if self.shortened is None else wait / self.shortened.pace

    def in_its_time(self, pause: Pause) -> Pause:
        """A Pause of it, begun and over in the time of the journey."""
        if self.shortened is None or pause.lived_due_at is None:
            return pause
        return replace(pause, parked_at=pause.parked_at + self.shortened.ahead, due_at=pause.lived_due_at)

    @property
    def pauses_passed(self) -> int:
        """How many Pauses of the trail lie behind the contact."""
        return len(self.trail)

    def held_by(self, visit: HopVisit) -> bool:
        """Whether this execution is the one that may walk."""
        return self.status != "ended" and self.hop.id == visit.hop_id and self.hop.taken_by == visit.execution

    def has_passed(self, state: str, occurrence: int) -> bool:
        """Whether this visit to a Pause is over; a contact that was moved back may pass it again."""
        moved_at = self.moves[-1].at if self.moves else None
        return any(
            (past.state, past.occurrence) == (state, occurrence) and (moved_at is None or past.ended_at > moved_at)
            for past in self.trail
        )

    def spent(self, event_id: str) -> bool:
        """Whether this event has ended a Pause: it ends no other, so that a repeated one does not run through two."""
        return any(pause.event_id == event_id for pause in self.trail)

    @property
    def listens_from(self) -> datetime:
        """From when on events speak to the journey's present Pause: when its last one ended, else when it began."""
        return self.trail[-1].ended_at if self.trail else self.enrolled_at

    @property
    def lies_untaken(self) -> bool:
        """Whether a hop is given out that no execution has taken: its start may have got lost."""
        return self.status != "ended" and self.position == "running" and not self.hop.taken_by

    # What happens to it. Each gives the row as it is after the act.

    def taken(self, visit: HopVisit, at: datetime) -> Self:
        """The execution takes the hop."""
        return replace(self, hop=replace(self.hop, taken_by=visit.execution, at=at))

    def parked(self, pause: Pause) -> Self:
        """The hop that holds the row ends at a Pause."""
        return replace(self, position="parked", pause=pause, due_at=pause.due_at, failure=None)

    def passed(self, pause: Pause) -> Self:
        """The hop that holds the row walks through a Pause that is over at once; from now on it is given out again here."""
        hop = replace(self.hop, attempt=0)
        return replace(
            self, pause=pause, hop=hop, trail=self._with(pause), failure=None, shortened=self._lived_through(pause)
        )

    def resumed(self, end: PauseEnd, result: Mapping[str, Any], at: datetime) -> Self:
        """The Pause of a parked contact is over, and a hop is created that resumes after it."""
        pause = replace(self.stands_at(), end=end, result=dict(result), ended_at=at)
        return replace(
            self,
            position="running",
            pause=pause,
            hop=self._hop(1, at, pause),
            trail=self._with(pause),
            due_at=min(self.due_at, at),
            shortened=self._lived_through(pause),
        )

    def setting_out(self, at: datetime) -> Self:
        """The row as the hop sees it that sets out once the Pause of a parked contact is over by time.

        It is not stored: the hop ends the Pause in the write by which it takes the row.
        """
        return replace(self, hop=self._hop(1, at, self.stands_at()))

    def given_again(self, at: datetime) -> Self:
        """The hop died: another one is given out from the same place, and the dead one, should it still move, is refused."""
        return replace(self, hop=self._hop(self.hop.attempt + 1, at, self.pause), due_at=min(self.due_at, at))

    def postponed(self, due_at: datetime, lived_due_at: datetime | None) -> Self:
        """The Pause of a parked contact ends later."""
        pause = replace(self.stands_at(), due_at=due_at, lived_due_at=lived_due_at)
        return replace(self, pause=pause, due_at=due_at)

    def moved(self, move: Move, pause: Pause, splits: Mapping[str, str]) -> Self:
        """A parked contact stands at a Pause of another version, with the branches it takes there."""
        moves = (*self.moves, move)[-LONGEST_MOVES:]
        return replace(self, machine_version=move.to_version, pause=pause, moves=moves, splits=splits)

    def left(self, outcome: LeavingOutcome, event: TriggerEvent) -> Self:
        """The body of the journey is being left."""
        return replace(self, status="leaving", outcome=outcome, left_on=event)

    def ended(self, outcome: EnrolmentOutcome, at: datetime, failure: Failure | None = None) -> Self:
        """The journey is over for this contact."""
        return replace(self, status="ended", outcome=outcome, ended_at=at, failure=failure)

    def ended_from_outside(self, why: Stopped, at: datetime) -> Self:
        """The journey is stopped for this contact."""
        return replace(self.ended("stopped", at), stopped=why)

    def reopened(self) -> Self:
        """A journey that was stopped goes on where it was."""
        return replace(self, status="active", outcome=None, ended_at=None, stopped=None)

    def stands_at(self) -> Pause:
        """The Pause where it stands, or which its hop comes from. Raises ValueError before the first one."""
        if self.pause is None:
            raise ValueError(f"enrolment {self.enrolment_id} has not come to a Pause")
        return self.pause

    def _hop(self, attempt: int, at: datetime, pause: Pause | None) -> Hop:
        origin = pause.pause_id if pause else START
        if self.moves:  # the contact may have set out from here before it was moved: that hop must not take this one
            origin = f"{origin}@{format_instant(self.moves[-1].at)}"
        return Hop(ids.hop_id(self.enrolment_id, origin, attempt), attempt, at)

    def _lived_through(self, pause: Pause) -> ShortenedTime | None:
        """The time of the journey behind a Pause that is over: when it was due, or where an event has cut it short."""
        if self.shortened is None or pause.ended_at is None:
            return self.shortened
        lived = self.lived_at(pause.ended_at)
        if pause.end in TIME_ENDS and pause.lived_due_at is not None:
            lived = max(lived, pause.lived_due_at)
        return replace(self.shortened, ahead=lived - pause.ended_at)

    def _with(self, pause: Pause) -> tuple[PastPause, ...]:
        if pause.end is None or pause.ended_at is None:
            raise ValueError(f"pause {pause.pause_id} is not over")
        ended = PastPause(
            state=pause.state,
            occurrence=pause.occurrence,
            parked_at=pause.parked_at,
            due_at=pause.due_at,
            ended_at=pause.ended_at,
            end=pause.end,
            awaited=pause.waits_for["event"] if pause.waits_for else "",
            event_id=pause.event_id,
        )
        return (*self.trail, ended)[-LONGEST_TRAIL:]

    def execution_input(self) -> dict[str, Any]:
        """What a hop's execution is started with: ids, times and what the journey carries; the same for the same hop."""
        return {
            "contact_id": self.contact_id,
            "enrolment_id": self.enrolment_id,
            "journey": self.journey,
            "version": self.version,
            "trigger_event_id": self.trigger.id,
            "trigger_event": self.trigger.type,
            "enrolled_at": format_instant(self.enrolled_at),
            "correlation_id": self.correlation_id,
            **({"splits": dict(self.splits)} if self.splits else {}),
            "hop": {"id": self.hop.id, **(self.pause.row if self.pause else {})},
        }


def occasion_of(journey: str, entered_for: str) -> str:
    """What re-entry is counted for: the journey, or the value of a property in it whose digest is ``entered_for``."""
    return f"{journey}#{entered_for}" if entered_for else journey


def first_hop(enrolment_id: str, at: datetime) -> Hop:
    """The hop from the start of the journey."""
    return Hop(ids.hop_id(enrolment_id, START, 1), 1, at)
