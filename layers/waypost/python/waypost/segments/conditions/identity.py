"""identity: by what the contact is known."""

from typing import Self, final

from waypost.segments.condition import Condition, Decision, compiled, condition, malformed
from waypost.segments.generating import Code
from waypost.segments.reads import Reads
from waypost.segments.subject import Subject
from waypost.segments.time_words import call
from waypost.segments.vocabulary import Rule
from waypost.segments.wording import Language, phrase, shown


@condition("identity", beside=frozenset({"account"}))
@final
class KnownBy(Condition):
    """The contact has an identity of the kind, perhaps one of this account (``<account>:<id>``)."""

    kind: str
    account: str | None

    @classmethod
    def parse(cls, rule: Rule) -> Self:
        if not isinstance(rule["identity"], str):
            raise malformed(rule)
        return cls(rule["identity"], rule.get("account"))

    def reads(self) -> Reads:
        return Reads(identities=True)

    def compile(self, code: Code) -> str:
        kind = self.kind
        if self.account is None:
            return call(code, lambda subject: bool(subject.identities.get(kind)))
        start = f"{self.account}:"
        return call(code, lambda subject: any(each.startswith(start) for each in subject.identities.get(kind, ())))

    def decide(self) -> Decision:
        return compiled(self)

    def say(self, language: Language) -> str:
        text = phrase(language, "is known by {}", "有身份标识 {}", self.kind)
        return text if self.account is None else f"{text} ({shown(self.account)})"

    def values(self, subject: Subject, language: Language) -> str:  # noqa: ARG002 - the same in any language
        return f"{self.kind} = {shown(subject.identities.get(self.kind, ())) or '–'}"
