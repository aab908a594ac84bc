"""lifecycle: the stage of the contact's life cycle, and since when."""

from collections.abc import Iterator
from datetime import datetime
from typing import Self, final

from waypost.segments.behaviour.seen_days import never_seen
from waypost.segments.condition import Condition, Decision, compiled, condition
from waypost.segments.generating import Code
from waypost.segments.grouped_names import names_in
from waypost.segments.reads import Reads
from waypost.segments.subject import Subject
from waypost.segments.time_words import TIME_WORDS, TimeWords, call
from waypost.segments.vocabulary import LIFECYCLE_CHANGED, Rule
from waypost.segments.wording import Language, moment_in_words, names_in_words, phrase


@condition("lifecycle", beside=TIME_WORDS)
@final
class LifecycleStage(Condition):
    """The contact is in one of the stages; the last event that reports the change to it says since when."""

    stages: tuple[str, ...]
    times: TimeWords

    @classmethod
    def parse(cls, rule: Rule) -> Self:
        return cls(names_in(rule, "lifecycle"), TimeWords.of(rule))

    def reads(self) -> Reads:
        since = Reads(history=True, events=frozenset({LIFECYCLE_CHANGED})) if self.times else Reads()
        return Reads(lifecycle=True) | since | self.times.reads()

    def compile(self, code: Code) -> str:
        is_in = f"s.lifecycle in {code.constant(frozenset(self.stages))}"
        if not self.times:
            return f"({is_in})"
        passes = self.times.test()

        def holds(subject: Subject) -> bool:
            began = None if never_seen(subject, [LIFECYCLE_CHANGED]) else max(_changes(subject), default=None)
            return began is not None and passes(began, subject)

        return f"({is_in} and {call(code, holds)})"

    def decide(self) -> Decision:
        """The stage itself is in the profile; that it never changed is too, as far as the profile counts event types."""
        if not self.times:
            return compiled(self)
        stages = frozenset(self.stages)

        def decision(subject: Subject) -> bool | None:
            if subject.lifecycle not in stages or never_seen(subject, [LIFECYCLE_CHANGED]):
                return False
            return None

        return decision

    def say(self, language: Language) -> str:
        names = names_in_words(self.stages, "any_of", language)
        return self.times.after(phrase(language, "is in the stage {}", "处于阶段 {}", names), language)

    def values(self, subject: Subject, language: Language) -> str:
        began = max(_changes(subject), default=None)
        stage = f"lifecycle = {subject.lifecycle or '–'}"
        if began is None:
            return stage
        return f"{stage}, {phrase(language, 'since {}', '自 {}', moment_in_words(began, subject.zone))}"


def _changes(subject: Subject) -> Iterator[datetime]:
    """When the contact came into its present stage."""
    return (
        at
        for kind, at, properties in subject.history
        if kind == LIFECYCLE_CHANGED and properties.get("to") == subject.lifecycle
    )
