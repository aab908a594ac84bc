"""Which events a condition counts: their types, times and properties, what follows them. Used by conditions on behaviour.

An event condition is the source code of one loop. In the loop ``at`` is the event's own time, ``p`` are its properties;
``lo`` and ``hi`` bound the window. Events count by their own time, whenever they arrived; events of one instant keep the
order of the history.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any, Final, NamedTuple, Self

from waypost.errors import InvalidInput
from waypost.segments.behaviour.following import Followed, Happened, property_pair, span
from waypost.segments.calendar import Window, local
from waypost.segments.condition import Combination, Condition, malformed, parse_condition
from waypost.segments.generating import Code, Module
from waypost.segments.reads import Reads
from waypost.segments.subject import UTC_ZONE, Subject
from waypost.segments.time_words import TIME_WORDS, TimeWords
from waypost.segments.vocabulary import ANY_EVENT, CONCLUSIONS, Rule, event_types, expand_where
from waypost.segments.wording import Language, phrase, shown

FILTER_WORDS: Final = TIME_WORDS | {"where", "followed_by", "not_followed_by"}

_FOLLOWING_WORDS: Final = FILTER_WORDS | {"event", "same"}


class Following(NamedTuple):
    """Events that follow another: ``within`` a time of it, with the property ``same`` in common."""

    events: "EventFilter"
    within: Any
    same: Any

    @classmethod
    def parse(cls, rule: Any) -> Self:
        """What stands behind ``followed_by``. Raises InvalidInput."""
        if not isinstance(rule, Mapping) or "event" not in rule or not _FOLLOWING_WORDS.issuperset(rule):
            raise InvalidInput("rule.followed_by", f"expected event, where, within and same, got {rule!r}")
        plain = {word: wanted for word, wanted in rule.items() if word not in {"within", "same"}}
        return cls(EventFilter.parse(plain), rule.get("within"), rule.get("same"))

    def expression(self, code: Code, *, wanted: bool) -> str:
        """A test of an event (its time and properties): whether one of these follows it, or none does."""
        inner = Code(code.module)
        name = code.module.function("s, events", self.events.collected(inner), inner)
        followed = Followed(span(self.within), property_pair(self.same), wanted)
        return f"{code.constant(followed.test)}({name}(s, s.history), s.now)"

    def say(self, language: Language) -> str:
        """The events, and how they must follow."""
        parts = [self.events.say(language)]
        if self.same is not None:
            same = " = ".join(*self.same.items()) if isinstance(self.same, Mapping) else self.same
            parts.append(phrase(language, "of the same {}", "（相同 {}）", same))
        if self.within is not None:
            parts.append(phrase(language, "within {}", "在 {} 内", self.within))
        return " ".join(parts)


class EventFilter(NamedTuple):
    """The events of these types and times whose properties pass ``where``, and that others follow or do not follow."""

    types: tuple[str, ...]
    times: TimeWords
    where: Condition | None = None
    followed_by: Following | None = None
    not_followed_by: Following | None = None

    @classmethod
    def parse(cls, rule: Rule) -> Self:
        """The filters of an ``event`` rule, whose other words are ignored. Raises InvalidInput."""
        types = rule["event"]
        if not isinstance(types, str) and not (
            isinstance(types, (list, tuple)) and all(isinstance(kind, str) for kind in types)
        ):
            raise malformed(rule)
        following = (
            Following.parse(rule[word]) if rule.get(word) else None for word in ("followed_by", "not_followed_by")
        )
        return cls(tuple(event_types(rule)), TimeWords.of(rule), filter_of(rule, "where"), *following)

    @property
    def asks_more_than_a_window(self) -> bool:
        """Whether some events of these types inside the window may not count."""
        more = (self.where, self.followed_by, self.not_followed_by)
        return any(each is not None for each in more) or self.times.calendar() is not None

    def reads(self) -> Reads:
        """What the filters look at, the history first."""
        found = [
            Reads(history=True, events=frozenset(self.types) - {ANY_EVENT}, any_event=ANY_EVENT in self.types),
            self.times.reads(),
        ]
        if self.where is not None:
            found.append(self.where.reads().inside_an_event())
        if self.followed_by is not None:
            found.append(self.followed_by.events.reads())
        if self.not_followed_by is not None:
            waits = self.not_followed_by.within is not None
            found += [self.not_followed_by.events.reads(), Reads(time=waits)]
        return Reads.of_all(found)

    def checks(
        self, code: Code, *, sorted_by_type: bool = False, in_window: bool = True
    ) -> tuple[list[str], list[str]]:
        """What stands before the loop, and what an event must meet to count; the cheapest first. Raises InvalidInput.

        ``sorted_by_type``: the loop goes through events of the one type. ``in_window``: the window is a filter; else it is
        asked of one of the events that count.
        """
        head: list[str] = []
        checks = [] if sorted_by_type else [self._type_check(code)]
        window = self.times.window()
        if window is not None and in_window:
            head.append(f"lo, hi = {code.constant(window)}(s.now, s.zone)")
            checks.append("(lo is None or at >= lo) and (hi is None or at < hi)" if _may_end(window) else "at >= lo")
        if (calendar := self.times.calendar()) is not None:
            checks.append(f"{code.constant(calendar)}({code.constant(local)}(at, s.zone))")
        if self.where is not None:
            checks.append(self.where.compile(code))
        if self.followed_by is not None:
            head.append(f"b = {self.followed_by.expression(code, wanted=True)}")
            checks.append("b(at, p)")
        if self.not_followed_by is not None:
            head.append(f"d = {self.not_followed_by.expression(code, wanted=False)}")
            checks.append("d(at, p)")
        return head, checks

    def collected(self, code: Code, *, in_window: bool = True) -> list[str]:
        """The body of a function that returns the events that count, in the order of the history."""
        head, checks = self.checks(code, in_window=in_window)
        return [*head, "found = []", *loop(checks, "found.append((at, p))"), "return found"]

    def matching(self, *, in_window: bool = True) -> Callable[[Subject], list[Happened]]:
        """The events that count, oldest first; for explanations."""
        module = Module()
        code = Code(module)
        collect = module.load(module.function("s, events", self.collected(code, in_window=in_window), code))
        return lambda subject: sorted(collect(subject, subject.history), key=itemgetter(0))

    def no_numbers(self, subject: Subject, *, in_window: bool = True) -> list[Any]:
        """The properties because of which events do not count: what ``where`` compares with a number is none."""
        if self.where is None:
            return []
        candidates = self._replace(where=None).matching(in_window=in_window)(subject)
        return [value for _, properties in candidates for value in self.where.no_numbers(properties)]

    def say(self, language: Language) -> str:
        """The types, the filters and the times."""
        return ", ".join([self.say_types(language), *self.say_filters(language), *self.say_times(language)])

    def say_types(self, language: Language) -> str:
        """The event types."""
        if self.types == (ANY_EVENT,):
            return phrase(language, "anything", "任何事件")
        return shown(self.types)

    def say_filters(self, language: Language, between: Sequence[str] = ()) -> list[str]:
        """``where``, then what stands ``between``, then what follows."""
        parts = []
        if self.where is not None:
            parts.append(phrase(language, "where {}", "且 {}", filter_in_words(self.where, language)))
        parts += between
        if self.followed_by is not None:
            parts.append(phrase(language, "followed by {}", "之后有 {}", self.followed_by.say(language)))
        if self.not_followed_by is not None:
            parts.append(phrase(language, "not followed by {}", "之后没有 {}", self.not_followed_by.say(language)))
        return parts

    def say_times(self, language: Language) -> list[str]:
        """The times, if any."""
        return [self.times.say(language)] if self.times else []

    def _type_check(self, code: Code) -> str:
        if ANY_EVENT in self.types:
            return f"kind not in {code.constant(CONCLUSIONS)}"
        if len(self.types) == 1:
            return f"kind == {code.constant(self.types[0])}"
        return f"kind in {code.constant(frozenset(self.types))}"


def filter_of(rule: Rule, word: str) -> Condition | None:
    """The rule over the properties of an event behind the word, shorthand or not; None when there is none."""
    wanted = rule.get(word)
    if not wanted:
        return None
    if not isinstance(wanted, Mapping):
        raise malformed(wanted)
    return parse_condition(expand_where(wanted))


def filter_in_words(of: Condition, language: Language) -> str:
    """A rule over the properties of an event, in one line."""
    if isinstance(of, Combination):
        return of.say_in_line([filter_in_words(part, language) for part in of.parts])
    return of.say(language)


def loop(checks: Sequence[str], *inside: str) -> list[str]:
    """A loop over ``events`` with these lines for every event that passes the checks."""
    body = [f"        {line}" for line in inside]
    if not checks:
        return ["for kind, at, p in events:", *(line[4:] for line in body)]
    return ["for kind, at, p in events:", f"    if {' and '.join(checks)}:", *body]


def _may_end(window: Window) -> bool:
    """Whether the window is more than "since": the bounds of any moment show it, they differ in when only."""
    start, end = window(datetime(2000, 1, 1, tzinfo=UTC), UTC_ZONE)
    return start is None or end is not None


def sorter(types: frozenset[str]) -> Callable[[Subject], Callable[[str], Sequence[Any]]]:
    """Gives a subject's events by type; the history is gone through when the first of them is asked for."""

    def by_type(subject: Subject) -> Callable[[str], Sequence[Any]]:
        found: dict[str, list[Any]] = {}

        def of(kind: str) -> Sequence[Any]:
            if not found:
                found.update((each, []) for each in types)
                for event in subject.history:
                    if event[0] in types:
                        found[event[0]].append(event)
            return found[kind]

        return of

    return by_type
