"""The ports of the journey engine: enrolments, state machines and timers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, Protocol

from waypost.codec import JsonForm
from waypost.journeys.enrolment import Enrolment

SHARDS: Final = 16
"""Enrolments are spread over so many shards by their contact: each is found and resumed on its own."""

ATTEMPTS: Final = 8
"""How often a row is read again because another writer was first."""

NOTES_KEPT: Final = timedelta(days=14)
"""How long a note of what is due outlasts its time. The hourly sweep looks at each within the hour, and notes again what it leaves open."""

Refusal = Literal["enrolled_before", "already_in_journey", "exclusive_group_taken", "audience_limit_reached"]


LONGEST_CALL: Final = timedelta(minutes=15)
"""No call of a function lasts longer: who has a group and stored no row within it has died."""

NEVER: Final = datetime.min.replace(tzinfo=UTC)
"""The ``not_since`` of a journey that a contact enters once: no earlier enrolment is as old as that."""


@dataclass(frozen=True, slots=True)
class EntryTerms:
    """What must hold, at the moment of writing, for an enrolment to be opened.

    ``not_since``: with ``re_entry: {after: …}``, the earlier enrolment must be older than this; ``NEVER`` with ``never``. ``one_at_a_time``: no
    other enrolment of the journey may be active (not so for ``re_entry: {per: …}``). Both are asked of the enrolment's ``occasion``. ``also_under`` are ids of contacts
    that are part of this one: what they hold stands in the way just the same.
    """

    one_at_a_time: bool
    not_since: datetime | None = None
    exclusive_group: str | None = None
    audience_limit: int | None = None
    also_under: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DueEnrolment(JsonForm):
    """An enrolment that is due at ``due_at``."""

    contact_id: str
    enrolment_id: str
    due_at: datetime


class EnrolmentStore(Protocol):
    """Keeps enrolments, and with them re-entry, exclusive groups and audience limits."""

    def open(self, enrolment: Enrolment, terms: EntryTerms) -> Refusal | None:
        """Store the enrolment if its terms hold; None when it is stored, else why not.

        A call that died halfway holds what the same event takes again, and no other of the contact gets past it meanwhile.
        """
        ...

    def load(self, contact_id: str, enrolment_id: str) -> Enrolment | None:
        """The enrolment, read consistently, or None."""
        ...

    def glance(self, contact_id: str, enrolment_id: str) -> Enrolment | None:
        """The enrolment as it was within the last seconds, for half the units; None also when it has ended.

        Good enough to write on, because a write succeeds only on the revision it read. Not to refuse on.
        """
        ...

    def ended(self, contact_id: str, enrolment_id: str) -> Enrolment | None:
        """The enrolment as it ended, read consistently; None for one that is not over. Not for one that may be under way."""
        ...

    def unfinished(self, contact_id: str) -> list[Enrolment]:
        """The contact's enrolments that are active or leaving, read consistently; ended ones cost nothing."""
        ...

    def of_contact(self, contact_id: str) -> list[Enrolment]:
        """All enrolments of the contact, whatever became of them, read consistently."""
        ...

    def save(self, enrolment: Enrolment) -> bool:
        """Store what became of an unfinished enrolment; False when it was changed since it was read."""
        ...

    def hold_until(self, contact_id: str, enrolment_id: str, instant: datetime) -> None:
        """Record that a message of this enrolment goes out at ``instant``, unless a later one is recorded."""
        ...

    def end(self, enrolment: Enrolment) -> bool:
        """Store an enrolment that has ended and free what it held; False when it was changed since it was read."""
        ...

    def find_due(
        self, shard: int, *, since: datetime | None, until: datetime, after: DueEnrolment | None = None
    ) -> Iterator[DueEnrolment]:
        """What was noted of a shard after ``since``, at ``until`` at the latest, by time.

        The enrolment may have moved on since, and one that did stands in more than one place. ``after`` is the last one of an earlier
        call, as the cursor. What was written within the last seconds may be missing.
        """
        ...

    def note_due(self, contact_id: str, enrolment_id: str, at: datetime) -> None:
        """Have ``find_due`` list the enrolment at this time, for ``NOTES_KEPT``; where it was noted before, it stays.

        An unfinished enrolment is noted where its timer looks for it and, as long as a hop walks, where the sweep does. The note is written
        before the row: one too many finds a row that is not due, one too few lets a contact wait.
        """
        ...

    def unsettled(self, noted: Sequence[DueEnrolment], until: datetime) -> list[DueEnrolment]:
        """Those whose hop is given out or whose Pause was to be over by ``until``, each once, as it was within the last seconds."""
        ...

    def swept_until(self) -> datetime | None:
        """Up to when the sweep has looked at everything that was noted; None before the first one."""
        ...

    def mark_swept(self, until: datetime) -> None:
        """Record up to when the sweep has looked at everything."""
        ...


class Machines(Protocol):
    """Runs state machines."""

    def start(self, machine: str, name: str, execution_input: Mapping[str, Any]) -> None:
        """Start an execution of a machine, named without the stage's prefix; the same name again may start a double, which finds its hop taken."""
        ...


class Timers(Protocol):
    """Books one-time calls of resume_journey."""

    def resume_at(self, name: str, instant: datetime, request: Mapping[str, Any]) -> None:
        """Have resume_journey called at ``instant`` (a full second); a name that is booked already stays as it is."""
        ...
