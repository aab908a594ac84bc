"""End Pauses by time: start the next hop, or end the journey. Called by resume_journey (a timer per minute and shard) and by the sweep."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from waypost import ids
from waypost.clock import Clock, format_instant, parse_instant
from waypost.contacts.ports import GlancedContactStore
from waypost.errors import ConcurrentUpdate, ContactNotFound, WaypostError
from waypost.journeys.close_enrolment import CloseEnrolment
from waypost.journeys.due_by_contact import due_by_contact
from waypost.journeys.enrolment import Enrolment
from waypost.journeys.hops import start_hop
from waypost.journeys.pause import TIME_ENDS, Pause, time_outcome
from waypost.journeys.ports import ATTEMPTS, DueEnrolment, EnrolmentStore, Machines, Timers
from waypost.journeys.timers import MINUTE, book_timer, expect
from waypost.sending.held_journeys import HeldJourneys

ResumeEffect = Literal["resumed", "ended", "not_due", "already_over", "held"]
"""``ended``: nothing was left to do behind the Pause, and the journey is over. ``held``: the journey is paused, and the contact stays due."""

BATCH: Final = 240
"""Contacts that are resumed at a time, side by side; then the pace is looked at."""
EXPRESS_STARTS: Final = 6_000
"""Express executions that an account may start a second. Source: Step Functions Developer Guide, "Service quotas"."""
STARTS_A_SECOND: Final = 300
"""Of one call: those of a minute's 16 shards leave a fifth of the quota for what events start. After an outage the calls of many
minutes are due at once; ``reserved_concurrency`` of the deployment says how many of them run side by side."""
MOST_AT_ONCE: Final = 60_000
"""Contacts that one call works off (200 seconds at that pace); the rest are for a call that it books."""

SideBySide = Callable[[Callable[[DueEnrolment], "Outcome"], Iterable[DueEnrolment]], Iterable["Outcome"]]
"""``map``, or that of a pool of threads."""
Outcome = ResumeEffect | WaypostError


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeJourney:
    """Starts hops by time, and ends journeys in which nothing is left to do.

    ``default_zone`` stands in for a contact whose own zone is missing or invalid. ``sleep`` takes seconds; ``side_by_side`` runs a batch.
    """

    contacts: GlancedContactStore
    enrolments: EnrolmentStore
    close_enrolment: CloseEnrolment
    timers: Timers
    machines: Machines
    held: HeldJourneys
    default_zone: ZoneInfo
    clock: Clock
    sleep: Callable[[float], None]
    side_by_side: SideBySide = map

    def resume(self, request: Mapping[str, Any]) -> dict[str, int]:
        """Resume who is due in a minute: ``{minute, shard}``, and ``after`` where an earlier call stopped; counts by effect.

        A timer that fires twice or late changes nothing twice: of doubled hops one takes the row. What fails does not keep the rest waiting; the first error is
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
        """Take care of one contact; the error, if that fails."""
        try:
            return self.resume_one(reference.contact_id, reference.enrolment_id)
        except WaypostError as error:
            return error

    def resume_one(self, contact_id: str, enrolment_id: str) -> ResumeEffect:
        """Go on behind the Pause where the contact stands, unless it is over or its time has not come.

        A glance at the row will do: a hop of a row that has changed since finds that it is not its turn, and a write on it is refused.
        """
        return self.go_on(self.enrolments.glance(contact_id, enrolment_id))

    def go_on(self, enrolment: Enrolment | None) -> ResumeEffect:
        """Go on from a row that was read.

        Where something is left to do, nothing is written: the hop ends the Pause in the write by which it takes the row, by what
        is known then. Until that, the row stays due, and the sweep comes to it. A hop that was given out because the contact's date
        had passed, and that no execution has taken, is started again. Raises ConcurrentUpdate.
        """
        for _ in range(ATTEMPTS):
            if enrolment is None or enrolment.status == "ended" or enrolment.pause is None:
                return "already_over"
            if self.held.keeps(enrolment.journey):
                return "held"
            if enrolment.position == "running":
                return self._start_again(enrolment)
            if enrolment.due_at > (now := self.clock()):
                book_timer(self.timers, enrolment, now=now)
                return "not_due"
            if not enrolment.pause.is_last("over"):
                return self._start(enrolment, now)
            effect = self._end(enrolment, enrolment.pause, now)
            if effect is not None:
                return effect
            enrolment = self.enrolments.load(enrolment.contact_id, enrolment.enrolment_id)
        raise ConcurrentUpdate(f"an enrolment changed {ATTEMPTS} times while its last Pause ended")

    def _start_again(self, enrolment: Enrolment) -> ResumeEffect:
        if not enrolment.lies_untaken or enrolment.stands_at().end not in TIME_ENDS:
            return "already_over"
        start_hop(self.machines, enrolment)
        return "resumed"

    def _start(self, enrolment: Enrolment, now: datetime) -> ResumeEffect:
        start_hop(self.machines, enrolment.setting_out(now))
        return "resumed"

    def _end(self, enrolment: Enrolment, pause: Pause, now: datetime) -> ResumeEffect | None:
        """End a journey by the time of its last Pause, read again as a hop would; None when the row was changed since it was read."""
        try:
            due = due_by_contact(enrolment, pause, contacts=self.contacts, default_zone=self.default_zone, now=now)
        except ContactNotFound:  # its hop fails of it, and the journey ends with the reason
            return self._start(enrolment, now)
        if due.at <= now:
            over = enrolment.resumed(due.end, time_outcome(due.end), now)
            return "ended" if self.close_enrolment.store(over.ended("completed", now)) else None
        after = enrolment.postponed(due.at, due.lived_at)
        expect(self.enrolments, self.timers, after, now=now)
        return "not_due" if self.enrolments.save(after) else None
