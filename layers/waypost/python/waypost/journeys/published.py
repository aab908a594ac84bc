"""The manifests of the published journeys: plain data from the journeys layer, parsed once per process. Read by the router."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from typing import Any, Final, Literal, Self

from waypost.events.envelope import Event
from waypost.journeys.draws import HoldOut, Shares
from waypost.published_sections import published_section

SECTION: Final = "journeys"

REQUEST: Final = "journey_requested"
"""The event that starts the journey which its property ``journey`` names, whatever that journey's trigger is."""

TEST_PACE: Final = "test_pace"
"""The property of such an event by which a test contact lives the journey so many times faster."""

Rule = Mapping[str, Any]
"""A rule in its published form, for ``waypost.segments.compile``."""


LATEST_TRIGGER: Final = timedelta(hours=72)
"""How long after it happened an event may arrive and start a journey that says nothing else."""


@dataclass(frozen=True, slots=True)
class EventRule:
    """An event type and the rule its properties must meet."""

    event: str
    where: Rule | None = None


@dataclass(frozen=True, slots=True)
class Trigger:
    """What starts a journey beside a request for it; of the kinds ``manual`` and ``schedule`` it is the request alone.

    ``also`` are other events that start it. One that arrives more than ``fresh_for_seconds`` after it happened starts nothing.
    """

    kind: Literal["event", "schedule", "manual"]
    event: str
    where: Rule | None = None
    fresh_for_seconds: int = int(LATEST_TRIGGER.total_seconds())
    also: tuple[EventRule, ...] = ()

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """From the published form."""
        return cls(**{**value, "also": tuple(EventRule(**each) for each in value.get("also", ()))})

    def rules_for(self, event_type: str) -> list[Rule | None]:
        """The conditions of which one has to hold for an event of this type to start the journey; none if the type does not."""
        return [each.where for each in (EventRule(self.event, self.where), *self.also) if each.event == event_type]

    def is_too_old(self, event: Event) -> bool:
        """Whether the event arrived so late that it is history which a sender fills in."""
        return event.received_at - event.occurred_at > timedelta(seconds=self.fresh_for_seconds)


@dataclass(frozen=True, slots=True)
class Goal(EventRule):
    """The event a journey works for; it counts ``within_seconds`` of enrolment, or at any time."""

    within_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class ReEntry:
    """When a contact may enter again; ``seconds`` belongs to ``after``, ``property`` to ``per``, which may have both."""

    kind: Literal["never", "always", "side_by_side", "after", "per"]
    seconds: int | None = None
    property: str | None = None


@dataclass(frozen=True, slots=True)
class PublishedJourney:
    """A journey's manifest. ``machine_version`` walks those who enter; nobody enters a journey that is ``closed``.

    ``splits`` are the random ones of its flow, with the weight of each branch.
    """

    name: str
    scenario: str
    description: str
    owner: str
    version: int
    trigger: Trigger
    re_entry: ReEntry
    priority: int = 0
    exclusive_group: str | None = None
    entry: Rule | None = None
    exit_on: tuple[EventRule, ...] = ()
    goal: Goal | None = None
    target: Mapping[str, Any] | None = None
    audience_limit: int | None = None
    machine_version: str = ""
    closed: bool = False
    splits: Mapping[str, Shares] = field(default_factory=dict)
    holdout: HoldOut | None = None

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """From the published form."""
        goal, holdout = value["goal"], value.get("holdout")
        return cls(
            name=value["name"],
            scenario=value["scenario"],
            description=value["description"],
            owner=value["owner"],
            version=value["version"],
            priority=value["priority"],
            exclusive_group=value["exclusive_group"],
            trigger=Trigger.from_dict(value["trigger"]),
            entry=value["entry"],
            re_entry=ReEntry(**value["re_entry"]),
            exit_on=tuple(EventRule(**each) for each in value["exit_on"]),
            goal=None if goal is None else Goal(**goal),
            target=value["target"],
            audience_limit=value["audience_limit"],
            machine_version=value.get("machine_version", ""),
            closed=value.get("closed", False),
            splits=value.get("splits", {}),
            holdout=HoldOut.from_dict(holdout) if holdout else None,
        )

    @property
    def tried(self) -> Self:
        """As a test contact lives it: as often as it likes, beside other journeys, without taking a place, and not held out."""
        return replace(self, re_entry=ReEntry("always"), exclusive_group=None, audience_limit=None, holdout=None)


@dataclass(frozen=True, slots=True)
class PublishedJourneys:
    """Every journey of this deployment, by name."""

    by_name: Mapping[str, PublishedJourney]

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """From the published form: a manifest under each name."""
        return cls({name: PublishedJourney.from_dict(each) for name, each in value.items()})

    def triggered_by(self, event: str) -> list[PublishedJourney]:
        """The journeys this event type may start, highest priority first; equals by name."""
        started = [journey for journey in self.by_name.values() if journey.trigger.rules_for(event)]
        return sorted(started, key=lambda journey: (-journey.priority, journey.name))


@cache
def load_journeys() -> PublishedJourneys:
    """The published journeys of this deployment, from the journeys layer."""
    return PublishedJourneys.from_dict(published_section(SECTION))
