"""attribute, property, metric: one operator over a value of the contact, of the event at hand, of what Waypost counts."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, Self, final

from waypost.errors import InvalidInput
from waypost.segments import operators
from waypost.segments.calendar import age_at, day_of, local
from waypost.segments.comparing import contains, look_up, number, same
from waypost.segments.condition import Condition, Decision, compiled, condition, malformed
from waypost.segments.generating import Code
from waypost.segments.reads import ZONE_ATTRIBUTE, Reads
from waypost.segments.subject import Subject
from waypost.segments.vocabulary import (
    OPERATORS,
    OPTIONS_OF_OPERATORS,
    RELATIVE_WORDS,
    WINDOW_WORDS,
    ZONED_WORDS,
    Rule,
)
from waypost.segments.wording import (
    Language,
    comparison_in_words,
    moment_in_words,
    no_numbers_in_words,
    shown,
    value_in_words,
)

_BESIDE: Final = frozenset({*OPERATORS, *OPTIONS_OF_OPERATORS})
_NUMERIC: Final = frozenset({"equals", "in", "between", "at_least", "at_most", "more_than", "less_than"})
"""Operators of which a number is true only of numbers."""
_OF_THE_EVENT: Final = {"equals_property": same, "contains_property": contains}
"""Operators that compare with a property of the event at hand, or of each past event in a filter."""
_MOVING: Final = RELATIVE_WORDS | {"age", "anniversary"}


class Comparison(NamedTuple):
    """The value of this name, compared by one operator; with ``folds`` upper and lower case are the same."""

    name: str
    operator: str
    wanted: Any
    folds: bool

    @classmethod
    def parse(cls, rule: Rule, word: str) -> Self:
        """The comparison behind the key word. Raises InvalidInput unless there is exactly one operator."""
        name = rule[word]
        if not isinstance(name, str):
            raise malformed(rule)
        given = [key for key in rule if key != word and key not in OPTIONS_OF_OPERATORS]
        if len(given) != 1:
            raise InvalidInput("rule", f"expected exactly one operator, got {', '.join(map(str, given)) or 'none'}")
        return cls(name, given[0], rule[given[0]], bool(rule.get("ignore_case")))

    def expression(self, code: Code, value: str) -> str:
        """The comparison of a value (source code), as an expression. Raises InvalidInput."""
        if self.operator in _OF_THE_EVENT:
            if not isinstance(self.wanted, str):
                raise InvalidInput(f"rule.{self.operator}", f"expected the name of a property, got {self.wanted!r}")
            if (bare := self.wanted.removeprefix("event.").removeprefix("properties.")) != self.wanted:
                raise InvalidInput(f"rule.{self.operator}", f"a property is named alone: write {bare!r}")
            code.asks_event = True
            test = code.constant(_OF_THE_EVENT[self.operator])
            return f"{test}({value}, {code.constant(look_up)}(p, {code.constant(self.wanted)}))"
        return operators.comparison(code, self.operator, self.wanted, value, folds=self.folds)

    def value(self, code: Code, values: str) -> str:
        """The value among the values (source code), as an expression; None where there is none."""
        if "." in self.name:
            return f"{code.constant(look_up)}({values}, {code.constant(self.name)})"
        return f"{values}.get({code.constant(self.name)})"

    def reads(self) -> Reads:
        """What the operator looks at; even a window relative to now needs the zone when the value is a date."""
        zoned = self.operator in ZONED_WORDS or self.operator in RELATIVE_WORDS
        return Reads(
            attributes=frozenset({ZONE_ATTRIBUTE}) if zoned else frozenset(),
            time=self.operator in _MOVING,
            property=self.operator in _OF_THE_EVENT,
            trigger=self.operator == "equals_trigger",
        )

    def is_no_number(self, value: Any) -> bool:
        """Whether the rule compares numbers and the value is none (``"150"``), so that it counts as nothing."""
        wanted = self.wanted if isinstance(self.wanted, (list, tuple)) else [self.wanted]
        numbers = self.operator in _NUMERIC and bool(wanted) and all(number(each) is not None for each in wanted)
        return numbers and value is not None and not isinstance(value, (list, tuple, Mapping)) and number(value) is None

    def say(self, language: Language) -> str:
        """The comparison as a sentence."""
        return f"{self.name} {comparison_in_words(self.operator, self.wanted, language)}"

    def values(self, value: Any, subject: Subject, language: Language) -> str:
        """The value, with what it is compared with where the rule does not say that."""
        text = value_in_words(self.name, value, language)
        if value is None:
            return text
        day = day_of(value, subject.zone)
        if day is not None and self.operator == "age":
            return f"{text} ({age_at(day, local(subject.now, subject.zone).date())})"
        if day is not None and self.operator in WINDOW_WORDS:
            return f"{text} (now {moment_in_words(subject.now, subject.zone)})"
        if self.is_no_number(value):
            return f"{text}; {no_numbers_in_words([value], language)}"
        if self.operator == "equals_trigger":
            text += f"; trigger: {shown(look_up(subject.trigger, self.wanted))}"
        if self.operator in _OF_THE_EVENT:
            text += f"; event: {shown(look_up(subject.properties, self.wanted))}"
        return text


@condition("attribute", beside=_BESIDE)
@final
class Attribute(Condition):
    """An attribute of the contact compares so."""

    comparison: Comparison

    @classmethod
    def parse(cls, rule: Rule) -> Self:
        return cls(Comparison.parse(rule, "attribute"))

    def reads(self) -> Reads:
        name = self.comparison.name
        return Reads(attributes=frozenset({name, name.partition(".")[0]})) | self.comparison.reads()

    def compile(self, code: Code) -> str:
        return self.comparison.expression(code, self.comparison.value(code, code.prefetch("a", "s.attributes")))

    def decide(self) -> Decision:
        """The profile has it."""
        return compiled(self)

    def say(self, language: Language) -> str:
        return self.comparison.say(language)

    def values(self, subject: Subject, language: Language) -> str:
        return self.comparison.values(look_up(subject.attributes, self.comparison.name), subject, language)


@condition("property", beside=_BESIDE)
@final
class Property(Condition):
    """A property of the event at hand compares so."""

    comparison: Comparison

    @classmethod
    def parse(cls, rule: Rule) -> Self:
        return cls(Comparison.parse(rule, "property"))

    def reads(self) -> Reads:
        return Reads(property=True) | self.comparison.reads()

    def compile(self, code: Code) -> str:
        code.asks_event = True
        return self.comparison.expression(code, self.comparison.value(code, "p"))

    def decide(self) -> Decision:
        """The event at hand has it."""
        return compiled(self)

    def no_numbers(self, properties: Mapping[str, Any]) -> Sequence[Any]:
        """See Condition."""
        value = look_up(properties, self.comparison.name)
        return [value] if self.comparison.is_no_number(value) else ()

    def say(self, language: Language) -> str:
        return self.comparison.say(language)

    def values(self, subject: Subject, language: Language) -> str:
        return self.comparison.values(look_up(subject.properties, self.comparison.name), subject, language)


@condition("metric", beside=_BESIDE)
@final
class Metric(Condition):
    """A metric of the contact compares so."""

    comparison: Comparison

    @classmethod
    def parse(cls, rule: Rule) -> Self:
        return cls(Comparison.parse(rule, "metric"))

    def reads(self) -> Reads:
        return Reads(metrics=frozenset({self.comparison.name})) | self.comparison.reads()

    def compile(self, code: Code) -> str:
        return self.comparison.expression(code, self.comparison.value(code, "s.metrics"))

    def decide(self) -> Decision:
        """The profile has it."""
        return compiled(self)

    def say(self, language: Language) -> str:
        return self.comparison.say(language)

    def values(self, subject: Subject, language: Language) -> str:
        return self.comparison.values(look_up(subject.metrics, self.comparison.name), subject, language)
