"""End an enrolment as the last thing that its hop does. Called by close_enrolment, a task that the synth puts before every end."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from waypost import ids
from waypost.clock import Clock
from waypost.errors import ConcurrentUpdate, EnrolmentNotFound
from waypost.events.envelope import OWN_SOURCE, Event
from waypost.events.ports import EventQueue
from waypost.journeys.enrolment import Enrolment, EnrolmentOutcome, Failure
from waypost.journeys.hops import INPUT_BEHIND, OVER, RESULT_BEHIND
from waypost.journeys.ports import ATTEMPTS, EnrolmentStore
from waypost.sending.ledger import Ledger
from waypost.sending.occasion import HopVisit, JourneyStep, enrolment_origin


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseEnrolment:
    """Ends enrolments and says so in the event stream; ``announced`` is false where nothing reads that event."""

    enrolments: EnrolmentStore
    ledger: Ledger
    queue: EventQueue
    clock: Clock
    announced: bool = True

    def close(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """End the enrolment of the hop: ``outcome`` is ``completed``, or ``failed`` with ``state``, ``error`` and ``cause``.

        With ``interrupted`` it stays open and remembers these, in case that no later attempt gets any further. A hop that does not hold the enrolment ends nothing. Raises EnrolmentNotFound and ConcurrentUpdate.
        """
        step, visit = JourneyStep.from_payload(payload), HopVisit.from_payload(payload)
        for _ in range(ATTEMPTS):
            enrolment = self.enrolments.load(step.contact_id, step.enrolment_id)
            if enrolment is None:
                raise EnrolmentNotFound(f"enrolment {step.enrolment_id} does not exist")
            if not enrolment.held_by(visit) or enrolment.position != "running":
                return {"enrolment_id": step.enrolment_id, "closed": False}
            if payload["outcome"] == "interrupted":
                if self.enrolments.save(replace(enrolment, failure=_failure(payload))):
                    return {"enrolment_id": step.enrolment_id, "closed": False}
                continue
            outcome, failure = _outcome(enrolment, payload)
            if self.end(enrolment, outcome, failure):
                return {"enrolment_id": step.enrolment_id, "closed": True, "outcome": outcome}
        raise ConcurrentUpdate(f"enrolment {step.enrolment_id} changed {ATTEMPTS} times while it was closed")

    def end(self, enrolment: Enrolment, outcome: EnrolmentOutcome, failure: Failure | None) -> bool:
        """End the enrolment; False when it was changed since it was read."""
        return self.store(enrolment.ended(outcome, self.clock(), failure))

    def store(self, ended: Enrolment) -> bool:
        """Store an enrolment as ended; False when it was changed since it was read.

        The ``journey_ended`` event is queued before the enrolment is ended: a crash in between repeats both, and the
        event's id makes the second one a duplicate. So are the claims that a failed or stopped hop left: once the enrolment
        has ended, the sweep no longer comes to them.
        """
        if ended.position == "running" and ended.outcome in {"failed", "stopped"}:
            self.give_up_claims(ended, before=self.clock())
        if self.announced:
            self.queue.send([self._journey_ended(ended)])
        return self.enrolments.end(ended)

    def give_up_claims(self, enrolment: Enrolment, *, before: datetime) -> int:
        """Turn what the enrolment's hops claimed before then, and never settled, into ``unknown``; how many there were.

        If a hop is sending after all, what the provider answers replaces that.
        """
        claims = self.ledger.claims_of(enrolment.contact_id, enrolment_origin(enrolment.enrolment_id), before)
        return sum(self.ledger.give_up_claim(row, at=self.clock()) for row in claims)

    def _journey_ended(self, enrolment: Enrolment) -> Event:
        now, failure, stopped = self.clock(), enrolment.failure, enrolment.stopped
        return Event(
            id=f"journey-ended-{ids.digest(enrolment.enrolment_id, *_reopenings(enrolment))}",
            type="journey_ended",
            contact={"contact_id": enrolment.contact_id},
            occurred_at=now,
            received_at=now,
            source=OWN_SOURCE,
            properties={
                "journey": enrolment.journey,
                "outcome": enrolment.outcome,
                "enrolment_id": enrolment.enrolment_id,
                **({"state": failure.state, "error": failure.error} if failure else {}),
                **({"reason": stopped.reason} if stopped else {}),
                **({"splits": dict(enrolment.splits)} if enrolment.splits else {}),
                **({"held_out": True} if enrolment.held_out else {}),
                **({"test": True} if enrolment.is_test else {}),
            },
            correlation_id=enrolment.correlation_id,
        )


def _reopenings(enrolment: Enrolment) -> list[str]:
    """What tells the ends of an enrolment apart: a journey that was stopped and goes on again ends once more."""
    return [move.change for move in enrolment.moves if move.act == "undo"]


def _outcome(enrolment: Enrolment, payload: Mapping[str, Any]) -> tuple[EnrolmentOutcome, Failure | None]:
    """A journey that was left ends as ``goal`` or ``exited``, if its machine came to its end."""
    if payload["outcome"] == "failed":
        return "failed", _failure(payload)
    return enrolment.outcome or "completed", None


def _failure(payload: Mapping[str, Any]) -> Failure:
    state, cause = _where(str(payload.get("state", "")), str(payload.get("cause", "")))
    return Failure(state, str(payload.get("error", "")), _without_traceback(cause)[:LONGEST_CAUSE])


def _where(state: str, cause: str) -> tuple[str, str]:
    """The innermost state that failed, and the cause.

    The synth lets the cause begin with a state that has a Catch (``at "Send the coupon": …``). Of a state that can have none, a
    Choice or a Pass, Step Functions says which it was; the Choice behind a Pause stands for the Pause.
    """
    if cause.startswith('at "'):
        try:
            inner, end = json.JSONDecoder().raw_decode(cause, len("at "))
        except ValueError:
            return state, cause
        state, cause = str(inner), cause[end:].removeprefix(":").strip()
    if found := _EXECUTING.match(cause):
        state, cause = found["state"], cause[found.end() :]
    if state.endswith(OVER):
        cause = cause.replace(RESULT_BEHIND, "$states.result").replace(INPUT_BEHIND, "$states.input")
    return state.removesuffix(OVER), cause


def _without_traceback(cause: str) -> str:
    """The message of a function's error, whose cause is a JSON object with its whole traceback; any other cause as it is."""
    try:
        found = json.loads(cause)
    except ValueError:
        return cause
    return str(found["errorMessage"]) if isinstance(found, dict) and "errorMessage" in found else cause


LONGEST_CAUSE = 500
"""Characters of a cause that are kept."""

_EXECUTING: Final = re.compile(
    r"An error occurred while executing the state '(?P<state>.*)' \(entered at the event id #\d+\)\. ", re.DOTALL
)
"""How the cause of an error begins that Step Functions itself raises in a state, such as ``States.QueryEvaluationError``."""
