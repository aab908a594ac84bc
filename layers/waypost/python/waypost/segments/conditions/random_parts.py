"""bucket, holdout: a random part of all contacts, the same for ever."""

from collections.abc import Mapping
from typing import Any, Final, Self, final

from waypost.errors import InvalidInput
from waypost.segments.buckets import bucket
from waypost.segments.condition import Condition, Decision, compiled, condition, malformed
from waypost.segments.generating import Code
from waypost.segments.reads import Reads
from waypost.segments.subject import Subject
from waypost.segments.time_words import call
from waypost.segments.vocabulary import Rule
from waypost.segments.wording import Language, phrase

BUCKETS: Final = 10_000


@condition("bucket")
@final
class InBucket(Condition):
    """The contact falls into this part of a hundred percent; ``start`` is inside, ``end`` is not."""

    salt: str
    start: Any
    end: Any

    @classmethod
    def parse(cls, rule: Rule) -> Self:
        part = rule["bucket"]
        if not isinstance(part, Mapping) or part.keys() != {"salt", "from", "to"} or not isinstance(part["salt"], str):
            raise malformed(rule)
        return cls(part["salt"], part["from"], part["to"])

    def reads(self) -> Reads:
        """The contact's id alone, which is always there and never changes."""
        return Reads()

    def compile(self, code: Code) -> str:
        return _falls_into(code, self.salt, self.start, self.end)

    def decide(self) -> Decision:
        return compiled(self)

    def say(self, language: Language) -> str:
        return phrase(language, "falls into {} to {} % of {}", "落入 {2} 的 {0}%–{1}%", self.start, self.end, self.salt)

    def values(self, subject: Subject, language: Language) -> str:  # noqa: ARG002 - a number in any language
        return _drawn(self.salt, subject)


@condition("holdout")
@final
class HeldOut(Condition):
    """The contact belongs to the first part of a hundred percent: those that get nothing."""

    salt: str
    percent: Any

    @classmethod
    def parse(cls, rule: Rule) -> Self:
        part = rule["holdout"]
        if not isinstance(part, Mapping) or part.keys() != {"salt", "percent"} or not isinstance(part["salt"], str):
            raise malformed(rule)
        return cls(part["salt"], part["percent"])

    def reads(self) -> Reads:
        """The contact's id alone, which is always there and never changes."""
        return Reads()

    def compile(self, code: Code) -> str:
        return _falls_into(code, self.salt, 0, self.percent)

    def decide(self) -> Decision:
        return compiled(self)

    def say(self, language: Language) -> str:
        return phrase(language, "is in the hold-out of {} ({} %)", "属于对照组 {}（{}%）", self.salt, self.percent)

    def values(self, subject: Subject, language: Language) -> str:  # noqa: ARG002 - a number in any language
        return _drawn(self.salt, subject)


def _falls_into(code: Code, salt: str, start: Any, end: Any) -> str:
    for limit in (start, end):
        if isinstance(limit, bool) or not isinstance(limit, (int, float)) or not 0 <= limit <= 100:
            raise InvalidInput("rule.bucket", f"expected percentages from 0 to 100, got {limit!r}")
    first, after = round(start * BUCKETS / 100), round(end * BUCKETS / 100)
    return call(code, lambda subject: first <= bucket(subject.contact_id, salt, BUCKETS) < after)


def _drawn(salt: str, subject: Subject) -> str:
    """Where the contact falls, in percent."""
    return f"{bucket(subject.contact_id, salt, BUCKETS) * 100 / BUCKETS:.2f} %"
