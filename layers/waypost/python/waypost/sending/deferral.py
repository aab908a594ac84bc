"""Messages that wait: booked as one-time schedules that call send_message again with the same key, or cancelled."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from waypost import ids
from waypost.clock import Clock
from waypost.sending.ledger import Decision, Ledger, LedgerRow
from waypost.sending.occasion import BroadcastSlot, JourneyStep, Reply, StaffNotice
from waypost.sending.ports import DeferredSends, EnrolmentAnchors
from waypost.sending.request import SendRequest


def schedule_name(message_key: str, attempt: int) -> str:
    """The name of the schedule of a deferred attempt."""
    return f"send-{ids.digest(message_key, length=32)}-{attempt}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferrals:
    """Books and cancels deferred messages."""

    ledger: Ledger
    enrolments: EnrolmentAnchors
    schedules: DeferredSends
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
        self.schedules.send_at(schedule_name(request.message_key, later.attempt), until, later.to_dict())
        match request.occasion:
            case JourneyStep(contact_id=contact_id, enrolment_id=enrolment_id):
                self.enrolments.hold_until(contact_id, enrolment_id, request.lived_at or until)
            case BroadcastSlot() | StaffNotice() | Reply():
                pass  # nothing waits for it
            case _:
                assert_never(request.occasion)
        return self.ledger.defer(later, decision=decision, until=until, claim_id=claim_id)

    def call_off(self, contact_id: str, origin: str, *, reason: str) -> None:
        """Cancel what this origin still had to send to the contact; ``reason`` explains it.

        ``origin`` is an occasion's: an enrolment that is left, a run that is stopped. What follows the exit of a journey
        stays.
        """
        for row in self.ledger.deferred_of(contact_id, origin):
            match row.occasion:
                case JourneyStep(after_exit=True):
                    continue
                case JourneyStep() | BroadcastSlot() | StaffNotice() | Reply():
                    self._cancel(row, reason)
                case _:
                    assert_never(row.occasion)

    def _cancel(self, row: LedgerRow, reason: str) -> None:
        """The row comes first: a crash after it costs a call that finds nothing to do, never a row that waits for no call."""
        last, now = row.decisions[-1], self.clock()
        zone = datetime.fromisoformat(last.local_time).tzinfo
        local_time = now.astimezone(zone).isoformat(timespec="seconds")
        called_off = replace(
            last, at=now, local_time=local_time, outcome="skipped", reason=reason, saw={}, elsewhere={}, policy=""
        )
        self.ledger.drop(row, decision=called_off)
        self.schedules.cancel(schedule_name(row.message_key, row.attempt))
