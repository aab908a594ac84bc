"""Close the enrolment of an execution that has ended. Called by close_enrolment on execution status events."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from waypost import ids
from waypost.clock import Clock
from waypost.events.envelope import OWN_SOURCE, Event
from waypost.events.ports import EventQueue
from waypost.journeys.enrolment import Enrolment, EnrolmentOutcome
from waypost.journeys.ports import EnrolmentStore, PauseStore, Resumptions
from waypost.journeys.signalling import cancel_schedule

OUTCOMES: Final[Mapping[str, EnrolmentOutcome]] = {
    "SUCCEEDED": "completed",
    "FAILED": "failed",
    "TIMED_OUT": "timed_out",
    "ABORTED": "aborted",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseEnrolment:
    """Ends enrolments and says so in the event stream."""

    enrolments: EnrolmentStore
    pauses: PauseStore
    schedules: Resumptions
    queue: EventQueue
    clock: Clock

    def close(self, status_event: Mapping[str, Any]) -> dict[str, Any]:
        """``status_event`` is EventBridge's "Step Functions Execution Status Change".

        The ``journey_ended`` event is queued before the enrolment is ended: a crash in between repeats both, and the
        event's id makes the second one a duplicate.
        Source: https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
        """
        detail = status_event["detail"]
        given = json.loads(detail["input"] or "{}")
        if "enrolment_id" not in given:  # started by hand in the console: there is no enrolment
            return {"enrolment_id": None, "closed": False}
        enrolment = self.enrolments.load(given["contact_id"], given["enrolment_id"])
        if enrolment is None or enrolment.status == "ended":
            return {"enrolment_id": given["enrolment_id"], "closed": False}
        outcome = _outcome(enrolment, detail["status"])
        self.queue.send([self._journey_ended(enrolment, outcome)])
        for pause in self.pauses.of_enrolment(enrolment.contact_id, enrolment.enrolment_id):
            if not pause.signalled:
                cancel_schedule(pause, schedules=self.schedules)
                self.pauses.mark_signalled(pause)
        closed = self.enrolments.end(enrolment, outcome=outcome, at=self.clock())
        return {"enrolment_id": enrolment.enrolment_id, "closed": closed, "outcome": outcome}

    def _journey_ended(self, enrolment: Enrolment, outcome: EnrolmentOutcome) -> Event:
        now = self.clock()
        return Event(
            id=f"journey-ended-{ids.digest(enrolment.enrolment_id)}",
            type="journey_ended",
            contact={"contact_id": enrolment.contact_id},
            occurred_at=now,
            received_at=now,
            source=OWN_SOURCE,
            properties={"journey": enrolment.journey, "outcome": outcome, "enrolment_id": enrolment.enrolment_id},
            correlation_id=enrolment.correlation_id,
        )


def _outcome(enrolment: Enrolment, status: str) -> EnrolmentOutcome:
    """A journey that was left ends as ``goal`` or ``exited``, if its state machine came to its end."""
    outcome = OUTCOMES[status]
    return enrolment.outcome if outcome == "completed" and enrolment.outcome else outcome
