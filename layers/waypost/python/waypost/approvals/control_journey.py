"""Pause, resume, drain or stop a whole journey. Called by the operation journey-control, the last one with a second person's approval."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from waypost.approvals.approval import Approval, ApprovalStore
from waypost.clock import Clock, format_instant
from waypost.contacts.identity.named_contact import read_text
from waypost.errors import InvalidInput, TemporarilyUnavailable
from waypost.journeys.changes.apply_change import ApplyChange, place_of
from waypost.journeys.changes.change import ANY_STATE, Act, Change, change_id
from waypost.journeys.changes.everybody import everybody
from waypost.journeys.changes.ports import ChangedEnrolments, ChangeStore
from waypost.journeys.published import PublishedJourneys
from waypost.sending.held_journeys import HoldState, JourneyHold
from waypost.sending.policy_change import LOOKED_AFTER

OPERATION: Final = "journey-control"
ACTIONS: Final = ("show", "pause", "drain", "resume", "close", "stop")
LEAST_LEFT: Final = 60_000
"""Milliseconds of a call that a batch of contacts may still take."""

Remaining = Callable[[], int]
"""The milliseconds that the call has left."""


class JourneyHolds(Protocol):
    """Keeps what was decided on journeys: the operations of the sending policy."""

    def held(self, journey: str) -> JourneyHold | None:
        """What was last decided on a journey, read consistently; None when nothing was."""
        ...

    def hold_journey(self, journey: str, state: HoldState, *, by: str, why: str) -> JourneyHold:
        """Pause, drain, stop or resume a journey: what holds for it now. Raises ConcurrentUpdate when another was faster."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlJourney:
    """Acts on journeys; ``stopping`` ends the contacts' passages."""

    journeys: PublishedJourneys
    holds: JourneyHolds
    enrolments: ChangedEnrolments
    changes: ChangeStore
    stopping: ApplyChange
    approvals: ApprovalStore
    clock: Clock

    def act(self, request: Mapping[str, Any], *, remaining: Remaining) -> dict[str, Any]:
        """Execute ``{action, journey, by, reason, approval}``; a repeated one changes nothing. Raises InvalidInput naming the field.

        ``pause``: nobody enters or goes on, and no message of the journey goes out. ``drain``: nobody enters, and those who are in it
        go on. ``resume`` ends either. ``close`` lets nobody enter or go on any more, and ``stop`` ends all passages: both need
        the id of an approval. Raises TemporarilyUnavailable when the call's time is over: the next one goes on.
        """
        journey = self._journey(request)
        match request.get("action"):
            case "show":
                return self._shown(journey, self.holds.held(journey), self._counted(journey, remaining))
            case "pause":
                return self._hold(journey, "paused", request)
            case "drain":
                return self._hold(journey, "draining", request)
            case "resume":
                return self._hold(journey, "running", request)
            case "close":
                self._approval(journey, request)
                return self._hold(journey, "stopped", request)
            case "stop":
                return self._stop(journey, self._approval(journey, request), remaining)
            case unknown:
                raise InvalidInput("action", f"should be one of {', '.join(ACTIONS)}, not {unknown!r}")

    def _journey(self, request: Mapping[str, Any]) -> str:
        name = read_text(request, "journey").strip()
        if name not in self.journeys.by_name:
            known = ", ".join(sorted(self.journeys.by_name)) or "none"
            raise InvalidInput("journey", f"expected the name of a journey, got {name!r}; there are: {known}")
        return name

    def _hold(self, journey: str, state: HoldState, request: Mapping[str, Any]) -> dict[str, Any]:
        by, why = _needed(request, "by"), _needed(request, "reason")
        known = self.holds.held(journey)
        if state == "running" and (known is None or known.state == "running"):
            raise InvalidInput("journey", f"{journey} is neither paused nor draining nor stopped")
        hold = self.holds.hold_journey(journey, state, by=by, why=why)
        return {**_said(journey, hold), "in_force_from": format_instant(self.clock() + LOOKED_AFTER)}

    def _shown(
        self, journey: str, hold: JourneyHold | None, counted: tuple[Counter[tuple[str, str]], bool]
    ) -> dict[str, Any]:
        counts, complete = counted
        waiting = [
            {"version": version, "at": state, "contacts": count} for (version, state), count in sorted(counts.items())
        ]
        return {
            **_said(journey, hold or JourneyHold("running")),
            "contacts": counts.total(),
            "waiting": waiting,
            "complete": complete,
        }

    def _counted(self, journey: str, remaining: Remaining) -> tuple[Counter[tuple[str, str]], bool]:
        """How many contacts stand where, by version and Pause, and whether these are all: the call's time may not do for millions."""
        counts = Counter[tuple[str, str]]()
        for batch in everybody(self.enrolments):
            counts.update((row.machine_version, place_of(row)) for row in batch if row.journey == journey)
            if remaining() < LEAST_LEFT:
                return counts, False
        return counts, True

    def _stop(self, journey: str, approval: Approval, remaining: Remaining) -> dict[str, Any]:
        """End every passage, and note where each contact stood, so that ``waypost journey undo`` can put it back."""
        decided_at = approval.decided_at or approval.requested_at
        change = Change(
            id=change_id(journey, "", decided_at), journey=journey, to_version="", acts={}, by=approval.requested_by, decided_at=decided_at
        )  # fmt: skip
        known = self.changes.load(change.id)
        stop = {ANY_STATE: Act("stop", reason=approval.note)}
        versions = {version for version, _ in self._counted(journey, lambda: LEAST_LEFT)[0]}
        before = known.acts if known else {}
        change = replace(change, acts={**before, **dict.fromkeys(sorted(versions), stop)})

        def go_on_in_time(_: int) -> None:
            if remaining() < LEAST_LEFT:
                raise TemporarilyUnavailable("the call's time is over; the next one goes on")

        [done] = self.stopping.apply([change], progress=go_on_in_time)
        stopped = sum(acts.get("stop", 0) for states in done.counts.values() for acts in states.values())
        return {
            "journey": journey,
            "state": "stopped",
            "stopped": stopped,
            "change": done.id,
            "approved_by": approval.approver,
            "undo": f"waypost journey undo {done.id}",
        }

    def _approval(self, journey: str, request: Mapping[str, Any]) -> Approval:
        """The approval of exactly this; the evidence counts, not what the run says of it."""
        named = read_text(request, "approval")
        approval = self.approvals.load(named) if named else None
        if approval is None or approval.decision != "approved":
            raise InvalidInput("approval", "there is none; another member of staff has to approve")
        asked = approval.subject.request
        wanted = {"action": "stop", "journey": journey, "by": request.get("by")}
        if approval.subject.name != OPERATION or any(asked.get(name) != value for name, value in wanted.items()):
            raise InvalidInput("approval", f"{approval.id} is not about stopping {journey}")
        return approval


def _said(journey: str, hold: JourneyHold) -> dict[str, Any]:
    return {"journey": journey, "state": hold.state, "since": hold.since, "reason": hold.why}


def _needed(request: Mapping[str, Any], name: str) -> str:
    text = read_text(request, name).strip()
    if not text:
        raise InvalidInput(name, "is missing: it stays with the change")
    return text
