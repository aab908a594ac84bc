"""Comparisons that nothing can pass together: in one condition they are refused, by the models of rules; between the conditions
of an ``all`` they are reported when a segment is checked.

Only what is certain is called a contradiction, whatever the contact, its zone and the moment; the property tests hold each
of them against a naive reading of the language.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, inf
from typing import Any, Final

from waypost.authoring.problems import is_expression
from waypost.durations import parse_duration
from waypost.segments.comparing import DATE, fold, instant, same

Comparison = tuple[str, Any]
"""An operator and what it compares with."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One comparison of a value; ``folds``: capital and small letters are the same to it."""

    word: str
    wanted: Any
    folds: bool = False


_SOURCES: Final = ("attribute", "property", "metric")
_TICK: Final = 1e-6
_ORDERS: Final = frozenset({"at_least", "at_most", "more_than", "less_than", "between"})
_DAYS: Final = frozenset({"before", "after", "on", "between"})
_COUNTED: Final = frozenset({"age", "length", "size"})
_KNOWN: Final = _ORDERS | _DAYS | _COUNTED | {
    "equals", "in", "within", "within_next", "older_than", "last_days", "next_days", "days_since", "days_until",
}  # fmt: skip
_OTHER_ZONES: Final = 7
"""Days by which two instants may come nearer, or change places, as written and in any zone; generous, and cheap to be."""


def no_number_passes(
    comparisons: Iterable[Comparison], *, whole: bool = False, least: float | None = None, most: float | None = None
) -> bool:
    """Whether no number (``whole``: no whole one) from ``least`` to ``most`` passes all of the comparisons."""
    low, high = (-inf if least is None else least), (inf if most is None else most)
    low_open = high_open = False
    for word, limit in comparisons:
        bottom, top = limit if word == "between" else (limit, limit)
        if word in {"at_least", "more_than", "equals", "exactly", "between"} and bottom >= low:
            low_open = word == "more_than" or (low_open and bottom == low)
            low = bottom
        if word in {"at_most", "less_than", "equals", "exactly", "between"} and top <= high:
            high_open = word == "less_than" or (high_open and top == high)
            high = top
    if whole:
        low, low_open = _first_whole(low, after=low_open), False
        high, high_open = -_first_whole(-high, after=high_open), False
    return low > high or (low == high and (low_open or high_open))


def _first_whole(low: float, *, after: bool) -> float:
    if low in {inf, -inf}:
        return low
    return floor(low) + 1 if after else ceil(low)


def never_together(rule: Mapping[str, Any], place: str) -> Iterator[tuple[str, str]]:
    """Each ``all`` in a published rule whose parts can never hold together: where, and why.

    The author meant ``any``, or another limit. It selects nobody, which a rule that was put together by a machine
    may well do, so it is no mistake of the language.
    """
    if "all" in rule and (reason := _why_never(rule["all"])):
        yield f"{place}.all", reason
    for word in ("all", "any"):
        for index, inner in enumerate(rule.get(word, ())):
            yield from never_together(inner, f"{place}.{word}[{index}]")
    for word in ("not", "where", "having", "followed_by", "not_followed_by"):
        if isinstance(inner := rule.get(word), Mapping):
            yield from never_together(inner, f"{place}.{word}")


def _why_never(rules: Sequence[Mapping[str, Any]]) -> str:
    for about, comparisons in _by_value(rules).items():
        for index, one in enumerate(comparisons):
            for other in comparisons[:index]:
                if _exclude(other, one):
                    return (
                        f"can never hold: of {about}, {in_words({other.word: other.wanted})} excludes "
                        f"{in_words({one.word: one.wanted})}; correct one of them, or put both under 'any'"
                    )
    written = {repr(rule) for rule in rules}
    for index, rule in enumerate(rules):
        if "not" in rule and repr(rule["not"]) in written:
            return f"can never hold: asks for a rule and for its opposite, here at [{index}]; leave one of them out"
    stages = [frozenset(_listed(rule["lifecycle"])) for rule in rules if "lifecycle" in rule]
    if stages and not frozenset.intersection(*stages) and not any(map(is_expression, frozenset.union(*stages))):
        return "can never hold: a contact is in one stage of the life cycle; for any of several write lifecycle: [a, b]"
    return ""


def in_words(comparisons: Mapping[str, Any]) -> str:
    """``at_least 30 and at_most 20``: comparisons as an author reads them in a reason."""
    return " and ".join(
        f"{word} ({in_words(limit)})" if isinstance(limit, Mapping) else f"{word} {limit!r}"[:80]
        for word, limit in comparisons.items()
    )


def _by_value(rules: Iterable[Mapping[str, Any]]) -> dict[str, list[Compared]]:
    """The comparisons of each attribute, property and metric, and of the points."""
    found: dict[str, list[Compared]] = {}
    for rule in rules:
        if "points" in rule:
            found.setdefault("points", []).extend(Compared(*each) for each in rule["points"].items())
        for source in _SOURCES:
            if source in rule:
                folds = bool(rule.get("ignore_case"))
                compared = (
                    Compared(word, wanted, folds=folds)
                    for word, wanted in rule.items()
                    if word in _KNOWN and not _is_computed(wanted)
                )
                found.setdefault(f"{source} {rule[source]}", []).extend(compared)
    return found


def _is_computed(wanted: Any) -> bool:
    if isinstance(wanted, Mapping):
        return any(map(_is_computed, wanted.values()))
    return is_expression(wanted) or (isinstance(wanted, list) and any(map(is_expression, wanted)))


def _exclude(one: Compared, other: Compared) -> bool:
    """Whether no value passes both."""
    words = {one.word, other.word}
    both = ((one.word, one.wanted), (other.word, other.wanted))
    if words <= {"equals", "in"}:
        options = [_options(each.wanted, folds=one.folds or other.folds) for each in (one, other)]
        return not any(same(mine, theirs) for mine in options[0] for theirs in options[1])
    if len(words) == 1 and words <= _COUNTED:
        return no_number_passes([*one.wanted.items(), *other.wanted.items()], whole=True)
    if words <= _ORDERS | {"equals"} and _are(both, int, float):
        return no_number_passes(both)
    if _are(both, str) and (words <= _ORDERS - {"between"} or words <= _DAYS):
        return _no_day_passes(both)
    for ranges in ([*map(_seconds_ago, both)], [*map(_days_ago, both)]):
        (low, high), (other_low, other_high) = ranges
        if max(low, other_low) > min(high, other_high):
            return True
    return False


def _listed(wanted: Any) -> list[Any]:
    return wanted if isinstance(wanted, list) else [wanted]


def _options(wanted: Any, *, folds: bool) -> list[Any]:
    return [fold(each) if folds else each for each in _listed(wanted)]


def _are(both: Iterable[Comparison], *kinds: type) -> bool:
    limits = [each for _, wanted in both for each in _listed(wanted)]
    return all(isinstance(each, kinds) and not isinstance(each, bool) for each in limits)


def _no_day_passes(both: Sequence[Comparison]) -> bool:
    """Days are whole: after the 1st is from the 2nd on. An instant may be of another day where it is looked at."""
    limits = [each for _, wanted in both for each in _listed(wanted)]
    slack = 0 if all(DATE.fullmatch(each) for each in limits) else _OTHER_ZONES
    low, high = -inf, inf
    for word, wanted in both:
        first, last = wanted if word == "between" else (wanted, wanted)
        if word in {"after", "more_than"}:
            low = max(low, _day(first) + 1)
        if word in {"at_least", "on", "between"}:
            low = max(low, _day(first))
        if word in {"before", "less_than"}:
            high = min(high, _day(last) - 1)
        if word in {"at_most", "on", "between"}:
            high = min(high, _day(last))
    return low > high + slack


def _day(text: str) -> float:
    found = instant(text)
    return inf if found is None else found.date().toordinal()


def _seconds_ago(comparison: Comparison) -> tuple[float, float]:
    """How long ago, in seconds, what passes lies: from, to."""
    word, wanted = comparison
    match word:
        case "within":
            return 0, parse_duration(wanted).total_seconds()
        case "within_next":
            return -parse_duration(wanted).total_seconds(), 0
        case "older_than":
            return parse_duration(wanted).total_seconds() + _TICK, inf
        case _:
            return -inf, inf


def _days_ago(comparison: Comparison) -> tuple[float, float]:
    """How many calendar days ago what passes lies: from, to."""
    word, wanted = comparison
    match word:
        case "last_days":
            return 0, wanted - 1
        case "next_days":
            return 1 - wanted, 0
        case "days_since":
            return _whole_range(wanted)
        case "days_until":
            low, high = _whole_range(wanted)
            return -high, -low
        case _:
            return -inf, inf


def _whole_range(wanted: Mapping[str, Any]) -> tuple[float, float]:
    low, high = 0.0, inf
    for word, limit in wanted.items():
        bottom, top = limit if word == "between" else (limit, limit)
        if word in {"at_least", "equals", "between", "more_than"}:
            low = max(low, _first_whole(bottom, after=word == "more_than"))
        if word in {"at_most", "equals", "between", "less_than"}:
            high = min(high, -_first_whole(-top, after=word == "less_than"))
    return low, high
