"""Make good what a crash, a lost start or a lost timer left behind. Called by sweep_journeys every hour."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from waypost import ids
from waypost.batches import batched
from waypost.clock import Clock
from waypost.codec import JsonForm
from waypost.errors import ConcurrentUpdate, WaypostError
from waypost.journeys.close_enrolment import CloseEnrolment
from waypost.journeys.enrolment import Enrolment, Failure
from waypost.journeys.hops import start_hop
from waypost.journeys.ports import ATTEMPTS, SHARDS, DueEnrolment, EnrolmentStore, Machines
from waypost.journeys.resume_journey import ResumeJourney
from waypost.sending.held_journeys import HeldJourneys
from waypost.sending.ledger import Ledger

GRACE: Final = timedelta(minutes=15)
"""How late a timer, a hop (five minutes at most) or a provider's answer may be before it counts as lost."""
MOST_ATTEMPTS: Final = 5
"""How often a hop is given out from one place before the journey ends as failed."""
BATCH: Final = 1000
MOST_STEPS_NAMED: Final = 6
"""Steps behind the last Pause that the end of a dead journey names."""

_ENDS: Final = (
    "ExecutionTimedOut: five minutes are the limit of an Express execution, so put a Pause between the steps. ExecutionFailed "
    "with States.DataLimitExceeded: a step's input, output or variables are too large, so pass on only what is needed. "
    "ExecutionFailed with States.Runtime: an expression or a path of the step it names does not fit its input."
)
"""What the log says of an execution that ended as a whole, and what to do. Nobody can stop an Express execution."""
_NO_BEGIN: Final = (
    "Where it is not there, Step Functions was not asked or refused to start it: see the alarms of resume_journey and route_events. "
    "Where it is, its first call failed: see the log of pause_journey."
)

SweepEffect = Literal["overdue", "lost_hop", "given_up", "released", "nothing"]
"""``released``: it was kept where it stood while its journey was held, and goes on now."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What was done about one enrolment, and the messages that its dead hop had claimed; the error, if that failed.

    ``noted``: the next sweep looks at it as well.
    """

    effect: SweepEffect
    unknown: int = 0
    error: WaypostError | None = None
    noted: bool = True


@dataclass(frozen=True, slots=True)
class SweepReport(JsonForm):
    """What the sweeper found: every count but that of contacts of a journey that was resumed raises an alarm when it is not zero."""

    overdue_pauses: int = 0
    lost_hops: int = 0
    journeys_given_up: int = 0
    unknown_messages: int = 0
    released: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepJourneys:
    """Resumes overdue Pauses, gives lost hops out again and turns claims without an answer into ``unknown``."""

    enrolments: EnrolmentStore
    resume_journey: ResumeJourney
    close_enrolment: CloseEnrolment
    machines: Machines
    held: HeldJourneys
    ledger: Ledger
    clock: Clock
    steps_behind: Callable[[str, str], Sequence[str]]
    """The steps of a journey between a Pause ("": its start) and the next one; empty where they are not known."""
    side_by_side: Callable[[Callable[[DueEnrolment], Swept], Iterable[DueEnrolment]], Iterable[Swept]] = map

    def sweep(self, *, recent: bool = False) -> SweepReport:
        """One pass over everything that was due more than ``GRACE`` ago and that no pass has looked at.

        ``recent``: over what came due since then as well, for a journey that was held and goes on now.
        Most of it has moved on. What has not is noted again, so that the next pass looks at it too. What fails does not keep the rest
        waiting; the first error is raised when everything else is done.
        """
        before, errors = self.clock() - GRACE, list[WaypostError]()
        found, unknown, all_noted = Counter[str](), 0, True
        since, last = self.enrolments.swept_until(), before - timedelta(milliseconds=1)
        until = self.clock() if recent else last
        noted = (each for shard in range(SHARDS) for each in self.enrolments.find_due(shard, since=since, until=until))
        for batch in batched(noted, BATCH):
            for swept in self.side_by_side(self._try_one, self.enrolments.unsettled(batch, until)):
                found[swept.effect] += 1
                unknown += swept.unknown
                all_noted = all_noted and swept.noted
                if swept.error is not None:
                    errors.append(swept.error)
        if all_noted:
            self.enrolments.mark_swept(last)
        for row in self.ledger.stale_claims(before):
            try:
                unknown += self.ledger.give_up_claim(row, at=self.clock())
            except WaypostError as error:
                errors.append(error)
        if errors:
            raise errors[0]
        return SweepReport(found["overdue"], found["lost_hop"], found["given_up"], unknown, found["released"])

    def _try_one(self, reference: DueEnrolment) -> Swept:
        noted = False
        try:
            self.enrolments.note_due(reference.contact_id, reference.enrolment_id, self.clock())
            noted = True
            return self._sweep(reference)
        except WaypostError as error:
            return Swept("nothing", error=error, noted=noted)

    def _sweep(self, reference: DueEnrolment) -> Swept:
        unknown = 0
        for _ in range(ATTEMPTS):
            enrolment = self.enrolments.load(reference.contact_id, reference.enrolment_id)
            if enrolment is None or enrolment.status == "ended" or self.held.keeps(enrolment.journey):
                return Swept("nothing", unknown)
            before = self.clock() - GRACE
            if enrolment.position == "parked":
                found: SweepEffect = "released" if self._was_held(enrolment, enrolment.due_at) else "overdue"
                if found == "overdue" and enrolment.due_at >= before:
                    return Swept("nothing", unknown)
                effect = self.resume_journey.go_on(enrolment)
                return Swept(found if effect in {"resumed", "ended"} else "nothing", unknown)
            found = "released" if self._was_held(enrolment, enrolment.hop.at) else "lost_hop"
            if enrolment.hop.at >= before and not (found == "released" and enrolment.lies_untaken):
                return Swept("nothing", unknown)
            unknown += self.close_enrolment.give_up_claims(enrolment, before=before)
            if enrolment.hop.attempt >= MOST_ATTEMPTS:
                ended = self.close_enrolment.end(enrolment, "failed", self._died(enrolment))
                return Swept("given_up" if ended else "nothing", unknown)
            after = enrolment.given_again(self.clock())
            if self.enrolments.save(after):
                start_hop(self.machines, after)
                return Swept(found, unknown)
        raise ConcurrentUpdate(f"enrolment {reference.enrolment_id} changed {ATTEMPTS} times while it was swept")

    def _was_held(self, enrolment: Enrolment, since: datetime) -> bool:
        """Whether a row that waits since then was meant to, because its journey was held."""
        released = self.held.released_since(enrolment.journey)
        return released is not None and since <= released

    def _died(self, enrolment: Enrolment) -> Failure:
        """Why the journey is given up: what interrupted its hop, or where to look if no task could say.

        An execution that ends as a whole calls nothing more, and Step Functions sends status events of standard machines only:
        what ended it is in the machines' log. Source: Step Functions Developer Guide, "Automating event delivery with EventBridge".
        """
        attempts, last = enrolment.hop.attempt, enrolment.failure
        if last is not None:
            return replace(last, cause=f"{last.cause} (tried {attempts} times)".strip())
        state = enrolment.pause.state if enrolment.pause else ""
        since = f"since {state!r}" if state else "since the start of the journey"
        name = ids.execution_name(enrolment.journey, enrolment.hop.id)
        if not enrolment.hop.taken_by:
            cause = f"the way {since} was given out {attempts} times, and the last execution did not begin. {_look(name)} {_NO_BEGIN}"
            return Failure(state, "HopNeverBegan", cause)
        times = f"the way {since} was begun {attempts} times and never came to a Pause or an end"
        steps = self.steps_behind(enrolment.journey, state)
        return Failure(
            state, "HopDied", f"{times}{_among(steps)}; no step could catch what ended it. {_look(name)} {_ENDS}"
        )


def _among(steps: Sequence[str]) -> str:
    """Where a hop may have died, for a sentence about it."""
    if not steps:
        return ""
    named, more = ", ".join(map(repr, steps[:MOST_STEPS_NAMED])), len(steps) - MOST_STEPS_NAMED
    return f"; in the deployed version {named}{f' and {more} more' if more > 0 else ''} may follow there"


def _look(execution: str) -> str:
    return f'Search the log group /aws/vendedlogs/states/<stage>-journeys for "{execution}".'
