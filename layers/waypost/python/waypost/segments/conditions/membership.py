"""tag, group, segment: what a contact has and belongs to, and since when."""

from typing import Self, final

from waypost.errors import InvalidInput
from waypost.segments.condition import Condition, Decision, compiled, condition
from waypost.segments.generating import Code
from waypost.segments.grouped_names import AnyName, GroupedNames, names_or_any
from waypost.segments.reads import Reads
from waypost.segments.subject import Subject
from waypost.segments.time_words import TIME_WORDS, TimeWords, call
from waypost.segments.vocabulary import Rule
from waypost.segments.wording import Language, phrase


@condition("tag", beside=TIME_WORDS)
@final
class Tagged(Condition):
    """The contact has the tags, perhaps since such a time."""

    tags: GroupedNames | AnyName
    times: TimeWords

    @classmethod
    def parse(cls, rule: Rule) -> Self:
        tags, times = names_or_any(rule, "tag"), TimeWords.of(rule)
        if times and isinstance(tags, AnyName):
            raise InvalidInput("rule.tag", "exists asks of now; since when is asked of a tag by its name")
        return cls(tags, times)

    def reads(self) -> Reads:
        return Reads(tags=frozenset(self.tags.names)) | self.times.reads()

    def compile(self, code: Code) -> str:
        if not self.times or isinstance(self.tags, AnyName):
            return self.tags.expression(code, "s.tags")
        return call(code, self.tags.since(self.times, lambda subject: subject.tagged_at))

    def decide(self) -> Decision:
        return compiled(self)

    def say(self, language: Language) -> str:
        text = phrase(language, "has the tag {}", "有标签 {}", self.tags.say(language))
        return self.times.after(text, language)

    def values(self, subject: Subject, language: Language) -> str:
        return self.tags.values(subject.tags, subject.tagged_at, subject, language)


@condition("group")
@final
class InGroup(Condition):
    """The contact is in the groups; since when is asked of the event ``group_joined``."""

    groups: GroupedNames | AnyName

    @classmethod
    def parse(cls, rule: Rule) -> Self:
        return cls(names_or_any(rule, "group"))

    def reads(self) -> Reads:
        return Reads(groups=frozenset(self.groups.names))

    def compile(self, code: Code) -> str:
        return self.groups.expression(code, "s.groups")

    def decide(self) -> Decision:
        return compiled(self)

    def say(self, language: Language) -> str:
        return phrase(language, "is in the group {}", "在群组 {}", self.groups.say(language))

    def values(self, subject: Subject, language: Language) -> str:
        return self.groups.values(subject.groups, {}, subject, language)


@condition("segment", beside=TIME_WORDS)
@final
class InSegment(Condition):
    """The stored membership in saved segments: of those that were not inlined, or that are asked since when."""

    segments: GroupedNames
    times: TimeWords

    @classmethod
    def parse(cls, rule: Rule) -> Self:
        return cls(GroupedNames.parse(rule, "segment"), TimeWords.of(rule))

    def reads(self) -> Reads:
        return Reads(segments=frozenset(self.segments.names)) | self.times.reads()

    def compile(self, code: Code) -> str:
        if not self.times:
            return self.segments.expression(code, "s.segments.keys()")
        return call(code, self.segments.since(self.times, lambda subject: subject.segments))

    def decide(self) -> Decision:
        return compiled(self)

    def say(self, language: Language) -> str:
        text = phrase(language, "is in the segment {}", "在人群 {}", self.segments.say(language))
        return self.times.after(text, language)

    def values(self, subject: Subject, language: Language) -> str:
        return self.segments.values(subject.segments, subject.segments, subject, language)
