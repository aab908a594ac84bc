"""A PauseStore in memory."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from tests.fakes.effects import Effects, effect
from waypost.journeys.pause import Pause, PauseEnd


class FakePauses:
    """A PauseStore."""

    label = "pauses"

    def __init__(self, effects: Effects | None = None) -> None:
        self.effects = effects or Effects()
        self.items: dict[tuple[str, str, str], str] = {}

    def __contains__(self, pause_id: object) -> bool:
        return any(pause_id == known for _, _, known in self.items)

    def __iter__(self) -> Iterator[Pause]:
        return (Pause.from_dict(json.loads(item)) for item in self.items.values())

    @effect
    def park(self, pause: Pause) -> Pause:
        """See PauseStore."""
        stored = self.load(pause.contact_id, pause.enrolment_id, pause.pause_id)
        if stored is None:
            self._store(pause)
        elif stored.status == "waiting":
            self._store(replace(stored, token=pause.token))
        else:
            return replace(stored, token=pause.token)
        return self._stored(pause)

    def load(self, contact_id: str, enrolment_id: str, pause_id: str) -> Pause | None:
        """See PauseStore."""
        item = self.items.get((contact_id, enrolment_id, pause_id))
        return Pause.from_dict(json.loads(item)) if item else None

    def of_enrolment(self, contact_id: str, enrolment_id: str) -> list[Pause]:
        """See PauseStore."""
        return [each for each in self if (each.contact_id, each.enrolment_id) == (contact_id, enrolment_id)]

    @effect
    def settle(self, pause: Pause, *, end: PauseEnd, outcome: Mapping[str, Any], at: datetime) -> Pause:
        """See PauseStore."""
        stored = self._stored(pause)
        if stored.status == "waiting":
            self._store(replace(stored, status=end, outcome=dict(outcome), ended_at=at))
        return self._stored(pause)

    @effect
    def postpone(self, pause: Pause, due_at: datetime) -> bool:
        """See PauseStore."""
        stored = self._stored(pause)
        if stored.status != "waiting":
            return False
        self._store(replace(stored, due_at=due_at))
        return True

    @effect
    def mark_signalled(self, pause: Pause) -> None:
        """See PauseStore."""
        self._store(replace(self._stored(pause), signalled=True))

    def overdue(self, before: datetime) -> Iterator[Mapping[str, str]]:
        """See PauseStore."""
        return iter([each.reference() for each in self if not each.signalled and each.due_at < before])

    def _stored(self, pause: Pause) -> Pause:
        stored = self.load(pause.contact_id, pause.enrolment_id, pause.pause_id)
        assert stored is not None
        return stored

    def _store(self, pause: Pause) -> None:
        self.items[pause.contact_id, pause.enrolment_id, pause.pause_id] = json.dumps(pause.to_dict())
