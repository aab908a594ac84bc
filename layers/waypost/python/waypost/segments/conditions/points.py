"""points: what the contact has earned and not spent."""

from typing import Any, Self, final

from waypost.segments import operators
from waypost.segments.condition import Condition, Decision, compiled, condition
from waypost.segments.generating import Code
from waypost.segments.reads import Reads
from waypost.segments.subject import Subject
from waypost.segments.vocabulary import Rule
from waypost.segments.wording import Language, number_in_words, phrase


@condition("points")
@final
class Points(Condition):
    """The contact's points compare so."""

    wanted: Any

    @classmethod
    def parse(cls, rule: Rule) -> Self:
        return cls(rule["points"])

    def reads(self) -> Reads:
        return Reads(points=True)

    def compile(self, code: Code) -> str:
        return operators.number_expression(code, self.wanted, "s.points")

    def decide(self) -> Decision:
        return compiled(self)

    def say(self, language: Language) -> str:
        return phrase(language, "has {} points", "积分 {}", number_in_words(self.wanted, language))

    def values(self, subject: Subject, language: Language) -> str:  # noqa: ARG002 - a number in any language
        return f"points = {subject.points}"
