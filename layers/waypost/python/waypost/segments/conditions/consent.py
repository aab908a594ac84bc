"""consent: what the contact answered for a channel, for a topic or in general, and when."""

from typing import Self, final

from waypost.contacts.consent import ALL_TOPICS, deciding_consent
from waypost.segments.condition import Condition, Decision, compiled, condition, malformed
from waypost.segments.generating import Code
from waypost.segments.reads import Reads
from waypost.segments.subject import Subject
from waypost.segments.time_words import TIME_WORDS, TimeWords, call
from waypost.segments.vocabulary import Rule
from waypost.segments.wording import Language, moment_in_words, phrase


@condition("consent", beside=TIME_WORDS | {"topic", "is"})
@final
class Consented(Condition):
    """The contact's consent is in this state, perhaps since an answer of such a time."""

    channel: str
    topic: str | None
    state: str
    times: TimeWords

    @classmethod
    def parse(cls, rule: Rule) -> Self:
        if not isinstance(rule["consent"], str):
            raise malformed(rule)
        return cls(rule["consent"], rule.get("topic") or None, rule.get("is") or "granted", TimeWords.of(rule))

    def reads(self) -> Reads:
        return Reads(consents=frozenset({self.channel})) | self.times.reads()

    def compile(self, code: Code) -> str:
        channel, topic, wanted = self.channel, self.topic or ALL_TOPICS, self.state
        if not self.times:
            return call(code, lambda subject: subject.consents(channel, topic) == wanted)
        passes = self.times.test()

        def holds(subject: Subject) -> bool:
            answer = deciding_consent(subject.consent_answers, channel, topic)
            return answer is not None and subject.consents(channel, topic) == wanted and passes(answer.at, subject)

        return call(code, holds)

    def decide(self) -> Decision:
        return compiled(self)

    def say(self, language: Language) -> str:
        about = f"{self.channel}/{self.topic}" if self.topic else self.channel
        return self.times.after(phrase(language, "{} for {}", "对 {1} 的授权：{0}", self.state, about), language)

    def values(self, subject: Subject, language: Language) -> str:  # noqa: ARG002 - states are the same in any language
        topic = self.topic or ALL_TOPICS
        answer = deciding_consent(subject.consent_answers, self.channel, topic)
        when = f", {moment_in_words(answer.at, subject.zone)} ({answer.source})" if answer else ""
        return f"{self.channel}: {subject.consents(self.channel, topic)}{when}"
