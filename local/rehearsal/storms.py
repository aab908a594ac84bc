"""Makes event storms: contacts who do what the scenarios of a journey do, at other times, again, and much else. Used by rehearsals.

What may happen is read from the journey's own files, so a new journey has storms without a word about them: the events,
changes and reactions of its scenarios, the events that start, end and wake it, every reaction to its messages, a
withdrawn consent and a move to another time zone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final, Self
from zoneinfo import ZoneInfo

from local.rehearsal.many_contacts import played_by_another
from local.rehearsal.reactions import can_happen
from local.rehearsal.scenario_draws import Draws
from local.rehearsal.scenario_file import REACTIONS, Expected, Scenario, ScenarioEvent, ScenarioFile
from waypost.authoring.discovery import JourneyFolder
from waypost.authoring.graph import called_function, scopes
from waypost.events.message_events import MESSAGE_EVENTS
from waypost.segments.vocabulary import CONCLUSIONS

MOST_MOMENTS: Final = 24
"""Moments of all storms of a journey: every one is a step of the clock, for one contact or for all."""
_AFTERWARDS: Final = (timedelta(), timedelta(minutes=1), timedelta(hours=5), timedelta(hours=26))
"""How long after a moment of a scenario something may happen too."""
_KEPT: Final = 0.85
_REPEATED: Final = 0.25
_FIRST_SIZE: Final = 2
_MOST_MORE: Final = 10
_SEEDS_PER_SIZE: Final = 25
_ZONES: Final = ("America/New_York", "Asia/Kathmandu", "Asia/Shanghai")
_NOT_SENT_IN: Final = CONCLUSIONS | {*MESSAGE_EVENTS}
"""What Waypost concludes or is reported by a provider: it comes from nowhere else."""

Deed = dict[str, Any]
"""Something that a contact does: the fields of a scenario's event but its time."""


@dataclass(frozen=True, slots=True)
class Storms:
    """The storms of one journey. ``moments`` are instants at which its scenarios do something or expect a message, and soon after."""

    file: ScenarioFile
    draws: Draws
    deeds: tuple[Deed, ...]
    moments: tuple[datetime, ...]

    @classmethod
    def of(cls, journey: JourneyFolder, file: ScenarioFile, default_zone: ZoneInfo) -> Self:
        """Those of a journey and its scenario file."""
        return cls(
            file,
            Draws.of(journey),
            tuple(_distinct([*_done_in(file), *_named_by(journey, file), *_common(journey)])),
            _moments(file, default_zone),
        )

    def of_seed(self, seed: int) -> Scenario:
        """The storm of a seed, always the same for the same files; larger seeds do more."""
        most = min(_FIRST_SIZE + seed // _SEEDS_PER_SIZE, _MOST_MORE)
        return self.draw(Random(seed), seed, most)  # noqa: S311 - a storm that comes again for its seed

    def draw(self, chance: Random, index: int, most: int = _MOST_MORE) -> Scenario:
        """A scenario, played by the contact ``index``, with up to ``most`` deeds more, moved or repeated. Nothing is expected of it."""
        base = chance.choice(self.file.scenarios)
        events = [each for each in base.events if chance.random() < _KEPT]
        for _ in range(chance.randint(1, most)):
            if events and chance.random() < _REPEATED:
                events.append(chance.choice(events))
                continue
            at = chance.choice(self.moments).isoformat()
            events.append(ScenarioEvent.model_validate({**chance.choice(self.deeds), "at": at}))
        storm = base.model_copy(update={"events": events, "expect": Expected(), "draws": {}, "held_out": None})
        return played_by_another(storm, index, self.draws)

    def within(self, moments: Sequence[datetime]) -> "Storms":
        """The same storms on these moments alone: what several share costs one step of the clock."""
        return replace(self, moments=tuple(moments))


def without_each(storm: Scenario) -> list[Scenario]:
    """The storm with one event less, for each of its events."""
    return [
        storm.model_copy(update={"events": [*storm.events[:index], *storm.events[index + 1 :]]})
        for index in range(len(storm.events))
    ]


def _done_in(file: ScenarioFile) -> Iterator[Deed]:
    for scenario in file.scenarios:
        for each in scenario.events:
            yield each.model_dump(exclude_defaults=True, exclude={"at", "after"})


def _named_by(journey: JourneyFolder, file: ScenarioFile) -> Iterator[Deed]:
    """The events that the journey speaks of and no scenario sends."""
    published = journey.published()
    matches = (published["trigger"], published["goal"], *published["exit_on"])
    named = {match["event"] for match in matches if match is not None}
    for scope in scopes(journey.definition):
        for state in scope.states.values():
            match called_function(state), (state.get("Arguments") or {}).get("Payload"):
                case "PauseJourney", {"or": {"event": str(event)}}:
                    named.add(event)
                case _:
                    pass
    sent = {each.event for scenario in file.scenarios for each in scenario.events}
    yield from ({"event": event} for event in sorted(named - sent - _NOT_SENT_IN))


def _common(journey: JourneyFolder) -> Iterator[Deed]:
    """What contacts of every journey do."""
    for name, message in journey.messages.items():
        for kind in REACTIONS:
            if any(can_happen(kind, channel) for channel in message["channels"]):
                yield {kind: name}
    for channel in sorted({channel for message in journey.messages.values() for channel in message["channels"]}):
        yield {"profile": {"consent": {channel: False}}}
        yield {"profile": {"consent": {channel: True}}}
    yield from ({"profile": {"timezone": zone}} for zone in _ZONES)


def _distinct(deeds: list[Deed]) -> list[Deed]:
    return [each for index, each in enumerate(deeds) if each not in deeds[:index]]


def _moments(file: ScenarioFile, default_zone: ZoneInfo) -> tuple[datetime, ...]:
    found: set[datetime] = {file.start + _AFTERWARDS[1]}
    for scenario in file.scenarios:
        zone = file.zone_of(scenario, default_zone)
        stand_at = [each.at for each in (*scenario.events, *(scenario.expect.messages or ())) if each.at is not None]
        found |= {file.instant(at, zone) + after for at in stand_at for after in _AFTERWARDS}
    end = file.until or datetime.max.replace(tzinfo=file.start.tzinfo)
    possible = sorted(at for at in found if file.start <= at < end)
    apart = max(1, -(-len(possible) // MOST_MOMENTS))
    return tuple(possible[::apart])
