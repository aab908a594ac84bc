"""Names in a condition, and how many of them it takes: ``vip``, ``[vip, gold]``, ``{all_of: [vip, gold]}``; or whether there is
any name at all: ``{exists: false}``. Used by conditions."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple, Self, assert_never, get_args

from waypost.errors import InvalidInput
from waypost.segments.generating import Code
from waypost.segments.reads import EVERY
from waypost.segments.subject import Subject
from waypost.segments.time_words import TimeWords
from waypost.segments.vocabulary import Rule
from waypost.segments.wording import Language, moment_in_words, names_in_words, phrase, shown

Grouping = Literal["any_of", "all_of", "none_of"]

MOST_SHOWN: Final = 10
"""Names that an explanation shows of all that are had."""

GROUPINGS: Final[tuple[Grouping, ...]] = get_args(Grouping)


def names_in(rule: Rule, word: str) -> tuple[str, ...]:
    """The name or the names behind a word. Raises InvalidInput."""
    wanted = rule[word]
    names = tuple(wanted) if isinstance(wanted, (list, tuple)) else (wanted,)
    if not names or not all(isinstance(name, str) for name in names):
        raise InvalidInput(f"rule.{word}", f"expected a name or a list of names, got {wanted!r}")
    return names


@dataclass(frozen=True, slots=True)
class AnyName:
    """Whether any name is had at all (``exists``), whatever it is."""

    exists: bool

    @property
    def names(self) -> tuple[str, ...]:
        """What decides: each name there is."""
        return (EVERY,)

    def expression(self, code: Code, had: str) -> str:  # noqa: ARG002 - the signature of GroupedNames
        """Whether the set ``had`` (source code) has any name, as an expression."""
        return f"(len({had}) {'>' if self.exists else '=='} 0)"

    def say(self, language: Language) -> str:
        """As a part of a sentence about one name."""
        return (
            phrase(language, "(any)", "（任意）") if self.exists else phrase(language, "(none at all)", "（完全没有）")
        )

    def values(self, had: Collection[str], since: Mapping[str, datetime], subject: Subject, language: Language) -> str:
        """The first names that are had."""
        return GroupedNames(tuple(sorted(had))[:MOST_SHOWN]).values(had, since, subject, language)


class GroupedNames(NamedTuple):
    """Names, and whether any, all or none of them must be had."""

    names: tuple[str, ...]
    grouping: Grouping = "any_of"

    @classmethod
    def parse(cls, rule: Rule, word: str) -> Self:
        """The names behind a word. Raises InvalidInput."""
        wanted = rule[word]
        if not isinstance(wanted, Mapping):
            return cls(names_in(rule, word))
        for grouping in GROUPINGS:
            if wanted.keys() == {grouping}:
                return cls(names_in({word: wanted[grouping]}, word), grouping)
        raise InvalidInput(f"rule.{word}", f"expected one of {', '.join(GROUPINGS)}, got {wanted!r}")

    def expression(self, code: Code, had: str) -> str:
        """Whether the set or view ``had`` (source code) has the names, as an expression."""
        if len(self.names) == 1:
            return f"({code.constant(self.names[0])} {'not in' if self.grouping == 'none_of' else 'in'} {had})"
        wanted = code.constant(frozenset(self.names))
        match self.grouping:
            case "any_of":
                return f"(not {wanted}.isdisjoint({had}))"
            case "all_of":
                return f"({wanted} <= {had})"
            case "none_of":
                return f"{wanted}.isdisjoint({had})"
            case _:
                assert_never(self.grouping)

    def since(self, times: TimeWords, had: Callable[[Subject], Mapping[str, datetime]]) -> Callable[[Subject], bool]:
        """Whether the names are had since such a time; a name without a time does not count."""
        names, passes = self.names, times.test()

        def has(name: str, subject: Subject) -> bool:
            at = had(subject).get(name)
            return at is not None and passes(at, subject)

        match self.grouping:
            case "any_of":
                return lambda subject: any(has(name, subject) for name in names)
            case "all_of":
                return lambda subject: all(has(name, subject) for name in names)
            case "none_of":
                return lambda subject: not any(has(name, subject) for name in names)
            case _:
                assert_never(self.grouping)

    def say(self, language: Language) -> str:
        """The names as a part of a sentence."""
        return names_in_words(self.names, self.grouping, language)

    def values(self, had: Collection[str], since: Mapping[str, datetime], subject: Subject, language: Language) -> str:
        """Which of the names are had, and since when as far as that is known."""
        found: list[Any] = [
            f"{name} ({phrase(language, 'since {}', '自 {}', moment_in_words(since[name], subject.zone))})"
            if name in since
            else name
            for name in self.names
            if name in had
        ]
        return shown(found) or "–"


def names_or_any(rule: Rule, word: str) -> GroupedNames | AnyName:
    """The names behind a word, or whether there is any at all. Raises InvalidInput."""
    match rule[word]:
        case {"exists": bool(exists), **others} if not others:
            return AnyName(exists)
        case _:
            return GroupedNames.parse(rule, word)
