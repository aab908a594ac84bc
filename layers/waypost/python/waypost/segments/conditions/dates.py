"""created, now: when the contact was first seen, and what time it is where it lives."""

from typing import Self, final

from waypost.segments.calendar import local
from waypost.segments.condition import Condition, Decision, compiled, condition
from waypost.segments.generating import Code
from waypost.segments.reads import ZONE_ATTRIBUTE, Reads
from waypost.segments.subject import Subject
from waypost.segments.time_words import TimeWords, call
from waypost.segments.vocabulary import Rule
from waypost.segments.wording import Language, missing, moment_in_words, phrase


@condition("created")
@final
class Created(Condition):
    """The contact was first seen at such a time."""

    times: TimeWords

    @classmethod
    def parse(cls, rule: Rule) -> Self:
        return cls(TimeWords.alone(rule["created"], "created"))

    def reads(self) -> Reads:
        """The time itself is in every profile and never changes."""
        return self.times.reads()

    def compile(self, code: Code) -> str:
        passes = self.times.test()
        return call(code, lambda subject: subject.created_at is not None and passes(subject.created_at, subject))

    def decide(self) -> Decision:
        return compiled(self)

    def say(self, language: Language) -> str:
        return phrase(language, "was first seen {}", "首次出现 {}", self.times.say(language))

    def values(self, subject: Subject, language: Language) -> str:
        return moment_in_words(subject.created_at, subject.zone) if subject.created_at else missing(language)


@condition("now")
@final
class Now(Condition):
    """It is such a time where the contact lives."""

    times: TimeWords

    @classmethod
    def parse(cls, rule: Rule) -> Self:
        return cls(TimeWords.alone(rule["now"], "now"))

    def reads(self) -> Reads:
        return Reads(time=True, attributes=frozenset({ZONE_ATTRIBUTE}))

    def compile(self, code: Code) -> str:
        passes = self.times.test()
        return call(code, lambda subject: passes(subject.now, subject))

    def decide(self) -> Decision:
        return compiled(self)

    def say(self, language: Language) -> str:
        return phrase(language, "it is there {}", "当地时间 {}", self.times.say(language))

    def values(self, subject: Subject, language: Language) -> str:  # noqa: ARG002 - a clock in any language
        return f"{moment_in_words(subject.now, subject.zone)} {local(subject.now, subject.zone):%a}"
