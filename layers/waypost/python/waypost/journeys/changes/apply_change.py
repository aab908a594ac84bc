"""Take the contacts of changed journeys to where the change puts them. Called by ``waypost deploy``, ``up`` and ``journey apply``."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, assert_never

from waypost.batches import batched
from waypost.clock import Clock
from waypost.errors import ConcurrentUpdate
from waypost.journeys.changes.change import ANY_STATE, WALKING, Act, Change, Effect, Position
from waypost.journeys.changes.everybody import BATCH, everybody
from waypost.journeys.changes.ports import ChangedEnrolments, ChangeStore
from waypost.journeys.draws import redrawn
from waypost.journeys.enrolment import Enrolment, Move, MoveAct, Stopped
from waypost.journeys.ports import ATTEMPTS
from waypost.journeys.stop_enrolment import StopEnrolment

TAKEN: Final = frozenset({"follow", "move", "stop"})

Place = tuple[str, str, str, Effect]
"""Journey, former version, Pause, effect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyChange:
    """Applies changes, all of a deployment in one pass over the contacts that are in a journey.

    A pass that dies is run again: who was taken already is counted and left alone. ``wait`` lets hops that walk come to their
    Pauses, and says whether another pass makes sense.
    """

    enrolments: ChangedEnrolments
    changes: ChangeStore
    stop_enrolment: StopEnrolment
    clock: Clock
    wait: Callable[[], bool]
    side_by_side: Callable[..., Iterable[Place | None]] = map

    def apply(self, changes: Iterable[Change], *, progress: Callable[[int], None]) -> list[Change]:
        """Apply the changes, whose machines must be there; their records as they are stored then.

        ``progress`` is called after each batch with the number of contacts looked at in this pass, and may end it by an error.
        A record without ``finished_at`` has contacts whose hops walk still; applying it again looks at them.
        """
        decided = {change.journey: change for change in changes}
        for change in decided.values():
            self.changes.put(change)
        left = self._pass(decided, progress)
        while any(effect == "walking" for *_, effect in left) and self.wait():
            left = self._pass(decided, progress)
        done = [self._recorded(change, left) for change in decided.values()]
        for change in done:
            self.changes.put(change)
        return done

    def _pass(self, changes: Mapping[str, Change], progress: Callable[[int], None]) -> Counter[Place]:
        """Look at everybody once; who was not taken, and why.

        Reads what is noted and a row for each contact in a journey; writes two rows for each that is taken.
        """
        left, seen = Counter[Place](), 0
        for found in everybody(self.enrolments):
            rows = [row for row in found if row.journey in changes]
            for place in self.side_by_side(lambda row: self._one(changes[row.journey], row), rows):
                if place is not None and place[-1] not in TAKEN:
                    left[place] += 1
            seen += len(found)
            progress(seen)
        return left

    def _one(self, change: Change, enrolment: Enrolment) -> Place | None:
        """What became of one contact; None for one that the change does not speak of."""
        now: Enrolment | None = enrolment
        for _ in range(ATTEMPTS):
            if now is None or now.status == "ended":
                return None
            if now.changed_by == change.id or now.machine_version not in change.acts:
                return None
            version, state = now.machine_version, place_of(now)
            effect = self._act(change, now, change.act_for(version, state))
            if effect is not None:
                return now.journey, version, state, effect
            now = self.enrolments.load(now.contact_id, now.enrolment_id)
        raise ConcurrentUpdate(f"enrolment {enrolment.enrolment_id} changed {ATTEMPTS} times while its journey changed")

    def _act(self, change: Change, now: Enrolment, act: Act | None) -> Effect | None:
        """Do it; None when the row was changed since it was read."""
        removed = ANY_STATE in change.acts[now.machine_version]
        if now.position != "parked" and not removed:
            return "walking"
        if act is None:
            return "undecided"
        match act.kind:
            case "stay":
                return "stay"
            case "stop":
                self.changes.note(_position(change, now, act))
                stopped = Stopped(act.reason, change.by, change.id)
                return "stop" if self.stop_enrolment.stop(now, stopped) else None
            case "follow" | "move":
                return self._take(change, now, act, act.kind)
            case _:
                assert_never(act.kind)

    def _take(self, change: Change, now: Enrolment, act: Act, kind: MoveAct) -> Effect | None:
        before = now.pause
        if before is None or not act.fits(before):
            return "undecided"
        pause = act.takes(before, now.enrolment_id)
        move = Move(
            change=change.id,
            act=kind,
            at=self.clock(),
            by=change.by,
            from_version=now.machine_version,
            from_state=before.state,
            to_version=change.to_version,
            to_state=pause.state,
        )
        self.changes.note(_position(change, now, act, pause_id=pause.pause_id))
        splits = redrawn(now.contact_id, now.journey, change.splits, now.splits)
        return act.kind if self.enrolments.save(now.moved(move, pause, splits)) else None

    def _recorded(self, change: Change, left: Mapping[Place, int]) -> Change:
        """The record with its counts: who was taken, by whichever pass, is counted by what is noted and what the rows say."""
        counts = Counter({place: count for place, count in left.items() if place[0] == change.journey})
        for batch in batched(self.changes.positions(change.id), BATCH):
            counts.update(place for place in self.side_by_side(lambda each: self._taken(change, each), batch) if place)
        found: dict[str, dict[str, dict[str, int]]] = {}
        for (_, version, state, effect), count in counts.items():
            found.setdefault(version, {}).setdefault(state, {})[effect] = count
        open_still = any(effect == "walking" for *_, effect in counts)
        return replace(change, counts=found, finished_at=None if open_still else self.clock())

    def _taken(self, change: Change, position: Position) -> Place | None:
        """Where the change has taken a contact from; None when its hop was faster than the change.

        What a crash has left undone after a stop is done here.
        """
        row = self.enrolments.load(position.contact_id, position.enrolment_id)
        if row is None or not was_taken(row, change.id):
            return None
        if row.stopped is not None:
            self.stop_enrolment.call_off(row)
        return change.journey, position.from_version, position.pause.state if position.pause else WALKING, position.act


def place_of(row: Enrolment) -> str:
    """The Pause where a contact stands, or that it walks."""
    return row.pause.state if row.position == "parked" and row.pause else WALKING


def was_taken(row: Enrolment, change_id: str) -> bool:
    """Whether the change has moved or stopped this enrolment."""
    stopped = row.stopped is not None and row.stopped.change == change_id
    return stopped or any(move.change == change_id for move in row.moves)


def _position(change: Change, now: Enrolment, act: Act, *, pause_id: str = "") -> Position:
    return Position(
        change=change.id,
        at=change.decided_at,
        contact_id=now.contact_id,
        enrolment_id=now.enrolment_id,
        act=act.kind,
        from_version=now.machine_version,
        pause=now.pause if now.position == "parked" else None,
        pause_id=pause_id,
        revision=now.revision,
        splits=now.splits,
    )
