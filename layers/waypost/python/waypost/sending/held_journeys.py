"""Journeys that an operator holds: paused, draining or stopped. Its policy: ``journeys``, which the operation journey-control changes.

The journey engine reads it from the changes of the policy, no guard with it; the guard ``journey_paused`` from the policy in force.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from waypost.clock import Clock, parse_instant
from waypost.sending.policy import Setting
from waypost.sending.policy_change import LOOKED_AFTER, PolicyStore

HoldState = Literal["paused", "draining", "stopped", "running"]
"""``running``: it was held, and goes on since."""


@dataclass(frozen=True, slots=True)
class JourneyHold:
    """What was last decided on a journey, since when (ISO 8601), and why."""

    state: HoldState
    since: str = ""
    why: str = ""

    @property
    def keeps_contacts(self) -> bool:
        """Whether contacts stay where they are: no hop starts."""
        return self.state in {"paused", "stopped"}

    @property
    def refuses_entry(self) -> bool:
        """Whether nobody enters."""
        return self.state != "running"


HOLDS: Final[Setting[Mapping[str, JourneyHold]]] = Setting(
    "journeys",
    form=dict[str, JourneyHold],
    default={},
    load=lambda value: {name: JourneyHold(**each) for name, each in value.items()},
    operated=True,
)


@dataclass(slots=True, kw_only=True)
class HeldJourneys:
    """Says what holds for a journey, a minute late at most: one small read a minute for each process that asks."""

    store: PolicyStore
    clock: Clock
    _known: Mapping[str, Any] = field(default_factory=dict, init=False)
    _looked_at: datetime | None = field(default=None, init=False)

    def of(self, journey: str) -> JourneyHold | None:
        """What was last decided on the journey; None when nothing was."""
        now = self.clock()
        if self._looked_at is None or not timedelta() <= now - self._looked_at < LOOKED_AFTER:
            change = self.store.current()
            self._known = change.changes.get(HOLDS.name, {}) if change else {}
            self._looked_at = now
        found = self._known.get(journey)
        return JourneyHold(**found) if found else None

    def keeps(self, journey: str) -> bool:
        """Whether the journey's contacts stay where they are."""
        hold = self.of(journey)
        return hold is not None and hold.keeps_contacts

    def released_since(self, journey: str) -> datetime | None:
        """Since when a journey that was held goes on; None for one that was not, or is held."""
        hold = self.of(journey)
        return parse_instant(hold.since) if hold is not None and not hold.keeps_contacts else None
