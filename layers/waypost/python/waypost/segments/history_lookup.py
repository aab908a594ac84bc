"""What a contact did and which journeys it went through, as far as a rule reads it. Used wherever one rule is evaluated.

The profile decides most rules; only what it cannot decide is worth these reads.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Protocol

from waypost.events.history import EVER, EventHistory, since_under
from waypost.segments.reads import Reads
from waypost.segments.subject import Enrolled, History, Subject

MOST_TYPES: Final = 100
"""Event types a query may name (DynamoDB's limit of operands of IN); for more, the whole history is read."""


class Passage(Protocol):
    """One enrolment of a contact, as far as rules read it."""

    @property
    def enrolment_id(self) -> str:
        """Its id."""
        ...

    @property
    def journey(self) -> str:
        """The name of the journey."""
        ...

    @property
    def status(self) -> str:
        """``active``, ``leaving`` or ``ended``."""
        ...

    @property
    def outcome(self) -> str | None:
        """How it ended, or None."""
        ...

    @property
    def enrolled_at(self) -> datetime:
        """When it began."""
        ...


class PassageStore(Protocol):
    """Keeps the passages of contacts through journeys; the journeys' EnrolmentStore is one."""

    def of_contact(self, contact_id: str) -> Sequence[Passage]:
        """Every passage stored under this contact id."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryLookup:
    """Reads histories and enrolments; ``partitions`` are the contact ids under which something of a contact is stored."""

    history: EventHistory
    enrolments: PassageStore

    def added(self, subject: Subject, partitions: Sequence[str], asked: Reads) -> Subject:
        """The subject with the history that the rule reads; nothing is fetched when it reads none."""
        if not (asked.history or asked.enrolments):
            return subject
        return replace(
            subject,
            history=self.events(partitions, asked) if asked.history else (),
            enrolments=self.passages(partitions) if asked.enrolments else (),
        )

    def events(self, partitions: Sequence[str], asked: Reads) -> History:
        """The contact's events of the types that are asked about."""
        types = [] if asked.any_event or len(asked.events) > MOST_TYPES else sorted(asked.events)
        found = since_under(partitions, self.history, EVER, types=types)
        return [(event.type, event.occurred_at, event.properties) for event in found]

    def passages(self, partitions: Sequence[str], *, ended: Mapping[str, str] | None = None) -> list[Enrolled]:
        """The contact's passages through journeys.

        ``ended`` maps the ids of enrolments that are known to have ended to their outcomes: the event that says so may be
        faster than the write.
        """
        over = ended or {}
        return [
            Enrolled(
                each.journey,
                "ended" if each.enrolment_id in over else each.status,
                over.get(each.enrolment_id, each.outcome),
                each.enrolled_at,
            )
            for partition in partitions
            for each in self.enrolments.of_contact(partition)
        ]
