"""Which maintained rules an event can affect: those that read what it touches, and no others. Used by the upkeep of segments.

A maintained rule is one that Waypost keeps true by itself: a saved segment, a tag with a rule, the life cycle. What an event
touches is read off the event, never off a difference of profiles: an event that is routed again after a crash must lead to
the same rules, although its changes are in the profile already.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final, Literal, Self, assert_never

from waypost import ids
from waypost.contacts.address_record import ADDRESS_ATTRIBUTES
from waypost.contacts.channels import CHANNELS
from waypost.contacts.tag_system import TagSystem, load_tag_system
from waypost.errors import InvalidInput
from waypost.events.envelope import Event
from waypost.events.message_events import MAY_SUPPRESS, SUPPRESSION_LIFTED
from waypost.segments.lifecycle import Lifecycle, load_lifecycle
from waypost.segments.membership_query import MembershipQuery
from waypost.segments.reads import EVERY, ZONE_ATTRIBUTE, Reads
from waypost.segments.saved_segments import Refresh, SavedSegment, load_saved_segments
from waypost.segments.vocabulary import ANY_EVENT, CONCLUSIONS

Kind = Literal["segment", "tag", "lifecycle"]

LIFECYCLE: Final = "lifecycle"
"""The key and the fact of the life cycle, of which there is one."""

DERIVED: Final[Mapping[str, str]] = {
    "segment_entered": "segment", "segment_left": "segment", "tag_added": "tag", "tag_removed": "tag",
    "lifecycle_changed": LIFECYCLE,
}  # fmt: skip
"""What each event that a maintained rule may cause is about. A rule that reads such events depends on those rules."""

MAY_CHANGE_ANYTHING: Final = frozenset({"contacts_merged", "contacts_unmerged", "contact_imported", "profile_rebuilt"})
"""Events that may have changed anything in the profile."""

_CONSENTING: Final = frozenset({"consent_granted", "consent_withdrawn", "unsubscribed"})


@dataclass(frozen=True, slots=True)
class MaintainedRule:
    """A rule that is kept true: ``segment:vip``, ``tag:dormant-warning``, ``lifecycle``.

    That of the life cycle holds when that of any stage does; the stages are asked one by one.
    """

    kind: Kind
    name: str
    query: MembershipQuery
    refresh: Refresh = "daily"

    @property
    def reads(self) -> Reads:
        """What the rule looks at."""
        return self.query.reads

    @property
    def key(self) -> str:
        """What the rule is called here; also the fact that changes with it."""
        return f"{self.kind}:{self.name}" if self.name else self.kind


@dataclass(frozen=True)
class RuleIndex:
    """The maintained rules, each behind those it depends on, and which of them read what.

    ``lifecycle`` is the life cycle among them. ``fingerprint`` changes when any rule does.
    """

    rules: tuple[MaintainedRule, ...] = ()
    lifecycle: Lifecycle | None = None
    fingerprint: str = ""
    readers: Mapping[str, Sequence[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, rules: Iterable[MaintainedRule], *, lifecycle: Lifecycle | None = None) -> Self:
        """The index of these rules. Raises InvalidInput when one depends on itself."""
        known = {rule.key: rule for rule in rules}
        ordered = [known[key] for key in in_order({key: depends_on(rule.reads, known) for key, rule in known.items()})]
        readers: dict[str, list[int]] = {}
        for position, rule in enumerate(ordered):
            for fact in _facts_watched(rule):
                readers.setdefault(fact, []).append(position)
        written: dict[str, Any] = {rule.key: rule.query.rule for rule in ordered}
        if lifecycle is not None:
            written[LIFECYCLE] = [[stage.name, sorted(stage.after), stage.rule] for stage in lifecycle.stages]
        fingerprint = ids.digest(json.dumps(written, sort_keys=True)) if written else ""
        return cls(tuple(ordered), lifecycle, fingerprint, readers)

    @classmethod
    def declared(
        cls, *, segments: Mapping[str, SavedSegment], tags: TagSystem, lifecycle: Lifecycle | None = None
    ) -> Self:
        """The index of everything declared."""
        rules = [
            MaintainedRule("segment", name, MembershipQuery(each.rule), each.refresh) for name, each in segments.items()
        ]
        rules += [
            MaintainedRule("tag", name, MembershipQuery(tag.rule)) for name, tag in tags.by_rule.items() if tag.rule
        ]
        if lifecycle is not None:
            ruled = {"any": [stage.rule for stage in lifecycle.stages if stage.rule is not None]}
            rules.append(MaintainedRule("lifecycle", "", MembershipQuery(ruled)))
        return cls.of(rules, lifecycle=lifecycle)

    def __len__(self) -> int:
        return len(self.rules)

    @cached_property
    def keys(self) -> frozenset[str]:
        """What the rules are called."""
        return frozenset(rule.key for rule in self.rules)

    def touched_by(self, facts: Iterable[str]) -> set[int]:
        """The places of the rules that read one of these facts."""
        return {position for fact in facts for position in self._readers_of(fact)}

    def _readers_of(self, fact: str) -> Iterator[int]:
        """Those that read it by its name, and those to which any of its kind matters."""
        yield from self.readers.get(fact, ())
        kind = fact.partition(":")[0]
        if f"{kind}:{EVERY}" in self.readers:
            yield from self.readers[f"{kind}:{EVERY}"]

    def following(self, positions: Iterable[int]) -> set[int]:
        """These places, and those of all rules that may change when these do."""
        found: set[int] = set()
        waiting = list(positions)
        while waiting:
            position = waiting.pop()
            if position not in found:
                found.add(position)
                waiting.extend(self._readers_of(self.rules[position].key))
        return found

    @cached_property
    def stages(self) -> Mapping[str, MembershipQuery | None]:
        """What is asked of each stage of the life cycle; None for a stage that is entered by hand."""
        stages = self.lifecycle.stages if self.lifecycle else ()
        return {stage.name: None if stage.rule is None else MembershipQuery(stage.rule) for stage in stages}


@cache
def load_index() -> RuleIndex:
    """The index of this deployment's maintained rules; empty, and free, when none are declared."""
    return RuleIndex.declared(segments=load_saved_segments(), tags=load_tag_system(), lifecycle=load_lifecycle())


def facts_read(read: Reads) -> Iterator[str]:
    """The facts whose change may change the answer of a rule that reads these."""
    for source in read.sources():
        match source:
            case "attributes":
                names = read.attributes | {name.partition(".")[0] for name in read.attributes}
                yield from (f"attribute:{name}" for name in names)
            case "events" | "tags" | "groups" | "segments" | "metrics" | "consents" | "journeys":
                yield from (f"{source.removesuffix('s')}:{name}" for name in getattr(read, source))
            case "suppressions":  # of the address in use
                yield from (source, "identities", *(f"attribute:{name}" for name in ADDRESS_ATTRIBUTES))
            case "lifecycle" | "points" | "identities" | "enrolments":
                yield source
            case "any_event":
                yield ANY_EVENT
            case "time" | "history":
                yield f"attribute:{ZONE_ATTRIBUTE}"
            case "property" | "trigger":
                pass  # of one event, and no part of the contact
            case _:
                assert_never(source)


def _facts_watched(rule: MaintainedRule) -> set[str]:
    """The facts at which a rule is asked again: what it reads, and an answer of its own that others gave.

    The life cycle goes as far as its rules lead when it is asked; its own steps never ask it again.
    """
    facts = set(facts_read(rule.reads))
    own = {LIFECYCLE, "event:lifecycle_changed"}
    return facts - own if rule.kind == "lifecycle" else facts | {rule.key}


def facts_of(event: Event) -> set[str] | None:
    """What an event may have changed of its contact; None when that may be anything."""
    if event.is_our_own and event.type in MAY_CHANGE_ANYTHING:
        return None
    facts = {f"event:{event.type}"}
    if event.type not in CONCLUSIONS:
        facts.add(ANY_EVENT)
    if event.contact.keys() - {"contact_id"}:
        facts |= {"identities", *(f"attribute:{kind}" for kind in ("email", "phone") if kind in event.contact)}
    for name, value in event.profile.items():
        facts.update(_facts_of_profile(name, value))
    facts.update(_facts_of_type(event.type, event.properties))
    return facts


def facts_of_journeys(names: Iterable[str]) -> set[str]:
    """What it may change that the contact has entered or left these journeys."""
    journeys = {f"journey:{name}" for name in names}
    return {"enrolments", *journeys} if journeys else set()


def _facts_of_profile(name: str, value: Any) -> Iterator[str]:
    """What a change in an event's ``profile`` touches, reserved keys included."""
    match name:
        case "consent":
            yield from (f"consent:{channel}" for channel in value)
        case "tags" | "remove_tags":
            yield from (f"tag:{tag}" for tag in value)
        case "groups" | "leave_groups":
            yield from (f"group:{group}" for group in value)
        case _:
            yield f"attribute:{name}"


def _facts_of_type(kind: str, properties: Mapping[str, Any]) -> Iterator[str]:
    """What the product's own types touch beside the history."""
    match kind:
        case "segment_entered" | "segment_left":
            yield f"segment:{properties.get('segment')}"
        case "tag_added" | "tag_removed":
            yield f"tag:{properties.get('tag')}"
        case "lifecycle_changed":
            yield LIFECYCLE
        case "group_joined" | "group_left":
            yield f"group:{properties.get('group')}"
        case "points_earned" | "points_spent":
            yield "points"
        case "journey_ended":
            yield from facts_of_journeys([str(properties.get("journey"))])
        case _ if kind in MAY_SUPPRESS or kind == SUPPRESSION_LIFTED:
            yield "suppressions"
        case _ if kind in _CONSENTING:
            channel = properties.get("channel")
            yield from (f"consent:{each}" for each in ([channel] if channel else CHANNELS))
        case _:
            pass


def depends_on(read: Reads, known: Collection[str]) -> set[str]:
    """The keys among ``known`` (a set or a mapping) of the maintained rules whose answers a rule that reads these builds on."""
    direct = {fact for fact in facts_read(read) if fact in known}
    through_events = {DERIVED[event] for event in read.events if event in DERIVED}
    if EVERY in read.tags:
        through_events.add("tag")
    if not through_events:  # with a thousand rules, looking at each of them for each of them would take seconds
        return direct
    return direct | {key for key in known if key.split(":")[0] in through_events}


def in_order(dependencies: Mapping[str, Iterable[str]]) -> list[str]:
    """The keys, each behind those it depends on; the life cycle may look at the stage it leads from.

    Raises InvalidInput with the way round when there is one.
    """
    others = {
        key: {each for each in keys if (each, key) != (LIFECYCLE, LIFECYCLE)} for key, keys in dependencies.items()
    }
    try:
        return list(TopologicalSorter(others).static_order())
    except CycleError as error:
        way = list(reversed(error.args[1]))
        raise InvalidInput(way[0], f"depends on itself: {' → '.join(way)}") from None
