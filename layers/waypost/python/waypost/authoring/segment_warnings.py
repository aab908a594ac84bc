"""What a rule says that cannot be meant, though it works: names and values that nothing has, spans that nothing is kept for.

Called by ``waypost segment check`` and ``journey_warnings``. Event types, attributes and journeys of the past are open sets, so these are warnings.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Self

from waypost.authoring.attributes import RESERVED, attributes
from waypost.authoring.authored_files import FileReader
from waypost.authoring.problems import join, nearest
from waypost.authoring.retention import ARRIVAL, DONE_WITH_A_MESSAGE, retention
from waypost.authoring.rules.numbers import is_number
from waypost.authoring.segments import parts_of
from waypost.contacts.attributes import AttributeDeclaration, AttributeSystem
from waypost.contacts.cleaning import Cleaned, Unusable, email, locale, phone, time_zone
from waypost.contacts.cleaning.text import half_width
from waypost.events.message_events import MESSAGE_EVENTS
from waypost.events.retention import EVERYTHING_ALIKE, Retention
from waypost.segments.behaviour.filters import EventFilter
from waypost.segments.behaviour.measures import Measure
from waypost.segments.conditions.engagement import ENGAGEMENT_EVENTS
from waypost.segments.index import MAY_CHANGE_ANYTHING
from waypost.segments.subject import UTC_ZONE
from waypost.segments.time_words import TimeWords
from waypost.segments.vocabulary import ANY_EVENT, CONCLUSIONS, Rule, names_of

EVER: Final = timedelta(days=366)
"""What is kept longer than a year is kept as long as a rule without a window means."""

_WORD: Final = re.compile(r"\w+")
_EVENTS: Final = re.compile(r"\bevents?[\"']?:\s*(\[[^\]\n]*\]|[\w\"']+)")
_ONE_VALUE: Final = ("equals", "not_equals")
_MORE_VALUES: Final = ("in", "not_in", "contains_any", "contains_all", "contains_none")
_BOUNDS: Final = ("at_least", "at_most", "more_than", "less_than")
_BUILT_IN: Final[Mapping[str, Callable[[str], Cleaned]]] = {
    "email": email,
    "phone": phone,
    "locale": locale,
    "timezone": time_zone,
}
_Warning = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Declared:
    """What a project declares and names. ``words`` are all words of its other files, ``events`` those that name events."""

    attributes: Mapping[str, AttributeDeclaration] = field(default_factory=dict)
    journeys: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()
    events: frozenset[str] = frozenset()
    retention: Retention = EVERYTHING_ALIKE

    def beside(self, texts: "Texts", but: Iterable[Path]) -> Self:
        """With the words of all ``texts`` ``but`` those of the files that are checked."""
        own = frozenset({*MESSAGE_EVENTS, *CONCLUSIONS, *ENGAGEMENT_EVENTS.values(), *MAY_CHANGE_ANYTHING})
        left_out = [path.resolve() for path in but]
        return replace(
            self,
            words=own | texts.words.outside(left_out),
            events=own | texts.events.outside(left_out) | self.retention.types.keys(),
        )

    @classmethod
    def read(cls, statemachines: Path) -> Self:
        """From the content's files, without words. Problems of theirs are reported elsewhere."""
        reader = FileReader(statemachines)
        declared = attributes(reader)
        return cls(
            attributes=AttributeSystem.from_dict(declared).attributes if declared else {},
            journeys=frozenset(path.parent.name for path in (statemachines / "journeys").glob("*/journey.yaml")),
            retention=Retention.from_dict(retention(reader)),
        )


@dataclass(frozen=True, slots=True)
class _Words:
    """Words by the file in which they stand."""

    of: Mapping[Path, frozenset[str]]
    files: Counter[str]

    @classmethod
    def counted(cls, of: Mapping[Path, frozenset[str]]) -> Self:
        return cls(of, Counter(word for words in of.values() for word in words))

    def outside(self, files: Iterable[Path]) -> frozenset[str]:
        """The words that stand in another file too."""
        inside = Counter(word for path in files for word in self.of.get(path, ()))
        return frozenset(word for word, count in self.files.items() if count > inside[word])


@dataclass(frozen=True, slots=True)
class Texts:
    """All words of the content's files, and those that name events."""

    words: _Words
    events: _Words

    @classmethod
    def read(cls, statemachines: Path) -> Self:
        """Each file once."""
        words, events = {}, {}
        for path in (each for pattern in ("*.yaml", "*.yml", "*.json") for each in statemachines.rglob(pattern)):
            text = path.read_text(encoding="utf-8", errors="replace")
            words[path.resolve()] = frozenset(_WORD.findall(text))
            named = (word for found in _EVENTS.findall(text) for word in _WORD.findall(found))
            events[path.resolve()] = frozenset(named)
        return cls(_Words.counted(words), _Words.counted(events))


def warnings(rule: Rule, declared: Declared, now: datetime) -> Iterator[_Warning]:
    """Each place in a published rule where something cannot be meant, with the reason."""
    for place, part in parts_of("rule", rule):
        yield from _event_names(place, part, declared)
        yield from _journey_names(place, part, declared)
        yield from _attribute(place, part, declared)
        if str(name := part.get("property", "")).startswith("event."):
            alone = str(name).removeprefix("event.")
            yield (
                join(place, "property"),
                f"asks for {alone!r} inside a property called 'event'; the event's own is {alone!r}",
            )
        if not place.endswith(("followed_by", "where", "having")):
            yield from _reaches(place, part, declared.retention, now)


def _event_names(place: str, part: Rule, declared: Declared) -> Iterator[_Warning]:
    if "event" not in part:
        return
    for kind in names_of(part["event"]):
        if kind != ANY_EVENT and kind not in declared.words:
            guess = nearest(kind, declared.events)
            hint = f"did you mean {guess!r}?" if guess else "check its spelling against what your systems send"
            yield join(place, "event"), f"no other file names the event {kind!r}; {hint}"


def _journey_names(place: str, part: Rule, declared: Declared) -> Iterator[_Warning]:
    for word in ("journey", "of_journey"):
        for name in names_of(part.get(word) or ()):
            if name not in declared.journeys:
                guess = nearest(name, declared.journeys)
                hint = f"; did you mean {guess!r}?" if guess else ""
                yield join(place, word), f"there is no journey {name!r} here, so nobody is in it{hint}"


def _attribute(place: str, part: Rule, declared: Declared) -> Iterator[_Warning]:
    name = part.get("attribute")
    if not isinstance(name, str) or not declared.attributes:
        return
    first = name.partition(".")[0]
    if name not in declared.attributes and first not in declared.attributes and first not in RESERVED:
        rest = name.partition(".")[2]
        guess = (
            rest
            if rest in declared.attributes
            else nearest(name, declared.attributes) or nearest(first, declared.attributes)
        )
        yield (
            join(place, "attribute"),
            f"nothing declares the attribute {name!r}"
            + (f"; did you mean {guess!r}?" if guess else "; a contact has it only where a system sends it so"),
        )
    elif (known := declared.attributes.get(name)) is not None:
        yield from _values(place, part, known)
    elif name in _BUILT_IN:
        for word, value in _compared(part):
            if isinstance(value, str) and (reason := _never_stored(name, value, _BUILT_IN[name](value), part)):
                yield join(place, word), reason


def _compared(part: Rule) -> Iterator[tuple[str, Any]]:
    """The values that a rule asks an attribute to be, one by one, each with its operator."""
    for word in (*_ONE_VALUE, *_MORE_VALUES):
        if word in part:
            wanted = part[word] if word in _MORE_VALUES and isinstance(part[word], list) else [part[word]]
            yield from ((word, value) for value in wanted)


def _never_stored(name: str, value: str, stored: Cleaned, part: Rule) -> str | None:
    if isinstance(stored, Unusable):
        return f"no contact has {name} {value!r}: it {stored.reason}"
    same = stored.casefold() == value.casefold() if part.get("ignore_case") else stored == value
    return None if same else f"{name} {value!r} is stored as {stored!r}: write that"


def _values(place: str, part: Rule, known: AttributeDeclaration) -> Iterator[_Warning]:
    """Values that no contact can have, as the attribute's declaration cleans what is stored."""
    if known.type == "list" and (word := next((each for each in (*_ONE_VALUE, "in", "not_in") if each in part), None)):
        yield (
            join(place, word),
            f"{known.name} is a list, which no single value equals: ask with contains, contains_any or contains_none",
        )
        return
    asked = list(_compared(part))
    if known.type == "list" and "contains" in part:
        asked.append(("contains", part["contains"]))
    for word, value in asked:
        if (reason := _never(known, value, ignore_case=bool(part.get("ignore_case")))) is not None:
            yield join(place, word), reason
    bounds = [(word, part[word]) for word in _BOUNDS if word in part]
    bounds += [("between", each) for each in part.get("between") or ()]
    for word, value in bounds:
        if known.type == "number" and isinstance(value, str):
            yield join(place, word), f"{known.name} is a number, and {value!r} is text: write it without quotes"
        elif known.type not in {"number", "list"} and is_number(value):
            yield join(place, word), f"{known.name} is declared as {known.type}, which no number compares with"


def _never(known: AttributeDeclaration, value: Any, *, ignore_case: bool) -> str | None:
    """Why no contact has this value of the attribute; None where one may."""
    if value is None or isinstance(value, (dict, list)):
        return None
    stored = known.clean([value] if known.type == "list" else value)
    if isinstance(stored, Unusable):
        guess = nearest(half_width(str(value)).casefold(), known.values) if known.values else None
        hint = f"; did you mean {known.values[guess]!r}?" if guess else ""
        return f"no contact has {known.name} {value!r}: it {stored.reason}{hint}"
    if known.type == "list":
        stored = stored[0] if stored else value
    same = str(stored).casefold() == str(value).casefold() if ignore_case else stored == value
    if same and isinstance(stored, str) is isinstance(value, str):
        return None
    return f"{known.name} {value!r} is stored as {stored!r}: write that"


def _reaches(place: str, part: Rule, kept: Retention, now: datetime) -> Iterator[_Warning]:
    """A span beyond what the events or passages are kept for, and pairs of which one is forgotten before the other."""
    if "engagement" in part:
        yield from _of_engagement(place, part, kept, now)
    elif "event" in part:
        yield from _of_events(place, part, names_of(part["event"]), kept, now)
    elif "journey" in part and part.get("is") != "active":
        span = _reach(TimeWords.of(part), now)
        if span is not None and span > kept.passages.keep:
            yield place, _beyond("journeys that have ended", span, kept.passages.keep)


def _of_engagement(place: str, part: Rule, kept: Retention, now: datetime) -> Iterator[_Warning]:
    kind = ENGAGEMENT_EVENTS[part["engagement"]]
    if part.get("of_last") is None:
        yield from _of_events(
            place,
            {**part, "event": [kind], "where": part.get("where") or {"all": [{"property": "channel", "exists": True}]}},
            [kind],
            kept,
            now,
        )
    elif kind in DONE_WITH_A_MESSAGE and kept.of(kind).keep < kept.of(ARRIVAL).keep:
        yield place, _forgotten(kind, kept.of(kind).keep, ARRIVAL, kept.of(ARRIVAL).keep)


def _of_events(place: str, part: Rule, kinds: Iterable[str], kept: Retention, now: datetime) -> Iterator[_Warning]:
    events, measure = EventFilter.parse(part), Measure.parse(part)
    span = None if measure.occurrence is not None else _reach(events.times, now)
    keeps = {kind: kept.of(kind).keep for kind in kinds if kind != ANY_EVENT}
    days_tell = measure.counts_times and not events.asks_more_than_a_window and _asks_whether(measure)
    for kind, keep in keeps.items():
        if span is not None and span > keep:
            yield place, _beyond(kind, span, keep)
        elif span is None and keep < EVER and not days_tell:
            yield place, f"means at any time, but {kind} is kept {keep.days}d only: what is older counts as not done"
    for following in (events.followed_by, events.not_followed_by):
        for later in following.events.types if following is not None else ():
            for kind, keep in keeps.items():
                reach = keep if span is None else min(span, keep)
                if later != ANY_EVENT and kept.of(later).keep < reach:
                    yield place, _forgotten(later, kept.of(later).keep, kind, keep)


def _asks_whether(measure: Measure) -> bool:
    """Whether it asks only if something happened at all, which the profile's days tell for ever."""
    return all(
        (word, limit) in {("at_least", 1), ("more_than", 0), ("exactly", 0), ("at_most", 0), ("less_than", 1)}
        for word, limit in measure.limits.items()
    )


def _reach(times: TimeWords, now: datetime) -> timedelta | None:
    """How far back from now the window begins; None for no beginning."""
    window = times.window()
    start = None if window is None else window(now, UTC_ZONE)[0]
    return None if start is None else now - start


def _beyond(what: str, span: timedelta, keep: timedelta) -> str:
    return f"reaches back {span.days}d, but {what} are kept {keep.days}d: of what is older only the first and last day are known"


def _forgotten(kind: str, keep: timedelta, other: str, longer: timedelta) -> str:
    return (
        f"{kind} is kept {keep.days}d and {other} {longer.days}d: older ones look as if none had come; keep both as long, or"
        f" ask for the last {keep.days}d only"
    )
