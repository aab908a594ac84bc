"""The records of changes of journeys, and the machines of a stage, in memory."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from tests.fakes.effects import Effects, effect
from waypost.journeys.changes.change import Change, Position
from waypost.journeys.changes.ports import DeployedVersion


class FakeChanges:
    """A ChangeStore."""

    label = "changes"

    def __init__(self, effects: Effects | None = None) -> None:
        self.effects = effects or Effects()
        self.records: dict[str, str] = {}
        self.notes: dict[tuple[str, str, str], str] = {}

    @effect
    def put(self, change: Change) -> None:
        """See ChangeStore."""
        self.records[change.id] = json.dumps(change.to_dict())

    def load(self, change_id: str) -> Change | None:
        """See ChangeStore."""
        found = self.records.get(change_id)
        return Change.from_dict(json.loads(found)) if found else None

    def recent(self) -> list[Change]:
        """See ChangeStore."""
        found = [Change.from_dict(json.loads(each)) for each in self.records.values()]
        return sorted(found, key=lambda each: (each.decided_at, each.id))

    @effect
    def note(self, position: Position) -> None:
        """See ChangeStore."""
        key = (position.change, position.contact_id, position.enrolment_id)
        known = self.notes.get(key)
        if known is None or json.loads(known)["revision"] < position.revision:
            self.notes[key] = json.dumps(position.to_dict())

    def positions(self, change_id: str) -> Iterator[Position]:
        """See ChangeStore."""
        found = [note for (change, *_), note in self.notes.items() if change == change_id]
        return iter([Position.from_dict(json.loads(note)) for note in found])


class FakeStageMachines:
    """The DeployedMachines of a stage: ``made`` has the definitions in the order in which they were deployed."""

    def __init__(self, made: Mapping[tuple[str, str], Mapping[str, Any]] | None = None, *, at: datetime) -> None:
        self.made = dict(made or {})
        self._at = at

    def versions(self) -> list[DeployedVersion]:
        """See DeployedMachines."""
        found = [DeployedVersion(journey, version, self._at) for journey, version in self.made]
        return sorted(found, key=lambda each: each.journey)

    def definition(self, journey: str, version: str) -> Mapping[str, Any]:
        """See DeployedMachines."""
        definition: Mapping[str, Any] = self.made[journey, version]
        return definition

    def delete(self, journey: str, version: str) -> None:
        """See DeployedMachines."""
        self.made.pop((journey, version), None)
