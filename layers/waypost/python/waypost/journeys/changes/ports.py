"""The ports of changes of journeys: the enrolments in bulk, the records, the machines of a stage."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from waypost.journeys.changes.change import Change, Position
from waypost.journeys.enrolment import Enrolment
from waypost.journeys.ports import DueEnrolment, EnrolmentStore


class ChangedEnrolments(EnrolmentStore, Protocol):
    """The enrolments, for a change that looks at all of them."""

    def load_many(self, references: Sequence[DueEnrolment]) -> list[Enrolment]:
        """The unfinished enrolments of at most 100 references, read consistently; those that have ended are left out."""
        ...

    def reopen(self, enrolment: Enrolment) -> bool:
        """Store an ended enrolment as unfinished and take up what it held.

        False when it was changed since it was read, or when the contact is in the journey, or in another one of its exclusive
        group, again.
        """
        ...


class ChangeStore(Protocol):
    """Keeps the records of changes, and where each contact stood before."""

    def put(self, change: Change) -> None:
        """Store the record over an earlier one of the same id."""
        ...

    def load(self, change_id: str) -> Change | None:
        """The record, or None."""
        ...

    def recent(self) -> list[Change]:
        """The records of all journeys that are still kept, oldest first."""
        ...

    def note(self, position: Position) -> None:
        """Note where a contact stood, unless a later state of its row is noted."""
        ...

    def positions(self, change_id: str) -> Iterator[Position]:
        """All that is noted for a change."""
        ...


@dataclass(frozen=True, slots=True)
class DeployedVersion:
    """A version of a journey that has a machine on the stage."""

    journey: str
    version: str
    made_at: datetime


class DeployedMachines(Protocol):
    """The machines of journeys on a stage."""

    def versions(self) -> list[DeployedVersion]:
        """Every version of every journey, the newest of a journey last."""
        ...

    def definition(self, journey: str, version: str) -> Mapping[str, Any]:
        """The definition of a version's machine."""
        ...

    def delete(self, journey: str, version: str) -> None:
        """Delete a version's machine; one that is gone already is no error."""
        ...
