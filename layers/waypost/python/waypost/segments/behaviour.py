"""What a contact did: conditions over its events, as source code of one loop each. Used by the compiler.

In the loop ``at`` is the event's own time, ``p`` are its properties; ``lo`` and ``hi`` bound the window. Events count by
their own time, whenever they arrived; events of one instant keep the order of the history.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from math import fsum
from operator import itemgetter
from typing import Any, Final, Protocol

from waypost.durations import parse_duration
from waypost.errors import InvalidInput
from waypost.segments.calendar import Window, calendar_test, local, window_of
from waypost.segments.comparing import each_scalar, finite, identity_of, look_up
from waypost.segments.generating import Code, Module
from waypost.segments.subject import UTC_ZONE, Subject
from waypost.segments.vocabulary import (
    ANY_EVENT,
    CONCLUSIONS,
    COUNT_WORDS,
    MEASURES,
    Rule,
    event_types,
    expand_where,
)

Happened = tuple[datetime, Mapping[str, Any]]
"""One event that a condition counts: its time and its properties."""

ASKED_EVENTS_TO_SORT: Final = 3
"""From so many conditions on, sorting a history by type once is quicker than looking through it for each (measured)."""

_COMPARED: Final[Mapping[str, str]] = {
    "at_least": "n >= {}", "at_most": "n <= {}", "exactly": "n == {}", "more_than": "n > {}", "less_than": "n < {}",
}  # fmt: skip
COUNTS: Final = ("times", "days", "weeks", "months", "days_in_a_row")
_UNCOUNTED: Final = frozenset({"occurrence", "having", "count", *MEASURES, *COUNT_WORDS, "equals", "in"})


class Expressions(Protocol):
    """Writes the expression of a rule, for the filters of events."""

    def __call__(self, code: Code, rule: Rule) -> str:
        """The rule as an expression over ``s`` and ``p``."""
        ...


def condition(code: Code, rule: Rule, expression: Expressions) -> str:
    """An ``event`` rule as an expression: a call of its own loop."""
    types = event_types(rule)
    inner = Code(code.module, depth=code.depth)
    sorted_by_type = len(types) == 1 and types[0] in code.groups and types[0] != ANY_EVENT
    test = None if sorted_by_type else _type_test(inner, types)
    head, checks = _filters(inner, rule, expression, test)
    body = [*head, *_measured(inner, rule, checks, expression)]
    name = code.module.function("s, events", body, inner)
    if not sorted_by_type:
        return f"{name}(s, s.history)"
    if "h" not in code.prefetched:
        code.prefetch("h", f"{code.constant(sorter(code.groups))}(s)")
    return f"{name}(s, h({code.constant(types[0])}))"


def sorter(types: frozenset[str]) -> Callable[[Subject], Callable[[str], Sequence[Any]]]:
    """Gives a subject's events by type; the history is gone through when the first of them is asked for."""

    def by_type(subject: Subject) -> Callable[[str], Sequence[Any]]:
        found: dict[str, list[Any]] = {}

        def of(kind: str) -> Sequence[Any]:
            if not found:
                found.update((each, []) for each in types)
                for event in subject.history:
                    if event[0] in types:
                        found[event[0]].append(event)
            return found[kind]

        return of

    return by_type


def _type_test(code: Code, types: Sequence[str]) -> str:
    if ANY_EVENT in types:
        return f"kind not in {code.constant(CONCLUSIONS)}"
    return f"kind == {code.constant(types[0])}" if len(types) == 1 else f"kind in {code.constant(frozenset(types))}"


def _filters(code: Code, rule: Rule, expression: Expressions, type_test: str | None) -> tuple[list[str], list[str]]:
    """What stands before the loop, and what an event must meet to count; the cheapest first."""
    head: list[str] = []
    checks = [type_test] if type_test else []
    window = window_of(rule, of_events=True)
    if window is not None and rule.get("occurrence") is None:
        head.append(f"lo, hi = {code.constant(window)}(s.now, s.zone)")
        checks.append("(lo is None or at >= lo) and (hi is None or at < hi)" if _may_end(window) else "at >= lo")
    if (calendar := calendar_test(rule)) is not None:
        checks.append(f"{code.constant(calendar)}({code.constant(local)}(at, s.zone))")
    if rule.get("where"):
        checks.append(expression(code, expand_where(rule["where"])))
    for word, wanted in (("followed_by", True), ("not_followed_by", False)):
        if rule.get(word):
            variable = "b" if wanted else "d"
            head.append(f"{variable} = {_followers(code, rule[word], expression, wanted=wanted)}")
            checks.append(f"{variable}(at, p)")
    return head, checks


def _may_end(window: Window) -> bool:
    """Whether the window is more than "since": the bounds of any moment show it, they differ in when only."""
    start, end = window(datetime(2000, 1, 1, tzinfo=UTC), UTC_ZONE)
    return start is None or end is not None


def _loop(checks: Sequence[str], *inside: str) -> list[str]:
    condition_of_all = " and ".join(checks)
    body = [f"        {line}" for line in inside]
    if not checks:
        return ["for kind, at, p in events:", *(line[4:] for line in body)]
    return ["for kind, at, p in events:", f"    if {condition_of_all}:", *body]


def _measured(code: Code, rule: Rule, checks: Sequence[str], expression: Expressions) -> list[str]:
    """The loop with what it measures, and the answer."""
    measures = [word for word in MEASURES if rule.get(word) is not None]
    occurrence, count = rule.get("occurrence"), rule.get("count")
    if len(measures) + (occurrence is not None) + (count is not None) > 1:
        raise InvalidInput("rule", f"expected only one of count, occurrence, {', '.join(MEASURES)}")
    if occurrence is not None:
        return _occurrence(code, rule, checks, expression)
    if measures == ["most_frequent"]:
        return _most_frequent(code, rule, checks)
    if measures:
        return _aggregate(code, rule, checks, measures[0])
    return _counted(code, rule, checks, count or "times")


def compared(code: Code, rule: Rule, *, default: str | None = None) -> str:
    """The comparisons of a measured ``n``, all of which must hold. Raises InvalidInput for what is not a number."""
    given = {word: rule[word] for word in COUNT_WORDS if rule.get(word) is not None}
    for word, limit in given.items():
        if isinstance(limit, bool) or not isinstance(limit, (int, float)):
            raise InvalidInput(f"rule.{word}", f"expected a number, got {limit!r}")
    if not given and default is None:
        raise InvalidInput("rule", f"expected one of {', '.join(COUNT_WORDS)}")
    return " and ".join(_COMPARED[word].format(code.constant(limit)) for word, limit in given.items()) or str(default)


def _counted(code: Code, rule: Rule, checks: Sequence[str], count: str) -> list[str]:
    given = [word for word in COUNT_WORDS if rule.get(word) is not None]
    answer = compared(code, rule, default="n >= 1")
    if count == "times":
        if given in ([], ["at_least"]):
            least = code.constant(rule.get("at_least") or 1)
            enough = (
                ["return True"] if not given or rule["at_least"] == 1 else ["n += 1", f"if n >= {least}: return True"]
            )
            return ["n = 0", *_loop(checks, *enough), f"return n >= {least}"]
        return ["n = 0", *_loop(checks, "n += 1"), f"return {answer}"]
    if count not in COUNTS:
        raise InvalidInput("rule.count", f"expected one of {', '.join(COUNTS)}, got {count!r}")
    return [
        "days = set()",
        *_loop(checks, f"days.add({code.constant(local)}(at, s.zone).date())"),
        f"n = {code.constant(_COUNTED[count])}(days)",
        f"return {answer}",
    ]


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


def _property(code: Code, rule: Rule, word: str) -> str:
    if not isinstance(rule[word], str):
        raise InvalidInput(f"rule.{word}", f"expected the name of a property, got {rule[word]!r}")
    return f"{code.constant(look_up)}(p, {code.constant(rule[word])})"


def _aggregate(code: Code, rule: Rule, checks: Sequence[str], word: str) -> list[str]:
    if word == "distinct":
        collect = [
            f"for one in {code.constant(each_scalar)}({_property(code, rule, word)}):",
            "    found.add(known(one))",
        ]
        head, last = ["found = set()", f"known = {code.constant(identity_of)}"], "n = len(found)"
    elif word == "repeated":
        collect = [
            f"for one in {code.constant(each_scalar)}({_property(code, rule, word)}):",
            "    found[known(one)] += 1",
        ]
        head = [f"found = {code.constant(Counter)}()", f"known = {code.constant(identity_of)}"]
        last = "n = max(found.values(), default=0)"
    else:
        collect = [
            f"one = {code.constant(finite)}({_property(code, rule, word)})",
            "if one is not None: found.append(one)",
        ]
        none = "n = 0" if word == "sum" else "return False"
        head, last = ["found = []"], f"if not found: {none}\nelse: n = {code.constant(_AGGREGATED[word])}(found)"
    return [*head, *_loop(checks, *collect), *last.split("\n"), f"return {compared(code, rule)}"]


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


def _most_frequent(code: Code, rule: Rule, checks: Sequence[str]) -> list[str]:
    match rule:
        case {"equals": (str() | int() | float()) as wanted}:
            options = [wanted]
        case {"in": list() as options}:
            pass
        case _:
            raise InvalidInput("rule.most_frequent", "expected 'equals' or 'in' beside it")
    wanted_values = frozenset(identity_of(each) for each in options)
    return [
        f"found = {code.constant(Counter)}()",
        f"known = {code.constant(identity_of)}",
        *_loop(
            checks,
            f"for one in {code.constant(each_scalar)}({_property(code, rule, 'most_frequent')}):",
            "    found[known(one)] += 1",
        ),
        "most = max(found.values(), default=0)",
        f"return any(n == most and one in {code.constant(wanted_values)} for one, n in found.items())",
    ]


def _occurrence(code: Code, rule: Rule, checks: Sequence[str], expression: Expressions) -> list[str]:
    """The first, last or n-th of the events that count, and what is asked of it: its time, its properties."""
    which = rule["occurrence"]
    if which not in {"first", "last"} and (isinstance(which, bool) or not isinstance(which, int) or which < 1):
        raise InvalidInput("rule.occurrence", f"expected first, last or a number from 1 on, got {which!r}")
    if any(rule.get(word) is not None for word in COUNT_WORDS):
        raise InvalidInput("rule.occurrence", "is about one event; leave out how many there must be")
    index = {"first": 0, "last": -1}.get(which, which - 1 if isinstance(which, int) else 0)
    place = code.constant(index)
    body = [
        "found = []",
        *_loop(checks, "found.append((at, p))"),
        f"found.sort(key={code.constant(itemgetter(0))})",
        f"if len(found) <= {code.constant(max(index, 0))}: return False",
        f"at, p = found[{place}]",
    ]
    if (window := window_of(rule, of_events=True)) is not None:
        body.append(f"lo, hi = {code.constant(window)}(s.now, s.zone)")
        body.append("if (lo is not None and at < lo) or (hi is not None and at >= hi): return False")
    if rule.get("having"):
        body.append(f"if not {expression(code, expand_where(rule['having']))}: return False")
    return [*body, "return True"]


def _followers(code: Code, rule: Rule, expression: Expressions, *, wanted: bool) -> str:
    """The source of a test of an event: whether one that ``rule`` names follows it."""
    if not isinstance(rule, Mapping) or "event" not in rule or not _UNCOUNTED.isdisjoint(rule):
        raise InvalidInput("rule.followed_by", f"expected event, where, within and same, got {rule!r}")
    inner = Code(code.module)
    types = event_types(rule)
    filters = {key: value for key, value in rule.items() if key not in {"within", "same"}}
    head, checks = _filters(inner, filters, expression, _type_test(inner, types))
    body = [*head, "found = []", *_loop(checks, "found.append((at, p))"), "return found"]
    later = code.module.function("s, events", body, inner)
    return f"{code.constant(_Followed(_span(rule.get('within')), _same(rule.get('same')), wanted).test)}({later}(s, s.history), s.now)"


@dataclass(frozen=True, slots=True)
class _Followed:
    """What has to come (or, ``wanted`` false, must not come) later than an event, ``within`` a time.

    ``same``: the property of the event and that of what follows that must have a value in common.
    """

    within: timedelta | None
    same: tuple[str, str] | None
    wanted: bool

    def test(self, later: Sequence[Happened], now: datetime) -> Callable[[datetime, Mapping[str, Any]], bool]:
        comes = self._any(later) if self.same is None else self._alike(later, *self.same)

        def passes(at: datetime, properties: Mapping[str, Any]) -> bool:
            found = comes(at, properties)
            if self.wanted or found:
                return found is self.wanted
            return self.within is None or now - at >= self.within

        return passes

    def _any(self, later: Sequence[Happened]) -> Callable[[datetime, Mapping[str, Any]], bool]:
        times = sorted(at for at, _ in later)
        return lambda at, _properties: self._comes(times, at)

    def _alike(
        self, later: Sequence[Happened], name: str, later_name: str
    ) -> Callable[[datetime, Mapping[str, Any]], bool]:
        """Lists have each of their values, so that a product viewed is found among those of an order."""
        times: dict[Any, list[datetime]] = {}
        for at, properties in later:
            for one in each_scalar(look_up(properties, later_name)):
                times.setdefault(identity_of(one), []).append(at)
        for each in times.values():
            each.sort()

        def comes(at: datetime, properties: Mapping[str, Any]) -> bool:
            for one in each_scalar(look_up(properties, name)):
                known = times.get(identity_of(one))
                if known and self._comes(known, at):
                    return True
            return False

        return comes

    def _comes(self, times: Sequence[datetime], at: datetime) -> bool:
        place = bisect_right(times, at)
        return place < len(times) and (self.within is None or times[place] - at <= self.within)


def _same(names: Any) -> tuple[str, str] | None:
    match names:
        case None:
            return None
        case str():
            return names, names
        case Mapping() if len(names) == 1 and all(isinstance(name, str) for pair in names.items() for name in pair):
            return next(iter(names.items()))
        case _:
            raise InvalidInput(
                "rule.same", f"expected a property, or {{property: property of what follows}}, got {names!r}"
            )


def _span(within: Any) -> timedelta | None:
    if within is None:
        return None
    try:
        return parse_duration(within)
    except ValueError as error:
        raise InvalidInput("rule.within", str(error)) from None


def matching(rule: Rule, expression: Expressions) -> Callable[[Subject], list[Happened]]:
    """The events that an ``event`` rule counts, oldest first; for explanations."""
    module = Module()
    code = Code(module)
    head, checks = _filters(code, rule, expression, _type_test(code, event_types(rule)))
    name = module.function(
        "s, events", [*head, "found = []", *_loop(checks, "found.append((at, p))"), "return found"], code
    )
    collect = module.load(name)
    return lambda subject: sorted(collect(subject, subject.history), key=itemgetter(0))


def measured(rule: Rule, subject: Subject, events: Sequence[Happened]) -> Any:
    """What an ``event`` rule compares of the events that match: a number, or a list of most frequent values; for explanations."""
    word = next((word for word in MEASURES if rule.get(word) is not None), None)
    if word is None:
        count = rule.get("count") or "times"
        days = {local(at, subject.zone).date() for at, _ in events}
        return len(events) if count == "times" else _COUNTED[count](days)
    values = [look_up(properties, rule[word]) for _, properties in events]
    if word in {"distinct", "repeated", "most_frequent"}:
        found = Counter(identity_of(one) for value in values for one in each_scalar(value))
        most = max(found.values(), default=0)
        if word != "most_frequent":
            return len(found) if word == "distinct" else most
        return [value for (_, value), n in found.items() if n == most]
    numbers = [number for value in values if (number := finite(value)) is not None]
    if not numbers:
        return 0 if word == "sum" else None
    return _AGGREGATED[word](numbers)


_COUNTED: Final[Mapping[str, Callable[[set[date]], int]]] = {
    "days": len, "weeks": _weeks, "months": _months, "days_in_a_row": _longest_run,
}  # fmt: skip
_AGGREGATED: Final[Mapping[str, Callable[[Sequence[Any]], Any]]] = {
    "sum": total, "average": average, "smallest": min, "largest": max,
}  # fmt: skip
