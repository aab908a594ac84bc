"""What every condition of the rule language implements, and how one becomes a function. Used by everything that reads rules.

A condition is a small class in ``waypost.segments.conditions``, registered under its key word. Everything that is asked of a
rule (what it reads, its code, what the profile decides, its words, the values that decided) is a method of that class, so
that a condition is whole or is refused when it is imported.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Self, TypeVar, dataclass_transform

from waypost.errors import InvalidInput
from waypost.segments.generating import Code, Module
from waypost.segments.reads import Reads
from waypost.segments.subject import Subject
from waypost.segments.vocabulary import Rule
from waypost.segments.wording import Language

Holds = Callable[[Subject], bool]
"""Whether a condition holds for a subject."""

Decision = Callable[[Subject], bool | None]
"""Whether a condition holds by the profile alone; None where only the history or the enrolments can tell."""

ASKED_EVENTS_TO_SORT: Final = 3
"""From so many conditions on, sorting a history by type once is quicker than looking through it for each (measured)."""

REGISTERED: Final[dict[str, type["Condition"]]] = {}
"""The conditions by key word; complete once ``waypost.segments.conditions`` is imported."""


class Condition(ABC):
    """One condition of a rule. A subclass is final, and becomes a slotted dataclass of what the published JSON says.

    No code changes its fields, which the type checker holds (``dataclass_transform``): making a class frozen costs four times
    as much at import, of which there are as many as key words.
    """

    __slots__ = ()

    word: ClassVar[str]
    """The key word, which a rule has exactly one of."""

    beside: ClassVar[AbstractSet[str]]
    """The words that may stand beside the key word."""

    @classmethod
    @abstractmethod
    def parse(cls, rule: Rule) -> Self:
        """Read the published form, whose words are known to be allowed. Raise InvalidInput for a wrong shape.

        Values are checked where they become code: an authored rule may hold JSONata strings in their place, and what it
        reads is asked too.
        """

    @abstractmethod
    def reads(self) -> Reads:
        """Name everything the answer may depend on; rather too much than too little."""

    @abstractmethod
    def compile(self, code: Code) -> str:
        """Write the expression over ``s`` and ``p``. Raise InvalidInput for a value that means nothing."""

    @abstractmethod
    def decide(self) -> Decision:
        """Make the function that decides by the profile alone: no history, no enrolments."""

    @abstractmethod
    def say(self, language: Language) -> str:
        """Return the condition as a sentence without its subject."""

    @abstractmethod
    def values(self, subject: Subject, language: Language) -> str:
        """Return the subject's values that decide the condition, as people read them."""

    def no_numbers(self, properties: Mapping[str, Any]) -> Sequence[Any]:  # noqa: ARG002 - most compare no property
        """Return the properties of an event that count as nothing because numbers are compared; for explanations."""
        return ()

    @property
    def asked_type(self) -> str | None:
        """The one event type whose events it goes through, for which sorting a history may pay; None: no such type."""
        return None


class Combination(Condition):
    """A condition over other conditions; it is decided by their answers alone."""

    __slots__ = ()

    parts: tuple[Condition, ...]

    def no_numbers(self, properties: Mapping[str, Any]) -> Sequence[Any]:
        """See Condition: those of the parts."""
        return [value for part in self.parts for value in part.no_numbers(properties)]

    @abstractmethod
    def of(self, answers: Sequence[bool]) -> bool:
        """Return the answer, given those of the parts."""

    @abstractmethod
    def say_in_line(self, parts: Sequence[str]) -> str:
        """Return the combination as a piece of a sentence, given the words of its parts."""


_Kind = TypeVar("_Kind", bound=Condition)


@dataclass_transform(frozen_default=True, eq_default=False)
def condition(word: str, *, beside: AbstractSet[str] = frozenset()) -> Callable[[type[_Kind]], type[_Kind]]:
    """Register a class under its key word. ``beside``: the words that may stand beside it; none by default.

    Raises TypeError for a class with a method missing, one that is not final, and a key word that is taken.
    """

    def register(cls: type[_Kind]) -> type[_Kind]:
        if missing := sorted(getattr(cls, "__abstractmethods__", ())):
            raise TypeError(f"the condition {word!r} has no {', '.join(missing)}: {cls.__qualname__}")
        if not getattr(cls, "__final__", False):
            raise TypeError(f"the condition {word!r} is not marked @final: {cls.__qualname__}")
        if word in REGISTERED:
            raise TypeError(
                f"two conditions have the key word {word!r}: {REGISTERED[word].__qualname__}, {cls.__qualname__}"
            )
        made = dataclass(slots=True, eq=False, repr=False)(cls)
        made.word, made.beside = word, beside
        REGISTERED[word] = made
        return made

    return register


def parse_condition(rule: Any) -> Condition:
    """Read one condition of a published rule and all inside it. Raises InvalidInput for what is not a rule."""
    if not isinstance(rule, Mapping):
        raise malformed(rule)
    word = next((word for word in rule if word in REGISTERED), None)
    if word is None:
        raise malformed(rule)
    kind = REGISTERED[word]
    if unknown := [str(each) for each in rule if each != word and each not in kind.beside]:
        raise InvalidInput(
            f"rule.{unknown[0]}",
            f"means nothing beside {word!r}; expected {', '.join(sorted(kind.beside)) or 'nothing'}",
        )
    return kind.parse(rule)


def malformed(rule: Any) -> InvalidInput:
    """The error for what has not the shape of a rule."""
    return InvalidInput("rule", f"not a rule: {rule!r}"[:500])


def leaves(of: Condition) -> Iterator[Condition]:
    """Every condition that is not a combination of others, in the order of the rule."""
    if isinstance(of, Combination):
        for part in of.parts:
            yield from leaves(part)
    else:
        yield of


def compiled(of: Condition) -> Holds:
    """The condition as one function. Raises InvalidInput for a value that means nothing."""
    module = Module()
    code = Code(module, _types_to_sort(of))
    expression = of.compile(code)
    if code.asks_event:
        code.prefetch("p", "s.properties")
    return module.load(module.function("s", [f"return {expression}"], code))


def loaded(expression: Callable[[Code], str]) -> Holds:
    """The expression over ``s`` that is written into the code it is given, as a function of its own."""
    module = Module()
    code = Code(module)
    return module.load(module.function("s", [f"return {expression(code)}"], code))


def _types_to_sort(of: Condition) -> frozenset[str]:
    """The event types that enough conditions ask for to sort the history by them."""
    types = [each.asked_type for each in leaves(of) if each.asked_type is not None]
    return frozenset(types) if len(types) >= ASKED_EVENTS_TO_SORT else frozenset()
