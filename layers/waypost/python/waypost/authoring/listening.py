"""Finds which event types the content of a stage reads, to leave out what nothing listens to. Called by publishing and the synth."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final, Protocol

from waypost.authoring.graph import called_function, scopes
from waypost.authoring.manifest import starting
from waypost.authoring.segments import placed_rules
from waypost.events.listening import NAMED, bus_pattern
from waypost.events.message_events import MessageEvent
from waypost.segments.dependencies import reads
from waypost.segments.index import facts_read
from waypost.segments.vocabulary import ANY_EVENT

MAY_BE_SETTLED: Final[tuple[MessageEvent, ...]] = ("message_accepted", "message_delivered")
"""What changes nothing but the message's row; a bounce, a complaint and a failure may close an address."""
JOURNEY_ENDED: Final = "journey_ended"
"""What changes nothing but the enrolment's row; rules about passages through journeys are evaluated when it comes."""


MAY_BE_QUIET: Final = (
    "segment_entered",
    "segment_left",
    "tag_added",
    "tag_removed",
    "lifecycle_changed",
    "contact_updated",
)
"""What upkeep concludes, whose pass evaluates the rules that build on it, and that a journey has changed the contact: this is
quiet only where no rule that is kept true looks at what was changed."""


class ReadJourney(Protocol):
    """A journey that passed every check."""

    @property
    def definition(self) -> dict[str, Any]:
        """Its state machine."""
        ...

    def published(self) -> dict[str, Any]:
        """The form the router reads."""
        ...


Sections = Mapping[str, dict[str, Any]]


def listening(journeys: Iterable[ReadJourney], sections: Sections) -> dict[str, Any]:
    """The section ``listening``: see ``waypost.events.listening``."""
    on_bus = sorted(set(_on_bus(sections)))
    read, named = {*_read_by_sections(sections)}, dict[str, set[str]]()
    for kind, names in _read_by_journeys(journeys):
        if names is None:
            read.add(kind)
        else:
            named.setdefault(kind, set()).update(names)
    patterns = [bus_pattern(each) for each in on_bus]

    def is_heard(kind: str) -> bool:
        return bool(read & {kind, ANY_EVENT}) or any(pattern.fullmatch(kind) for pattern in patterns)

    settled: list[str] = [kind for kind in MAY_BE_SETTLED if not is_heard(kind)]
    if not is_heard(JOURNEY_ENDED) and not any(_looks_at_journeys(placed.rule) for placed in placed_rules(sections)):
        settled.append(JOURNEY_ENDED)
    quiet = [kind for kind in MAY_BE_QUIET if not is_heard(kind)]
    return {
        "bus": on_bus,
        "settled": settled,
        "quiet": quiet,
        "watched": sorted(_watched(sections)),
        "heard": {kind: sorted(named[kind]) for kind in quiet if kind in named},
    }


def _watched(sections: Sections) -> set[str]:
    """The tags and groups that rules which are kept true look at, and the tags that such rules give."""
    facts = set[str]()
    for placed in placed_rules(sections):
        facts |= {placed.key, *facts_read(reads(placed.rule))}
    return {fact for fact in facts if fact.startswith(("tag:", "group:"))}


def _on_bus(sections: Sections) -> Iterator[str]:
    yield from sections.get("bus", {}).get("events", ())
    for destination in sections.get("destinations", {}).values():
        yield from destination["events"]


def _read_by_journeys(journeys: Iterable[ReadJourney]) -> Iterator[tuple[str, Collection[str] | None]]:
    """Each event type that a journey reads, with the only tags or segments of which it does; None for any."""
    for journey in journeys:
        published = journey.published()
        for match in (*(each for _, each in starting(published)), published["goal"], *published["exit_on"]):
            if match is not None:
                yield match["event"], _names_in(match["event"], match["where"])
        yield from ((kind, None) for kind in _read_by(published["entry"]))
        for scope in scopes(journey.definition):
            for state in scope.states.values():
                match called_function(state), (state.get("Arguments") or {}).get("Payload"):
                    case "EvaluateSegment", {"rule": dict(rule)}:
                        yield from ((kind, None) for kind in _read_by(rule))
                    case "PauseJourney", {"or": {"event": str(event)}}:
                        yield event, None
                    case _:
                        pass


def _names_in(kind: str, where: Mapping[str, Any] | None) -> Collection[str] | None:
    """The only tags or segments of which the condition can hold; None when it may hold of any."""
    match where:
        case {"property": str(name), "equals": str(value)} if name == NAMED.get(kind):
            return [value]
        case {"property": str(name), "in": [*values]} if name == NAMED.get(kind):
            return [str(each) for each in values]
        case {"all": [*parts]}:
            return next((names for part in parts if (names := _names_in(kind, part)) is not None), None)
        case _:
            return None


def _read_by_sections(sections: Sections) -> Iterator[str]:
    for placed in placed_rules(sections):
        yield from _read_by(placed.rule)
    metrics = sections.get("metrics", {})
    for score in metrics.get("scores", {}).values():
        yield from score["weights"]
    if rfm := metrics.get("rfm"):
        yield rfm["event"]


def _read_by(rule: Mapping[str, Any] | None) -> Iterator[str]:
    looked_at = reads(rule)
    yield from looked_at.events
    if looked_at.any_event:
        yield ANY_EVENT


def _looks_at_journeys(rule: Mapping[str, Any] | None) -> bool:
    looked_at = reads(rule)
    return bool(looked_at.journeys) or looked_at.enrolments
