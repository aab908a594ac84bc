"""Move the end of a parked contact's Pause with the contact's dates and zone. Called by the router."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from waypost.clock import Clock
from waypost.contacts.ports import ContactStore
from waypost.errors import ConcurrentUpdate
from waypost.journeys.due_by_contact import load_contact
from waypost.journeys.hops import start_hop
from waypost.journeys.pause import time_outcome
from waypost.journeys.pause_times import due_now
from waypost.journeys.ports import ATTEMPTS, EnrolmentStore, Machines, Timers
from waypost.journeys.timers import expect


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepTime:
    """Looks at a Pause again; ``default_zone`` stands in for a contact whose own zone is missing or invalid."""

    contacts: ContactStore
    enrolments: EnrolmentStore
    timers: Timers
    machines: Machines
    default_zone: ZoneInfo
    clock: Clock

    def keep(self, contact_id: str, enrolment_id: str) -> None:
        """Move the end of the contact's Pause to where it is now; one that is past by that is over, and its hop starts.

        The row is read before the contact, so that a later writer of the contact finds the row as this call leaves it. An end
        that has not moved is left to its timer.
        """
        for _ in range(ATTEMPTS):
            enrolment, now = self.enrolments.load(contact_id, enrolment_id), self.clock()
            if enrolment is None or enrolment.status != "active" or enrolment.position != "parked":
                return
            pause = enrolment.pause
            if pause is None:
                return
            due = due_now(
                enrolment,
                pause,
                contact=lambda: load_contact(self.contacts, contact_id),
                default_zone=self.default_zone,
                now=now,
            )
            if due.at == pause.due_at:
                return
            if due.at > now:
                after = enrolment.postponed(due.at, due.lived_at)
                expect(self.enrolments, self.timers, after, now=now)
                if self.enrolments.save(after):
                    return
                continue
            after = enrolment.resumed(due.end, time_outcome(due.end), now)
            self.enrolments.note_due(contact_id, enrolment_id, after.due_at)
            if self.enrolments.save(after):
                start_hop(self.machines, after)
                return
        raise ConcurrentUpdate(
            f"enrolment {enrolment_id} changed {ATTEMPTS} times while the end of its Pause was moved"
        )
