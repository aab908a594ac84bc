"""What is asked of the events that count: how many, on how many days, the sum of a property, the first of them. Used by ``Event``."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from fractions import Fraction
from math import fsum
from operator import itemgetter
from typing import Any, Final, NamedTuple, Self

from waypost.errors import InvalidInput
from waypost.segments.behaviour.filters import EventFilter, filter_of, loop
from waypost.segments.behaviour.following import Happened
from waypost.segments.calendar import local
from waypost.segments.comparing import each_scalar, finite, identity_of, look_up
from waypost.segments.condition import Condition
from waypost.segments.generating import Code
from waypost.segments.reads import ZONE_ATTRIBUTE, Reads
from waypost.segments.subject import Subject
from waypost.segments.vocabulary import COUNT_WORDS, MEASURES, CountWord, Rule
from waypost.segments.wording import Language, number_in_words, phrase, pick, shown

MEASURE_WORDS: Final = frozenset({*COUNT_WORDS, "count", *MEASURES, "equals", "in", "occurrence", "having"})

COUNTS: Final = ("times", "days", "weeks", "months", "days_in_a_row")

_COMPARED: Final[Mapping[CountWord, str]] = {
    "at_least": "n >= {}", "at_most": "n <= {}", "exactly": "n == {}", "more_than": "n > {}", "less_than": "n < {}",
}  # fmt: skip
_UNITS: Final = {
    "times": ("times", "次"), "days": ("days", "个不同的日子"), "weeks": ("weeks", "个不同的周"), "months": ("months", "个不同的月"),
    "days_in_a_row": ("days in a row", "天连续"),
}  # fmt: skip
_MEASURES: Final = {
    "sum": ("sum of {}", "{} 之和"), "average": ("average of {}", "{} 的平均值"), "smallest": ("smallest {}", "最小的 {}"),
    "largest": ("largest {}", "最大的 {}"), "distinct": ("different values of {}", "{} 的不同值"),
    "repeated": ("most events of one {}", "同一 {} 的最多次数"), "most_frequent": ("most frequent {}", "最常见的 {}"),
}  # fmt: skip


class Measure(NamedTuple):
    """What is measured, and what it is compared with.

    One of three: the events themselves (``counted``: in which unit), the values of a property (``name``; ``word``: how), or one
    event (``occurrence``: which). ``limits`` are the comparisons by word; ``options`` what the most frequent value may be.
    """

    word: str | None
    name: Any
    counted: str
    occurrence: Any
    having: Condition | None
    limits: Mapping[CountWord, Any]
    options: Sequence[Any]

    @classmethod
    def parse(cls, rule: Rule) -> Self:
        """The measure among the words of an ``event`` rule. Raises InvalidInput."""
        measures = [word for word in MEASURES if rule.get(word) is not None]
        others = [word for word in ("count", "occurrence") if rule.get(word) is not None]
        if len(measures) + len(others) > 1:
            raise InvalidInput("rule", f"expected only one of count, occurrence, {', '.join(MEASURES)}")
        word = measures[0] if measures else None
        return cls(
            word,
            rule[word] if word else None,
            rule.get("count") or "times",
            rule.get("occurrence"),
            filter_of(rule, "having"),
            {limit: rule[limit] for limit in COUNT_WORDS if rule.get(limit) is not None},
            _options(rule) if word == "most_frequent" else (),
        )

    @property
    def counts_times(self) -> bool:
        """Whether the events are simply counted."""
        return self.word is None and self.occurrence is None and self.counted == "times"

    def reads(self) -> Reads:
        """What it takes to measure beside the events: the contact's zone for days, what is asked of one event."""
        zoned = Reads(attributes=frozenset({ZONE_ATTRIBUTE})) if self.counted != "times" else Reads()
        return zoned if self.having is None else zoned | self.having.reads().inside_an_event()

    def source(self, code: Code, events: EventFilter, checks: Sequence[str]) -> list[str]:
        """The loop over the events that pass the checks, and the answer. Raises InvalidInput."""
        if self.occurrence is not None:
            return self._one_event(code, events, checks)
        if self.word == "most_frequent":
            return self._most_frequent(code, checks)
        if self.word is not None:
            return self._aggregated(code, checks, self.word)
        return self._number(code, checks)

    def position(self) -> int:
        """Which of the events in their order: from the front from 0 on, -1 for the last. Raises InvalidInput."""
        which = self.occurrence
        if which in {"first", "last"}:
            return 0 if which == "first" else -1
        if isinstance(which, bool) or not isinstance(which, int) or which < 1:
            raise InvalidInput("rule.occurrence", f"expected first, last or a number from 1 on, got {which!r}")
        return which - 1

    def compared(self, code: Code, *, default: str | None = None) -> str:
        """The comparisons of a measured ``n``, all of which must hold. Raises InvalidInput for what is not a number."""
        for word, limit in self.limits.items():
            if isinstance(limit, bool) or not isinstance(limit, (int, float)):
                raise InvalidInput(f"rule.{word}", f"expected a number, got {limit!r}")
        if not self.limits and default is None:
            raise InvalidInput("rule", f"expected one of {', '.join(COUNT_WORDS)}")
        tests = (_COMPARED[word].format(code.constant(limit)) for word, limit in self.limits.items())
        return " and ".join(tests) or str(default)

    def of(self, subject: Subject, events: Sequence[Happened]) -> Any:
        """What is compared of the events: a number, None without one, or a list of most frequent values; for explanations."""
        if self.word is None:
            days = {local(at, subject.zone).date() for at, _ in events}
            return len(events) if self.counted == "times" else _COUNTED[self.counted](days)
        values = [look_up(properties, self.name) for _, properties in events]
        if self.word in {"distinct", "repeated", "most_frequent"}:
            found = Counter(identity_of(one) for value in values for one in each_scalar(value))
            most = max(found.values(), default=0)
            if self.word != "most_frequent":
                return len(found) if self.word == "distinct" else most
            return [value for (_, value), n in found.items() if n == most]
        numbers = [number for value in values if (number := finite(value)) is not None]
        if not numbers:
            return 0 if self.word == "sum" else None
        return _AGGREGATED[self.word](numbers)

    def skipped(self, events: Sequence[Happened]) -> list[Any]:
        """The values of the property that count as nothing because they are no numbers (``"150"``); for explanations."""
        if self.word not in _AGGREGATED:
            return []
        values = (look_up(properties, self.name) for _, properties in events)
        return [value for value in values if value is not None and finite(value) is None]

    def say(self, language: Language) -> str:
        """What the measure is compared with; "" where once is enough."""
        if self.word == "most_frequent":
            wanted = self.options[0] if len(self.options) == 1 else self.options
            return f"{self.say_property(language)}: {shown(wanted)}"
        limits = number_in_words(self.limits, language)
        if self.word is not None:
            return f"{self.say_property(language)}: {limits}"
        return f"{limits} {self.unit(language)}" if self.limits else ""

    def say_property(self, language: Language) -> str:
        """What is measured of a property; "" where events are counted."""
        return "" if self.word is None else pick(_MEASURES[self.word], language).format(self.name)

    def unit(self, language: Language, number: Any = None) -> str:
        """What is counted, of so many."""
        words = pick(_UNITS[self.counted], language)
        return words.replace("times", "time").replace("days", "day").replace("weeks", "week") if number == 1 else words

    def say_occurrence(self, language: Language) -> list[str]:
        """Which of the events, if one is asked for."""
        return [phrase(language, "time: {}", "第几次：{}", self.occurrence)] if self.occurrence is not None else []

    def _number(self, code: Code, checks: Sequence[str]) -> list[str]:
        answer = self.compared(code, default="n >= 1")
        if self.counted == "times":
            if self.limits.keys() <= {"at_least"}:
                least = self.limits.get("at_least") or 1
                limit = code.constant(least)
                enough = ["return True"] if least == 1 else ["n += 1", f"if n >= {limit}: return True"]
                return ["n = 0", *loop(checks, *enough), f"return n >= {limit}"]
            return ["n = 0", *loop(checks, "n += 1"), f"return {answer}"]
        if self.counted not in COUNTS:
            raise InvalidInput("rule.count", f"expected one of {', '.join(COUNTS)}, got {self.counted!r}")
        return [
            "days = set()",
            *loop(checks, f"days.add({code.constant(local)}(at, s.zone).date())"),
            f"n = {code.constant(_COUNTED[self.counted])}(days)",
            f"return {answer}",
        ]

    def _value(self, code: Code) -> str:
        if not isinstance(self.name, str):
            raise InvalidInput(f"rule.{self.word}", f"expected the name of a property, got {self.name!r}")
        return f"{code.constant(look_up)}(p, {code.constant(self.name)})"

    def _tally(self, code: Code, checks: Sequence[str]) -> list[str]:
        """How often each value was met, in ``found``."""
        return [
            f"found = {code.constant(Counter)}()",
            f"known = {code.constant(identity_of)}",
            *loop(
                checks,
                f"for one in {code.constant(each_scalar)}({self._value(code)}):",
                "    found[known(one)] += 1",
            ),
        ]

    def _aggregated(self, code: Code, checks: Sequence[str], word: str) -> list[str]:
        answer = f"return {self.compared(code)}"
        if word == "distinct":
            collect = [f"for one in {code.constant(each_scalar)}({self._value(code)}):", "    found.add(known(one))"]
            head = ["found = set()", f"known = {code.constant(identity_of)}"]
            return [*head, *loop(checks, *collect), "n = len(found)", answer]
        if word == "repeated":
            return [*self._tally(code, checks), "n = max(found.values(), default=0)", answer]
        collect = [
            f"one = {code.constant(finite)}({self._value(code)})",
            "if one is not None: found.append(one)",
        ]
        none = "n = 0" if word == "sum" else "return False"
        total_of = f"else: n = {code.constant(_AGGREGATED[word])}(found)"
        return ["found = []", *loop(checks, *collect), f"if not found: {none}", total_of, answer]

    def _most_frequent(self, code: Code, checks: Sequence[str]) -> list[str]:
        wanted = frozenset(identity_of(each) for each in self.options)
        return [
            *self._tally(code, checks),
            "most = max(found.values(), default=0)",
            f"return any(n == most and one in {code.constant(wanted)} for one, n in found.items())",
        ]

    def _one_event(self, code: Code, events: EventFilter, checks: Sequence[str]) -> list[str]:
        """The first, last or n-th of the events that count, and what is asked of it: its time, its properties."""
        index = self.position()
        if self.limits:
            raise InvalidInput("rule.occurrence", "is about one event; leave out how many there must be")
        body = [
            "found = []",
            *loop(checks, "found.append((at, p))"),
            f"found.sort(key={code.constant(itemgetter(0))})",
            f"if len(found) <= {code.constant(max(index, 0))}: return False",
            f"at, p = found[{code.constant(index)}]",
        ]
        if (window := events.times.window()) is not None:
            body.append(f"lo, hi = {code.constant(window)}(s.now, s.zone)")
            body.append("if (lo is not None and at < lo) or (hi is not None and at >= hi): return False")
        if self.having is not None:
            body.append(f"if not {self.having.compile(code)}: return False")
        return [*body, "return True"]


def _options(rule: Rule) -> Sequence[Any]:
    match rule:
        case {"equals": (str() | int() | float()) as wanted}:
            return (wanted,)
        case {"in": [*options]}:
            return options
        case _:
            raise InvalidInput("rule.most_frequent", "expected 'equals' or 'in' beside it")


def total(numbers: Sequence[int | float]) -> int | float | Fraction:
    """The exact sum, rounded once: the order of the events does not matter."""
    if all(isinstance(each, int) for each in numbers):
        return sum(numbers)
    try:
        return fsum(numbers)
    except OverflowError:
        return sum((Fraction(each) for each in numbers), Fraction(0))


def average(numbers: Sequence[int | float]) -> int | float | Fraction:
    """The exact sum divided by how many there are."""
    try:
        return total(numbers) / len(numbers)
    except OverflowError:
        return Fraction(total(numbers)) / len(numbers)


def _longest_run(days: set[date]) -> int:
    longest = run = last = 0
    for day in sorted(each.toordinal() for each in days):
        run = run + 1 if day == last + 1 else 1
        longest, last = max(longest, run), day
    return longest


def _weeks(days: set[date]) -> int:
    return len({day.isocalendar()[:2] for day in days})


def _months(days: set[date]) -> int:
    return len({(day.year, day.month) for day in days})


_COUNTED: Final[Mapping[str, Callable[[set[date]], int]]] = {
    "days": len, "weeks": _weeks, "months": _months, "days_in_a_row": _longest_run,
}  # fmt: skip
_AGGREGATED: Final[Mapping[str, Callable[[Sequence[Any]], Any]]] = {
    "sum": total, "average": average, "smallest": min, "largest": max,
}  # fmt: skip
