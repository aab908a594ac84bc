"""The ports of the journey engine: enrolments, pauses, state machines and schedules."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from waypost.journeys.enrolment import Enrolment, EnrolmentOutcome, LeavingOutcome, TriggerEvent
from waypost.journeys.pause import Pause, PauseEnd

Refusal = Literal["enrolled_before", "already_in_journey", "exclusive_group_taken", "audience_limit_reached"]


@dataclass(frozen=True, slots=True)
class EntryTerms:
    """What must hold, at the moment of writing, for an enrolment to be opened.

    ``not_since``: with ``re_entry: {after: …}``, the earlier enrolment must be older than this. ``one_at_a_time``: no
    other enrolment of the journey may be active (not so for ``re_entry: {per: …}``). ``also_under`` are ids of contacts
    that are part of this one: what they hold stands in the way just the same.
    """

    one_at_a_time: bool
    not_since: datetime | None = None
    exclusive_group: str | None = None
    audience_limit: int | None = None
    also_under: tuple[str, ...] = ()


class EnrolmentStore(Protocol):
    """Keeps enrolments, and with them re-entry, exclusive groups and audience limits."""

    def open(self, enrolment: Enrolment, terms: EntryTerms) -> Refusal | None:
        """Store the enrolment if its terms hold, all in one transaction; None when it is stored, else why not."""
        ...

    def load(self, contact_id: str, enrolment_id: str) -> Enrolment | None:
        """The enrolment, read consistently, or None."""
        ...

    def unfinished(self, contact_id: str) -> list[Enrolment]:
        """The contact's enrolments that are active or leaving, read consistently."""
        ...

    def of_contact(self, contact_id: str) -> list[Enrolment]:
        """All enrolments of the contact, whatever became of them, read consistently."""
        ...

    def leave(
        self, enrolment: Enrolment, *, outcome: LeavingOutcome, event: TriggerEvent, at: datetime
    ) -> Enrolment | None:
        """Turn an active enrolment into a leaving one; the enrolment as it is now, None when it has ended already."""
        ...

    def hold_until(self, contact_id: str, enrolment_id: str, instant: datetime) -> None:
        """Note that a message of this enrolment goes out at ``instant``, unless a later one is noted."""
        ...

    def end(self, enrolment: Enrolment, *, outcome: EnrolmentOutcome, at: datetime) -> bool:
        """End the enrolment and free what it held; False when it had ended already."""
        ...


class PauseStore(Protocol):
    """Keeps parked journeys."""

    def park(self, pause: Pause) -> Pause:
        """Store a waiting pause and give back what is stored.

        When the same visit is parked again (a retry, a replay) the newest token is kept and the first due time stays;
        a pause that is over comes back as it ended, unchanged.
        """
        ...

    def load(self, contact_id: str, enrolment_id: str, pause_id: str) -> Pause | None:
        """The pause, read consistently, or None."""
        ...

    def of_enrolment(self, contact_id: str, enrolment_id: str) -> list[Pause]:
        """All pauses of an enrolment, read consistently."""
        ...

    def settle(self, pause: Pause, *, end: PauseEnd, outcome: Mapping[str, Any], at: datetime) -> Pause:
        """End a waiting pause; the first to settle wins, and what is stored comes back."""
        ...

    def postpone(self, pause: Pause, due_at: datetime) -> bool:
        """Give a waiting pause a later due time; False when it is over."""
        ...

    def mark_signalled(self, pause: Pause) -> None:
        """Mark the pause as signalled; nothing remains to be done."""
        ...

    def overdue(self, before: datetime) -> Iterator[Mapping[str, str]]:
        """References of pauses that were due before this instant and whose journey has not been signalled."""
        ...


class Machines(Protocol):
    """Runs state machines."""

    def start(self, journey: str, name: str, execution_input: Mapping[str, Any]) -> None:
        """Start an execution; one that was started before under this name is left as it is."""
        ...


class TaskTokens(Protocol):
    """Tells parked tasks how they ended. A token that has been used or has timed out is no error: the first call wins."""

    def succeed(self, token: str, output: Mapping[str, Any]) -> None:
        """End the task with a result."""
        ...

    def fail(self, token: str, *, error: str, cause: str) -> None:
        """End the task with a named error."""
        ...


class Resumptions(Protocol):
    """Books one-time calls of resume_journey."""

    def resume_at(self, name: str, instant: datetime, reference: Mapping[str, Any]) -> None:
        """Have resume_journey called at ``instant`` (rounded up to the second); booking again moves the schedule."""
        ...

    def cancel(self, name: str) -> None:
        """Drop a schedule; one that has fired or never was is no error."""
        ...
