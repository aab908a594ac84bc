"""Messages that wait: booked as one-time schedules that call send_message again with the same key, or cancelled."""

from dataclasses import dataclass, replace
from datetime import datetime

from waypost import ids
from waypost.clock import Clock
from waypost.journeys.ports import EnrolmentStore, Schedules
from waypost.sending.ledger import Decision, Ledger
from waypost.sending.request import SendRequest


def schedule_name(message_key: str, attempt: int) -> str:
    """The name of the schedule of a deferred attempt."""
    return f"send-{ids.digest(message_key, length=32)}-{attempt}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferrals:
    """Books and cancels deferred messages."""

    ledger: Ledger
    enrolments: EnrolmentStore
    schedules: Schedules
    clock: Clock

    def book(
        self,
        request: SendRequest,
        *,
        until: datetime,
        send_by: datetime,
        decision: Decision,
        claim_id: str | None = None,
    ) -> bool:
        """Have the message tried again at ``until``; False when another call decided on this key first.

        The schedule comes first: a crash after it costs a call that finds nothing to do, never a lost message.
        """
        later = replace(request, attempt=request.attempt + 1, send_by=send_by)
        self.schedules.send_at(schedule_name(request.message_key, later.attempt), until, {"deferred": later.to_dict()})
        self.enrolments.hold_until(request.step.contact_id, request.step.enrolment_id, until)
        return self.ledger.defer(later, decision=decision, until=until, claim_id=claim_id)

    def cancel_all(self, contact_id: str, enrolment_id: str) -> None:
        """Drop what the body of a journey still had to send: the contact has left it. What follows the exit stays."""
        for row in self.ledger.deferred_of(contact_id, enrolment_id):
            if row.after_exit:
                continue
            self.schedules.cancel(schedule_name(row.message_key, row.attempt))
            last, now = row.decisions[-1], self.clock()
            zone = datetime.fromisoformat(last.local_time).tzinfo
            local_time = now.astimezone(zone).isoformat(timespec="seconds")
            left = replace(last, at=now, local_time=local_time, outcome="skipped", reason="left_journey")
            self.ledger.drop(row, decision=left)
