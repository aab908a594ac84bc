"""Put contacts back where they stood before a change of their journey. Called by ``waypost journey undo``."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import assert_never

from waypost.batches import batched
from waypost.clock import Clock
from waypost.errors import ConcurrentUpdate
from waypost.journeys.changes.apply_change import was_taken
from waypost.journeys.changes.change import Change, Position, UndoEffect
from waypost.journeys.changes.everybody import BATCH
from waypost.journeys.changes.ports import ChangedEnrolments, ChangeStore
from waypost.journeys.enrolment import Enrolment, Move
from waypost.journeys.pause import Pause
from waypost.journeys.ports import ATTEMPTS
from waypost.journeys.stop_enrolment import StopEnrolment


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoChange:
    """Undoes changes from what was noted of each contact. Doing it again repeats only what a crash left undone.

    Who has walked on in the new version stays there: what was sent cannot be taken back.
    """

    enrolments: ChangedEnrolments
    changes: ChangeStore
    stop_enrolment: StopEnrolment
    clock: Clock
    progress: Callable[[int], None]
    side_by_side: Callable[..., Iterable[UndoEffect]] = map

    def undo(self, change: Change, *, by: str) -> Change:
        """Restore everybody that still stands where the change has put them; the record as it is stored then."""
        counts, seen = Counter[str](), 0
        for batch in batched(self.changes.positions(change.id), BATCH):
            counts.update(self.side_by_side(lambda each: self._one(change, each, by), batch))
            seen += len(batch)
            self.progress(seen)
        done = replace(change, undone_at=self.clock(), undone_by=by, undone=dict(counts))
        self.changes.put(done)
        return done

    def _one(self, change: Change, position: Position, by: str) -> UndoEffect:
        for _ in range(ATTEMPTS):
            now = self.enrolments.load(position.contact_id, position.enrolment_id)
            if now is None or not was_taken(now, change.id):
                return "not_taken"
            if any(move.act == "undo" and move.change == change.id for move in now.moves):
                return "undone_before"
            match position.act:
                case "stop":
                    effect = self._reopen(change, now, by)
                case "follow" | "move" | "stay":
                    effect = self._put_back(change, now, position, by)
                case _:
                    assert_never(position.act)
            if effect is not None:
                return effect
        raise ConcurrentUpdate(f"enrolment {position.enrolment_id} changed {ATTEMPTS} times while it was put back")

    def _put_back(self, change: Change, now: Enrolment, position: Position, by: str) -> UndoEffect | None:
        """The contact stands at its former Pause of its former version, for as long as it would have waited; None: again."""
        here, before = now.pause, position.pause
        if now.status == "ended" or now.position != "parked" or here is None or before is None:
            return "walked_on"
        if now.changed_by != change.id or here.pause_id != position.pause_id:
            return "walked_on"
        back = self._move(change, now, position.from_version, before, by)
        restored = now.moved(back, replace(before, due_at=here.due_at), position.splits)
        return "restored" if self.enrolments.save(restored) else None

    def _reopen(self, change: Change, now: Enrolment, by: str) -> UndoEffect | None:
        """The journey goes on where it was stopped, without the messages that the stop called off; None: again."""
        self.stop_enrolment.call_off(now)
        back = self._move(change, now, now.machine_version, now.pause, by)
        self.enrolments.note_due(now.contact_id, now.enrolment_id, max(now.due_at, self.clock()))
        if self.enrolments.reopen(replace(now.reopened(), moves=(*now.moves, back))):
            return "restored"
        found = self.enrolments.load(now.contact_id, now.enrolment_id)
        return "place_taken" if found is not None and found.revision == now.revision else None

    def _move(self, change: Change, now: Enrolment, to_version: str, to: Pause | None, by: str) -> Move:
        return Move(
            change=change.id,
            act="undo",
            at=self.clock(),
            by=by,
            from_version=now.machine_version,
            from_state=now.pause.state if now.pause else "",
            to_version=to_version,
            to_state=to.state if to else "",
        )
