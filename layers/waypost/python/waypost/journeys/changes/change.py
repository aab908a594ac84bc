"""A change of a journey: what it does with the contacts of each former version, by the Pause they wait at."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal

from waypost import ids
from waypost.clock import format_instant
from waypost.codec import JsonForm
from waypost.journeys.pause import Pause

ActKind = Literal["follow", "stay", "move", "stop"]
Effect = Literal["follow", "stay", "move", "stop", "walking", "undecided"]
"""What became of a contact. ``walking``: a hop runs, and its contact is looked at when it has parked; ``undecided``: it
waits at a Pause for which nothing was decided, and stays on its version."""
UndoEffect = Literal["restored", "walked_on", "place_taken", "undone_before", "not_taken"]
"""``walked_on``: the contact has left the place where the change had put it; ``place_taken``: it has entered the journey, or
another one of its exclusive group, since it was stopped; ``not_taken``: its hop was faster than the change."""

ANY_STATE: Final = "*"
"""Stands for every Pause: in the policies of a journey, and in a journey that is removed for contacts that walk, too."""
WALKING: Final = "-"
"""Stands for the Pause of a contact whose hop runs: it has not come to one, or is on its way to the next."""


@dataclass(frozen=True, slots=True)
class Act(JsonForm):
    """What happens to the contacts at one Pause of a former version.

    ``to`` is the Pause of the new version where they go on (``follow``, ``move``) and ``needs`` the variables that their
    rows carry there; ``variables`` are given to all of them. ``visit`` is how their visit there is counted: by a number, by
    the variable of this name, or, empty, as before. ``reason`` belongs to ``stop``.
    """

    kind: ActKind
    to: str = ""
    needs: tuple[str, ...] = ()
    variables: Mapping[str, Any] = field(default_factory=dict)
    visit: str = ""
    reason: str = ""

    def takes(self, pause: Pause, enrolment_id: str) -> Pause:
        """The Pause of a contact that goes on at ``to``: its wait ends when, and by what, it was to end before.

        A hop walks from there in any case: what is left to do behind it, ``to`` would have to say.
        """
        known = {**pause.row.get("variables", {}), **self.variables}
        occurrence = self._occurrence(pause, known)
        variables = {name: known[name] for name in self.needs}
        return replace(
            pause,
            pause_id=ids.pause_id(enrolment_id, self.to, occurrence),
            state=self.to,
            occurrence=occurrence,
            row={**_walked(pause.row), "at": self.to, "variables": variables},
        )

    def fits(self, pause: Pause) -> bool:
        """Whether this contact's row has what it needs there."""
        known = {**pause.row.get("variables", {}), **self.variables}
        counted = not self.visit or self.visit.isdigit() or isinstance(known.get(self.visit), int | float)
        return counted and set(self.needs) <= known.keys()

    def _occurrence(self, pause: Pause, known: Mapping[str, Any]) -> int:
        if not self.visit:
            return pause.occurrence
        return int(self.visit) if self.visit.isdigit() else int(known[self.visit])


def _walked(row: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in row.items() if name != "nothing_behind"}


Acts = Mapping[str, Mapping[str, Act]]
"""Former version → Pause → act."""


@dataclass(frozen=True, slots=True)
class Change(JsonForm):
    """A change and its record: who has decided it, and when; what it did, by version, Pause and effect.

    ``to_version`` is empty for a journey that is removed, ``splits`` are those of the new one. ``finished_at`` is set when nobody is
    left to be looked at.
    """

    id: str
    journey: str
    to_version: str
    acts: Mapping[str, Mapping[str, Act]]
    by: str
    decided_at: datetime
    finished_at: datetime | None = None
    counts: Mapping[str, Mapping[str, Mapping[str, int]]] = field(default_factory=dict)
    undone_at: datetime | None = None
    undone_by: str = ""
    undone: Mapping[str, int] = field(default_factory=dict)
    splits: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def act_for(self, version: str, state: str) -> Act | None:
        """What happens to a contact that waits at ``state`` of ``version``."""
        acts = self.acts.get(version, {})
        return acts.get(ANY_STATE) or acts.get(state)

    @property
    def is_open(self) -> bool:
        """Whether contacts may be left to be looked at."""
        return self.finished_at is None and self.undone_at is None

    @property
    def needed_versions(self) -> set[str]:
        """The versions whose machines an undo would need."""
        return set(self.acts) | ({self.to_version} if self.to_version else set())


@dataclass(frozen=True, slots=True)
class Position(JsonForm):
    """Where a contact stood before a change took it, and its branches: what undo restores. ``pause_id`` is where the change has put it."""

    change: str
    at: datetime
    contact_id: str
    enrolment_id: str
    act: ActKind
    from_version: str
    pause: Pause | None
    pause_id: str
    revision: int
    splits: Mapping[str, str] = field(default_factory=dict)


def change_id(journey: str, to_version: str, decided_at: datetime) -> str:
    """The id of a change: readable, unique for a journey."""
    return f"{journey}--{to_version or 'removed'}-{format_instant(decided_at)[:19].replace(':', '').replace('-', '')}"
