"""The time words of a condition: when something was or will be, and on which days or hours. Used by every condition over times."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple, Self

from waypost.errors import InvalidInput
from waypost.segments.calendar import CalendarTest, Window, calendar_test, local, window_of
from waypost.segments.generating import Code
from waypost.segments.reads import ZONE_ATTRIBUTE, Reads
from waypost.segments.subject import Subject
from waypost.segments.vocabulary import CALENDAR_WORDS, RELATIVE_WORDS, WINDOW_WORDS, ZONED_WORDS, Rule
from waypost.segments.wording import Language, times_in_words

TIME_WORDS: Final = frozenset({*WINDOW_WORDS, *CALENDAR_WORDS})

TimeTest = Callable[[datetime, Subject], bool]
"""Whether a moment passes, for a subject's zone and its moment of asking."""


class TimeWords(NamedTuple):
    """The time words given and their values; empty when none is."""

    words: Mapping[str, Any]

    @classmethod
    def of(cls, rule: Rule) -> Self:
        """The time words among the words of a condition."""
        return cls({word: wanted for word, wanted in rule.items() if word in TIME_WORDS and wanted is not None})

    @classmethod
    def alone(cls, rule: Any, word: str) -> Self:
        """The value of a key word that consists of time words. Raises InvalidInput when it has none, or others."""
        if not isinstance(rule, Mapping) or not rule or not TIME_WORDS.issuperset(rule):
            raise InvalidInput(f"rule.{word}", f"expected some of {', '.join((*WINDOW_WORDS, *CALENDAR_WORDS))}")
        return cls.of(rule)

    def __bool__(self) -> bool:
        return bool(self.words)

    def window(self) -> Window | None:
        """The span of time asked for, or None. Raises InvalidInput."""
        return window_of(self.words, of_events=True)

    def calendar(self) -> CalendarTest | None:
        """The test of the wall clock, or None. Raises InvalidInput."""
        return calendar_test(self.words)

    def test(self) -> TimeTest:
        """The test of the moment something happened; every moment passes when there are no words. Raises InvalidInput."""
        window, calendar = self.window(), self.calendar()

        def holds(at: datetime, subject: Subject) -> bool:
            if window is not None:
                start, end = window(subject.now, subject.zone)
                if (start is not None and at < start) or (end is not None and at >= end):
                    return False
            return calendar is None or calendar(local(at, subject.zone))

        return holds

    def reads(self) -> Reads:
        """What the words look at: the contact's zone, and the time of asking."""
        words = self.words.keys()
        attributes = frozenset({ZONE_ATTRIBUTE}) if words & ZONED_WORDS else frozenset[str]()
        return Reads(attributes=attributes, time=bool(words & RELATIVE_WORDS))

    def say(self, language: Language) -> str:
        """The words as the end of a sentence; "" when there are none."""
        return times_in_words(self.words, language)

    def after(self, text: str, language: Language) -> str:
        """The sentence with the times at its end."""
        times = self.say(language)
        return f"{text} {times}" if times else text


def call(code: Code, holds: Callable[[Subject], bool]) -> str:
    """A call of a function of the subject, as an expression."""
    return f"{code.constant(holds)}(s)"
