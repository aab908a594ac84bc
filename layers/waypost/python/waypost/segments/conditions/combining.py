"""all, any, not: conditions over conditions."""

from collections.abc import Sequence
from typing import Any, Final, Self, final

from waypost.segments.condition import (
    Combination,
    Condition,
    Decision,
    Holds,
    compiled,
    condition,
    malformed,
    parse_condition,
)
from waypost.segments.generating import Code
from waypost.segments.reads import Reads
from waypost.segments.subject import Subject
from waypost.segments.vocabulary import Rule
from waypost.segments.wording import Language, phrase

_FUNCTION_DEPTH: Final = 15
"""Python's parser gives up at about a hundred nested parentheses; a deeper rule continues in a function of its own."""


@condition("all")
@final
class All(Combination):
    """Every part holds."""

    parts: tuple[Condition, ...]

    @classmethod
    def parse(cls, rule: Rule) -> Self:
        return cls(_parts(rule, "all"))

    def reads(self) -> Reads:
        return Reads.of_all(each.reads() for each in self.parts)

    def compile(self, code: Code) -> str:
        return _joined(code, self.parts, " and ")

    def decide(self) -> Decision:
        """One part that is known not to hold is enough."""
        known = _known(self.parts)
        return _decided(compiled(All(known)) if known else None, self.parts, settles=False)

    def say(self, language: Language) -> str:
        return phrase(language, "all of these hold", "以下全部成立")

    def values(self, subject: Subject, language: Language) -> str:  # noqa: ARG002 - the parts have the values
        """Empty: the parts have the values."""
        return ""

    def of(self, answers: Sequence[bool]) -> bool:
        return all(answers)

    def say_in_line(self, parts: Sequence[str]) -> str:
        return ", ".join(parts)


@condition("any")
@final
class AnyOf(Combination):
    """At least one part holds."""

    parts: tuple[Condition, ...]

    @classmethod
    def parse(cls, rule: Rule) -> Self:
        return cls(_parts(rule, "any"))

    def reads(self) -> Reads:
        return Reads.of_all(each.reads() for each in self.parts)

    def compile(self, code: Code) -> str:
        return _joined(code, self.parts, " or ")

    def decide(self) -> Decision:
        """One part that is known to hold is enough."""
        known = _known(self.parts)
        return _decided(compiled(AnyOf(known)) if known else None, self.parts, settles=True)

    def say(self, language: Language) -> str:
        return phrase(language, "at least one of these holds", "以下至少一项成立")

    def values(self, subject: Subject, language: Language) -> str:  # noqa: ARG002 - the parts have the values
        """Empty: the parts have the values."""
        return ""

    def of(self, answers: Sequence[bool]) -> bool:
        return any(answers)

    def say_in_line(self, parts: Sequence[str]) -> str:
        return " / ".join(parts)


@condition("not")
@final
class Not(Combination):
    """The one part does not hold."""

    parts: tuple[Condition, ...]

    @classmethod
    def parse(cls, rule: Rule) -> Self:
        return cls((parse_condition(rule["not"]),))

    def reads(self) -> Reads:
        return self.parts[0].reads()

    def compile(self, code: Code) -> str:
        return f"(not {_joined(code, self.parts, '')})"

    def decide(self) -> Decision:
        decision = self.parts[0].decide()
        return lambda subject: None if (known := decision(subject)) is None else not known

    def say(self, language: Language) -> str:
        return phrase(language, "this does not hold", "以下不成立")

    def values(self, subject: Subject, language: Language) -> str:  # noqa: ARG002 - the part has the values
        """Empty: the part has the values."""
        return ""

    def of(self, answers: Sequence[bool]) -> bool:
        return not answers[0]

    def say_in_line(self, parts: Sequence[str]) -> str:
        return f"✗({parts[0]})"


def _parts(rule: Rule, word: str) -> tuple[Condition, ...]:
    rules: Any = rule[word]
    if not isinstance(rules, (list, tuple)) or not rules:
        raise malformed(rule)
    return tuple(parse_condition(each) for each in rules)


def _joined(code: Code, parts: Sequence[Condition], word: str) -> str:
    code.depth += 1
    try:
        if code.depth < _FUNCTION_DEPTH:
            return f"({word.join(each.compile(code) for each in parts)})"
        inner = Code(code.module, code.groups)
        code.asks_event = True
        body = [f"return {word.join(each.compile(inner) for each in parts)}"]
        return f"{code.module.function('s, p', body, inner)}(s, p)"
    finally:
        code.depth -= 1


def _known(parts: Sequence[Condition]) -> tuple[Condition, ...]:
    """The parts that the profile always decides."""
    return tuple(each for each in parts if not each.reads().looks_back())


def _decided(known: Holds | None, parts: Sequence[Condition], *, settles: bool) -> Decision:
    """Kleene's all and any: one part that settles it is enough; what the profile knows is asked in one function."""
    others = [each.decide() for each in parts if each.reads().looks_back()]

    def decision(subject: Subject) -> bool | None:
        if known is not None and known(subject) is settles:
            return settles
        unknown = False
        for other in others:
            found = other(subject)
            if found is settles:
                return settles
            unknown = unknown or found is None
        return None if unknown else not settles

    return decision
