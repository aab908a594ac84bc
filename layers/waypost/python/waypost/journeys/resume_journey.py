"""Start the next hop of contacts whose Pause is over. Called by resume_journey (a timer per minute and shard) and by the sweep."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Final, Literal

from waypost import ids
from waypost.clock import Clock, format_instant, parse_instant
from waypost.errors import WaypostError
from waypost.journeys.enrolment import Enrolment
from waypost.journeys.hops import start_hop
from waypost.journeys.pause import TIME_ENDS
from waypost.journeys.ports import DueEnrolment, EnrolmentStore, Machines, Timers
from waypost.journeys.timers import MINUTE, book_timer

ResumeEffect = Literal["resumed", "not_due", "already_over"]

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
    """Starts hops by time. ``sleep`` takes seconds; ``side_by_side`` runs a batch."""

    enrolments: EnrolmentStore
    timers: Timers
    machines: Machines
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
        """Start the hop of one contact; the error, if that fails."""
        try:
            return self.resume_one(reference.contact_id, reference.enrolment_id)
        except WaypostError as error:
            return error

    def resume_one(self, contact_id: str, enrolment_id: str) -> ResumeEffect:
        """Start the hop that ends the Pause where the contact stands, unless it is over or its time has not come.

        A glance at the row will do: a hop of a row that has changed since finds that it is not its turn.
        """
        return self.set_out(self.enrolments.glance(contact_id, enrolment_id))

    def set_out(self, enrolment: Enrolment | None) -> ResumeEffect:
        """Start the hop of a row that was read.

        Nothing is written: the hop ends the Pause in the write by which it takes the row, by what is known then. Until
        that, the row stays due, and the sweep comes to it. A hop that was given out because the contact's date had passed,
        and that no execution has taken, is started again.
        """
        now = self.clock()
        if enrolment is None or enrolment.status == "ended" or enrolment.pause is None:
            return "already_over"
        if enrolment.position == "running":
            if not enrolment.lies_untaken or enrolment.pause.end not in TIME_ENDS:
                return "already_over"
            start_hop(self.machines, enrolment)
            return "resumed"
        if enrolment.due_at > now:
            book_timer(self.timers, enrolment, now=now)
            return "not_due"
        start_hop(self.machines, enrolment.setting_out(now))
        return "resumed"
