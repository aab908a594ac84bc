"""Make good what a crash or a lost schedule left behind. Called by sweep_journeys every hour."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from waypost.clock import Clock
from waypost.codec import JsonForm
from waypost.errors import WaypostError
from waypost.journeys.ports import PauseStore
from waypost.journeys.resume_journey import ResumeJourney
from waypost.sending.ledger import Ledger

GRACE: Final = timedelta(minutes=15)
"""How late a schedule or a provider's answer may be before it counts as lost."""


@dataclass(frozen=True, slots=True)
class SweepReport(JsonForm):
    """What the sweeper found: both counts raise an alarm when they are not zero."""

    overdue_pauses: int
    unknown_messages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepJourneys:
    """Resumes overdue pauses and turns claims without an answer into ``unknown``."""

    pauses: PauseStore
    resumer: ResumeJourney
    ledger: Ledger
    clock: Clock

    def sweep(self) -> SweepReport:
        """One pass over everything that was due more than ``GRACE`` ago.

        What fails does not keep the rest waiting; the first error is raised when everything else is done.
        """
        before, errors = self.clock() - GRACE, list[WaypostError]()
        resumed = unknown = 0
        for reference in self.pauses.overdue(before):
            try:
                resumed += self.resumer.resume(reference)["effect"] == "resumed"
            except WaypostError as error:
                errors.append(error)
        for row in self.ledger.stale_claims(before):
            try:
                unknown += self.ledger.give_up_claim(row, at=self.clock())
            except WaypostError as error:
                errors.append(error)
        if errors:
            raise errors[0]
        return SweepReport(overdue_pauses=resumed, unknown_messages=unknown)
