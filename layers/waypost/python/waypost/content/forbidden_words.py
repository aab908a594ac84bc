"""Finds forbidden words in a message, tens of thousands of phrases in one pass. Used at publish and by the guard.

The lists are ``statemachines/words/``, published with every phrase in the spelling of ``content.folding``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Final, Self

from waypost.content.folding import fold
from waypost.published_sections import published_section

SECTION: Final = "words"


@dataclass(frozen=True, slots=True)
class WordList:
    """One list: where its phrases may not stand. An empty ``channels``, ``languages`` or ``kinds`` stands for all."""

    name: str
    source: str
    way_out: str
    channels: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """From the published form."""
        return cls(
            name=value["name"],
            source=value["source"],
            way_out=value["way_out"],
            **{name: frozenset(value.get(name, ())) for name in ("channels", "languages", "kinds")},
        )

    def applies(self, *, channel: str, locale: str, kind: str) -> bool:
        """Whether it holds for a message of this kind, on this channel, in this language."""
        asked = ((channel, self.channels), (locale.partition("-")[0], self.languages), (kind, self.kinds))
        return all(not those or value in those for value, those in asked)


@dataclass(frozen=True, slots=True)
class Forbidden:
    """What was found: the ``phrase`` as its list has it, and the text in which it was recognised."""

    phrase: str
    found: str
    words: WordList


@dataclass(frozen=True)
class ForbiddenWords:
    """Every list. ``phrases`` and ``folded`` go side by side with ``owners``, the lists that have each phrase.

    ``allowed`` are folded phrases in which a forbidden one may stand.
    """

    lists: tuple[WordList, ...] = ()
    phrases: Sequence[str] = ()
    folded: Sequence[str] = ()
    owners: Sequence[Sequence[int]] = ()
    allowed: Sequence[str] = ()

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """From the published form; an empty one forbids nothing."""
        return cls(
            lists=tuple(WordList.from_dict(each) for each in value.get("lists", ())),
            phrases=value.get("phrases", ()),
            folded=value.get("folded", ()),
            owners=value.get("owners", ()),
            allowed=value.get("allowed", ()),
        )

    def find(self, text: str, *, channel: str, locale: str, kind: str) -> Forbidden | None:
        """The first forbidden phrase of a text, the longest of those that begin there; None when there is none."""
        applying = {
            index for index, each in enumerate(self.lists) if each.applies(channel=channel, locale=locale, kind=kind)
        }
        if not applying:
            return None
        folded = fold(text)
        hits = [(start, -end, index) for index, start, end in self._search(folded)]
        if not hits:
            return None
        spans = [(start, -end) for start, end, index in hits if index >= len(self.folded)]
        letters = list(_letters(text))
        for start, end, index in sorted(hits):
            if index >= len(self.folded):
                continue
            owner = next((each for each in self.owners[index] if each in applying), None)
            if owner is None or any(first <= start and -end <= last for first, last in spans):
                continue
            if stands := _as_it_stands(text, letters, start, -end, self.phrases[index]):
                return Forbidden(self.phrases[index], stands, self.lists[owner])
        return None

    def _search(self, folded: str) -> list[tuple[int, int, int]]:
        """Every (phrase, start, end), those that overlap too; the phrases that are allowed come after the forbidden ones."""
        found: list[tuple[int, int, int]] = self._automaton.find_matches_as_indexes(folded, overlapping=True)
        return found

    @cached_property
    def _automaton(self) -> Any:
        # imported where a list applies; of the library's automata this one is built fastest and takes least memory
        from ahocorasick_rs import AhoCorasick, Implementation  # noqa: PLC0415

        patterns = [*self.folded, *self.allowed]
        return AhoCorasick(patterns, implementation=Implementation.NoncontiguousNFA, store_patterns=False)


def _letters(text: str) -> Iterator[int]:
    """For each letter of the folded text, the place of the one in the text that it comes from."""
    for index, letter in enumerate(text):
        yield from [index] * len(fold(letter))


def _as_it_stands(text: str, letters: Sequence[int], start: int, end: int, phrase: str) -> str:
    """The part of the text that the phrase was recognised in; "" when it is only a part of other words.

    Letters and digits of the Latin script make words: ``top1`` is not in ``top10``, ``laptop1`` or ``to p1``, but in ``t o p 1``.
    """
    if end > len(letters):  # letters that melt into one when they are folded, as accents do
        return phrase
    first, last = letters[start], letters[end - 1]
    found = text[first : last + 1]
    before, after = fold(text[max(first - 1, 0) : first]), fold(text[last + 1 : last + 2])
    if (_is_latin(found[0]) and _is_latin(before)) or (_is_latin(found[-1]) and _is_latin(after)):
        return ""
    words = _words(found)
    if phrase.isascii() and len(words) > 1 and words != _words(phrase) and any(len(word) > 1 for word in words):
        return ""
    return found


def _words(text: str) -> list[str]:
    return [word for part in text.split() if (word := fold(part))]


def _is_latin(letters: str) -> bool:
    return letters.isascii() and letters.isalnum()


NOTHING_FORBIDDEN: Final = ForbiddenWords()


@cache
def load_forbidden_words() -> ForbiddenWords:
    """The lists of this deployment, from the journeys layer; parsed at the first message that is checked."""
    return ForbiddenWords.from_dict(published_section(SECTION))
