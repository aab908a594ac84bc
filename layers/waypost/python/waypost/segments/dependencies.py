"""What a rule looks at. Used to fetch only what matters, and to find the rules that a change can affect.

``reads`` errs on the side of too much: what it does not name can never change a rule's answer.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, Self

from waypost.contacts.channels import ADDRESS_ATTRIBUTE, CHANNELS
from waypost.segments.vocabulary import (
    ANY_CHANNEL,
    ANY_EVENT,
    KEY_WORDS,
    LIFECYCLE_CHANGED,
    RELATIVE_WORDS,
    WHERE_WORDS,
    ZONED_WORDS,
    Rule,
    arrivals_as_event,
    conditions,
    engagement_as_event,
    event_types,
    expand_where,
    names_of,
)

ZONE_ATTRIBUTE: Final = "timezone"
LOCALE_ATTRIBUTE: Final = "locale"
REGION_ATTRIBUTES: Final = ("city", "province")

_NOTHING: Final[frozenset[str]] = frozenset()
_HISTORY_WORDS: Final = frozenset({"event", "engagement"})


@dataclass(frozen=True, slots=True)
class Reads:
    """What the answer of a rule may depend on.

    ``attributes`` are top-level names (of a dotted name its first part and the name itself); ``consents`` are channels.
    ``time``: the answer may change by time alone. ``history``, ``enrolments``: the contact's events, its passages through
    journeys. ``any_event``: every event type. ``property`` and ``trigger``: of the event at hand and of the one that
    started the journey.
    """

    attributes: frozenset[str] = _NOTHING
    events: frozenset[str] = _NOTHING
    tags: frozenset[str] = _NOTHING
    groups: frozenset[str] = _NOTHING
    segments: frozenset[str] = _NOTHING
    metrics: frozenset[str] = _NOTHING
    consents: frozenset[str] = _NOTHING
    journeys: frozenset[str] = _NOTHING
    lifecycle: bool = False
    points: bool = False
    identities: bool = False
    suppressions: bool = False
    time: bool = False
    history: bool = False
    enrolments: bool = False
    any_event: bool = False
    property: bool = False
    trigger: bool = False

    def __or__(self, other: Self) -> Self:
        """What either looks at."""
        return type(self)(**{each.name: getattr(self, each.name) | getattr(other, each.name) for each in fields(self)})

    @classmethod
    def of_all(cls, parts: Iterable[Self]) -> Self:
        """What any of them looks at."""
        found: dict[str, Any] = {each.name: each.default for each in fields(cls)}
        for part in parts:
            for name, value in found.items():
                found[name] = value | getattr(part, name)
        return cls(**found)


def reads(rule: Rule | None) -> Reads:
    """What the rule looks at; nothing for None. Raises InvalidInput for an engagement no channel tells of."""
    return Reads() if rule is None else Reads.of_all(_condition(each) for each in conditions(_written_out(rule)))


def reads_history(rule: Rule | None) -> bool:
    """Whether the rule looks at past events, so that callers fetch them only when they matter."""
    if rule is None:
        return False
    return any(_asks_history(each) for each in conditions(_written_out(rule)))


def reads_past(rule: Rule | None) -> bool:
    """Whether the rule looks at past events or at passages through journeys: it cannot be asked of one event alone."""
    looked_at = reads(rule)
    return looked_at.history or looked_at.enrolments


def _written_out(rule: Rule) -> Rule:
    return expand_where(rule, KEY_WORDS)


def _asks_history(rule: Rule) -> bool:
    return not _HISTORY_WORDS.isdisjoint(rule) or ("lifecycle" in rule and len(rule) > 1)


def _condition(rule: Rule) -> Reads:  # noqa: C901, PLR0911, PLR0912 - one branch per key word
    match rule:
        case {"attribute": str(name)}:
            return Reads(attributes=_path(name)) | _comparison(rule)
        case {"property": str()}:
            return Reads(property=True) | _comparison(rule)
        case {"engagement": _}:
            arrived = _event(arrivals_as_event(rule)) if rule.get("of_last") else Reads()
            return _event(engagement_as_event(rule)) | arrived
        case {"event": _}:
            return _event(rule)
        case {"tag": names}:
            return Reads(tags=frozenset(names_of(names))) | _times(rule)
        case {"consent": str(channel)}:
            return Reads(consents=frozenset({channel})) | _times(rule)
        case {"metric": str(name)}:
            return Reads(metrics=frozenset({name})) | _comparison(rule)
        case {"points": _}:
            return Reads(points=True)
        case {"created": Mapping() as times}:
            return _times(times)
        case {"now": _}:
            return Reads(time=True, attributes=frozenset({ZONE_ATTRIBUTE}))
        case {"locale": _}:
            return Reads(attributes=frozenset({LOCALE_ATTRIBUTE}))
        case {"region": _}:
            return Reads(attributes=frozenset(REGION_ATTRIBUTES))
        case {"group": names}:
            return Reads(groups=frozenset(names_of(names)))
        case {"segment": names}:
            return Reads(segments=frozenset(names_of(names))) | _times(rule)
        case {"lifecycle": _}:
            since = Reads(history=True, events=frozenset({LIFECYCLE_CHANGED})) if len(rule) > 1 else Reads()
            return Reads(lifecycle=True) | since | _times(rule)
        case {"suppressed": _}:
            return Reads(suppressions=True)
        case {"reachable": str(channel)}:
            channels = frozenset(CHANNELS if channel == ANY_CHANNEL else (channel,))
            return Reads(suppressions=True, consents=channels, attributes=_addresses(channel))
        case {"address": str(channel)}:
            return Reads(attributes=_addresses(channel))
        case {"identity": _}:
            return Reads(identities=True)
        case {"journey": names}:
            return Reads(journeys=frozenset(names_of(names)), enrolments=True) | _times(rule)
        case _:
            return Reads()


def _addresses(channel: str) -> frozenset[str]:
    return frozenset(ADDRESS_ATTRIBUTE[each] for each in CHANNELS if channel in {each, ANY_CHANNEL})


def _path(name: str) -> frozenset[str]:
    return frozenset({name, name.partition(".")[0]})


def _times(rule: Rule) -> Reads:
    """What the time words in a condition look at."""
    given = {word for word, value in rule.items() if value is not None}
    attributes = frozenset({ZONE_ATTRIBUTE}) if given & ZONED_WORDS else _NOTHING
    return Reads(attributes=attributes, time=bool(given & RELATIVE_WORDS))


def _comparison(rule: Rule) -> Reads:
    """What an operator looks at; even a rolling window needs the zone when the attribute holds a date."""
    words = set(rule)
    attributes = frozenset({ZONE_ATTRIBUTE}) if words & (ZONED_WORDS | RELATIVE_WORDS) else _NOTHING
    moving = bool(words & (RELATIVE_WORDS | {"age", "anniversary"}))
    return Reads(attributes=attributes, time=moving, trigger="equals_trigger" in words)


def _event(rule: Rule) -> Reads:
    types = event_types(rule)
    found = [
        Reads(history=True, events=frozenset(types) - {ANY_EVENT}, any_event=ANY_EVENT in types),
        _times(rule),
    ]
    for word in ("where", "having"):
        if rule.get(word):
            inner = reads(expand_where(rule[word], WHERE_WORDS))
            found.append(_without_property(inner))
    if rule.get("count") not in {None, "times"}:
        found.append(Reads(attributes=frozenset({ZONE_ATTRIBUTE})))
    for word in ("followed_by", "not_followed_by"):
        if following := rule.get(word):
            waits = word == "not_followed_by" and following.get("within") is not None
            found.extend([_event({**following, "within": None}), Reads(time=waits)])
    return Reads.of_all(found)


def _without_property(inner: Reads) -> Reads:
    """Inside an event's own filter, ``property`` is that event's, not the one at hand."""
    return Reads(**{each.name: getattr(inner, each.name) for each in fields(inner) if each.name != "property"})
