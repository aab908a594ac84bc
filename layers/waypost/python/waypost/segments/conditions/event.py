"""event: what happened, how often, when, with which properties, and what came after."""

from typing import Any, Final, Self, final

from waypost.segments.behaviour.filters import FILTER_WORDS, EventFilter, filter_in_words, sorter
from waypost.segments.behaviour.following import Happened
from waypost.segments.behaviour.measures import MEASURE_WORDS, Measure
from waypost.segments.behaviour.seen_days import days_beyond, days_first, decided_by_days
from waypost.segments.condition import Condition, Decision, condition, loaded
from waypost.segments.generating import Code
from waypost.segments.reads import Reads
from waypost.segments.subject import Subject
from waypost.segments.vocabulary import ANY_EVENT, Rule
from waypost.segments.wording import Language, moment_in_words, no_numbers_in_words, number_in_words, phrase, shown

EVENT_WORDS: Final = FILTER_WORDS | MEASURE_WORDS
"""The words beside ``event``."""


@condition("event", beside=EVENT_WORDS)
@final
class Event(Condition):
    """Events happened so."""

    events: EventFilter
    measure: Measure

    @classmethod
    def parse(cls, rule: Rule) -> Self:
        return cls(EventFilter.parse(rule), Measure.parse(rule))

    @property
    def asked_type(self) -> str | None:
        return self.events.types[0] if len(self.events.types) == 1 else None

    def reads(self) -> Reads:
        return self.events.reads() | self.measure.reads()

    def compile(self, code: Code) -> str:
        """By the days that the profile knows; where they do not tell, a call of a loop of its own."""
        return days_first(code, self.decide(), self.by_history(code))

    def by_history(self, code: Code) -> str:
        """The call of a loop through the events that are still kept."""
        kind = self.asked_type
        is_sorted = kind is not None and kind in code.groups and kind != ANY_EVENT
        inner = Code(code.module, depth=code.depth)
        head, checks = self.events.checks(inner, sorted_by_type=is_sorted, in_window=self.measure.occurrence is None)
        body = [*head, *self.measure.source(inner, self.events, checks)]
        name = code.module.function("s, events", body, inner)
        if not is_sorted:
            return f"{name}(s, s.history)"
        if "h" not in code.prefetched:
            code.prefetch("h", f"{code.constant(sorter(code.groups))}(s)")
        return f"{name}(s, h({code.constant(kind)}))"

    def decide(self) -> Decision:
        return decided_by_days(loaded(self.by_history), self.events, self.measure)

    def say(self, language: Language) -> str:
        return self.say_as(self.events.say_types(language), [], language)

    def say_as(self, what: str, filters: list[str], language: Language) -> str:
        """The condition as a sentence that begins with ``what`` happened; ``filters`` say more of that."""
        having = []
        if self.measure.having is not None:
            having.append(phrase(language, "which has {}", "且其 {}", filter_in_words(self.measure.having, language)))
        parts = [
            what,
            *filters,
            *self.measure.say_occurrence(language),
            *self.events.say_filters(language, having),
            *self.events.say_times(language),
        ]
        if wanted := self.measure.say(language):
            parts.append(wanted)
        return ", ".join(parts)

    def values(self, subject: Subject, language: Language) -> str:
        """How many events matched, what was wanted, when the last one was."""
        events = self.events.matching(in_window=self.measure.occurrence is None)(subject)
        if self.measure.occurrence is not None:
            return self._occurrence(events, subject, language)
        found = self.measure.of(subject, events)
        parts = [self._found(found, language)]
        if self.measure.limits and self.measure.word is None:
            parts.append(phrase(language, "wanted {}", "要求 {}", number_in_words(self.measure.limits, language)))
        last = ""
        if events:
            last = f"; {phrase(language, 'last {}', '最近一次 {}', moment_in_words(events[-1][0], subject.zone))}"
        return ", ".join(parts) + last + self._skipped(subject, events, language) + self._beyond(subject, language)

    def _skipped(self, subject: Subject, events: list[Happened], language: Language) -> str:
        """The values that count as nothing because they are no numbers."""
        skipped = [*self.measure.skipped(events), *self.events.no_numbers(subject)]
        return f"; {no_numbers_in_words(skipped, language)}" if skipped else ""

    def _beyond(self, subject: Subject, language: Language) -> str:
        """The days that the profile still knows of events that are no longer kept, where they may have decided."""
        days = days_beyond(subject, self.events) if self.decide()(subject) is not None else None
        if days is None:
            return ""
        first, last = (day.isoformat() for day in days)
        if first == last:
            return f"; {phrase(language, 'known by day only: {}', '仅知日期：{}', first)}"
        return (
            f"; {phrase(language, 'known by day only: first {}, last {}', '仅知日期：首次 {}，最近 {}', first, last)}"
        )

    def _found(self, found: Any, language: Language) -> str:
        """What was measured, with its unit or its name."""
        if self.measure.word is None:
            return f"{found} {self.measure.unit(language, found)}"
        return f"{self.measure.say_property(language)} = {'–' if found is None else shown(found)}"

    def _occurrence(self, events: list[Happened], subject: Subject, language: Language) -> str:
        index = self.measure.position()
        if len(events) <= max(index, 0):
            return phrase(language, "no such event", "没有这样的事件")
        at, properties = events[index]
        more = f", {shown(properties)}" if properties else ""
        return f"{moment_in_words(at, subject.zone)}{more}"
