"""Give out the next hop of contacts whose Pause is over. Called by resume_journey (a timer per minute and shard) and by the sweep."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from waypost import ids
from waypost.clock import Clock, format_instant, parse_instant
from waypost.contacts.ports import ContactStore
from waypost.errors import ConcurrentUpdate, ContactNotFound, WaypostError
from waypost.journeys.enrolment import Enrolment
from waypost.journeys.hops import start_hop
from waypost.journeys.pause import TIME_ENDS, Pause
from waypost.journeys.pause_journey import time_outcome
from waypost.journeys.pause_times import Circumstances, Due, depends_on_contact, due_again
from waypost.journeys.ports import ATTEMPTS, DueEnrolment, EnrolmentStore, Machines, Timers
from waypost.journeys.timers import MINUTE, book_timer

ResumeEffect = Literal["resumed", "postponed", "not_due", "already_over"]

BATCH: Final = 240
"""Contacts that are resumed at a time, side by side; then the pace is looked at."""
STARTS_A_SECOND: Final = 300
"""A shard's part of the 6,000 Express executions that an account may start a second, with a reserve for what events start.
Source: Step Functions Developer Guide, "Service quotas" (StartExecution, Express)."""
MOST_AT_ONCE: Final = 60_000
"""Contacts that one call works off (200 seconds at that pace); the rest are for a call that it books."""

SideBySide = Callable[[Callable[[DueEnrolment], "Outcome"], Iterable[DueEnrolment]], Iterable["Outcome"]]
"""``map``, or that of a pool of threads."""
Outcome = ResumeEffect | WaypostError


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeJourney:
    """Ends Pauses by time. ``sleep`` takes seconds; ``side_by_side`` runs a batch."""

    contacts: ContactStore
    enrolments: EnrolmentStore
    timers: Timers
    machines: Machines
    default_zone: ZoneInfo
    clock: Clock
    sleep: Callable[[float], None]
    side_by_side: SideBySide = map

    def resume(self, request: Mapping[str, Any]) -> dict[str, int]:
        """Resume who is due in a minute: ``{minute, shard}``, and ``after`` where an earlier call stopped; counts by effect.

        A timer that fires twice or late changes nothing twice. What fails does not keep the rest waiting; the first error is
        raised when everything else is done.
        """
        minute, shard = parse_instant(request["minute"]), int(request["shard"])
        after = DueEnrolment.from_dict(request["after"]) if request.get("after") else None
        due_enrolments = self.enrolments.find_due(shard, since=minute - MINUTE, until=minute, after=after)
        counts, errors = dict[str, int](), list[WaypostError]()
        for outcome in self._paced(due_enrolments, minute, shard):
            if isinstance(outcome, WaypostError):
                errors.append(outcome)
            else:
                counts[outcome] = counts.get(outcome, 0) + 1
        if errors:
            raise errors[0]
        return counts

    def _paced(self, due_enrolments: Iterator[DueEnrolment], minute: datetime, shard: int) -> Iterator[Outcome]:
        """The outcomes, batch by batch, no faster than the account may start executions."""
        for _ in range(MOST_AT_ONCE // BATCH):
            began, batch = self.clock(), list(islice(due_enrolments, BATCH))
            yield from self.side_by_side(self.try_one, batch)
            if len(batch) < BATCH:
                return
            self.sleep(max(0.0, BATCH / STARTS_A_SECOND - (self.clock() - began).total_seconds()))
        rest: dict[str, Any] = {"minute": format_instant(minute), "shard": shard, "after": batch[-1].to_dict()}
        name = f"resume-{ids.digest(str(rest), length=32)}"
        self.timers.resume_at(name, self.clock() + MINUTE / 60, rest)

    def try_one(self, reference: DueEnrolment) -> Outcome:
        """End the Pause of one contact; the error, if that fails."""
        try:
            return self.resume_one(reference.contact_id, reference.enrolment_id)
        except WaypostError as error:
            return error

    def resume_one(self, contact_id: str, enrolment_id: str, *, starts_again: bool = True) -> ResumeEffect:
        """End the Pause where the contact stands, unless it is over or its time has not come.

        When that is, is read again: a date or a zone of the contact may have changed, or a message was deferred once more. The
        row is read before the contact, so that a later writer of the contact finds the row as this call leaves it. A hop that was given out because the time had
        come, and that no execution has taken, is started again if ``starts_again``.
        """
        for _ in range(ATTEMPTS):
            enrolment, now = self.enrolments.load(contact_id, enrolment_id), self.clock()
            if enrolment is None or enrolment.status == "ended" or enrolment.pause is None:
                return "already_over"
            if enrolment.position == "running":
                return self._start_again(enrolment, enrolment.pause) if starts_again else "already_over"
            due = self._due(enrolment, enrolment.pause, now)
            if due.at > now:
                after = enrolment.postponed(due.at)
                book_timer(
                    self.timers, after, now=now
                )  # first: after the write this minute does not list the row again
                if due.at == enrolment.pause.due_at:
                    return "not_due"
                if self.enrolments.save(after):
                    return "postponed"
                continue
            after = enrolment.resumed(due.end, time_outcome(due.end), now)
            if self.enrolments.save(after):
                start_hop(self.machines, after)
                return "resumed"
        raise ConcurrentUpdate(f"enrolment {enrolment_id} changed {ATTEMPTS} times while its Pause was ended")

    def _start_again(self, enrolment: Enrolment, pause: Pause) -> ResumeEffect:
        if not enrolment.lies_untaken or pause.end not in TIME_ENDS:
            return "already_over"
        start_hop(self.machines, enrolment)
        return "resumed"

    def _due(self, enrolment: Enrolment, pause: Pause, now: datetime) -> Due:
        """When the Pause is over by what is known of the contact now."""
        is_held = enrolment.anchor_at is not None and enrolment.anchor_at > pause.parked_at
        if not is_held and not depends_on_contact(pause.spec):
            return Due(pause.due_at)
        contact = self.contacts.load(enrolment.contact_id)
        if contact is None:
            raise ContactNotFound(f"contact {enrolment.contact_id} does not exist")
        return due_again(pause, now=now, around=Circumstances.of(enrolment, contact, self.default_zone))
