"""The words of the rule language: what may stand in a published rule. Used by everything that reads rules.

docs/segments.md explains each of them; ``waypost.authoring.rules`` checks what authors write.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, get_args

Rule = Mapping[str, Any]
"""A rule in its published form: plain JSON."""

WHERE_WORDS: Final = ("all", "any", "not", "attribute", "property", "tag", "event", "consent")
"""What makes a ``where`` a rule; any other first word is the name of a property (the shorthand)."""

NUMBER_WORDS: Final = ("equals", "at_least", "at_most", "more_than", "less_than", "between")
"""What a number may be compared with where the number has no name: ``age: {at_least: 18}``."""

WINDOW_WORDS: Final = (
    "within", "within_next", "older_than", "last_days", "next_days", "period", "on", "before", "after", "between",
    "days_since", "days_until",
)  # fmt: skip
"""When something was or will be."""

CALENDAR_WORDS: Final = ("weekday", "month", "time_of_day")
"""Which part of the calendar something falls into."""

OPERATORS: Final = (
    "equals", "not_equals", "in", "not_in", "at_least", "at_most", "more_than", "less_than", "between", "exists", "contains",
    "contains_any", "contains_all", "contains_none", "starts_with", "ends_with", "matches", "length", "size", "is_empty",
    "within", "within_next", "older_than", "last_days", "next_days", "period", "on", "before", "after", "days_since",
    "days_until", "age", "anniversary", "weekday", "month", "time_of_day", "equals_trigger", "equals_property",
    "contains_property",
)  # fmt: skip
"""Comparisons of an attribute, a property or a metric."""

OPTIONS_OF_OPERATORS: Final = ("ignore_case",)

CountWord = Literal["at_least", "at_most", "exactly", "more_than", "less_than"]

COUNT_WORDS: Final[tuple[CountWord, ...]] = get_args(CountWord)
MEASURES: Final = ("sum", "average", "smallest", "largest", "distinct", "repeated", "most_frequent")

RELATIVE_WORDS: Final = frozenset(WINDOW_WORDS) - {"on", "before", "after", "between"}
"""Windows that move with the time of asking."""

ZONED_WORDS: Final = frozenset({
    "last_days", "next_days", "period", "on", "before", "after", "between", "days_since", "days_until", "age", "anniversary",
    *CALENDAR_WORDS,
})  # fmt: skip
"""Windows whose days are those of the contact's zone."""

ANY_EVENT: Final = "*"
CONCLUSIONS: Final = frozenset({
    "segment_entered", "segment_left", "tag_added", "tag_removed", "lifecycle_changed", "contact_updated", "points_earned",
    "points_spent",
})  # fmt: skip
"""What Waypost concludes from other events; ``*`` does not mean them, or a rule about any event could make itself true."""

ANY_CHANNEL: Final = "any"
LIFECYCLE_CHANGED: Final = "lifecycle_changed"

MOST_NESTING: Final = 100
"""How deep the JSON of a rule may be once segments are inlined; a rule inside a rule takes two levels."""

MOST_PARTS: Final = 100_000


def event_types(rule: Rule) -> list[str]:
    """The event types an ``event`` rule (or what follows it) looks at."""
    kinds = rule["event"]
    return [kinds] if isinstance(kinds, str) else list(kinds)


def names_of(value: Any) -> list[str]:
    """The names in ``vip``, ``[vip, gold]`` or ``{any_of: [vip, gold]}``; none in ``{exists: false}``."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [name for names in value.values() if not isinstance(names, bool) for name in names]
    return list(value)


def expand_where(where: Rule, words: Sequence[str] = WHERE_WORDS) -> Rule:
    """``{size: [s, m], total: {at_least: 5}}`` written out: all of property in, property at_least. Rules stay as is."""
    if any(word in where for word in words):
        return where
    rules: list[dict[str, Any]] = []
    for name, wanted in where.items():
        match wanted:
            case Mapping():
                options = {option: wanted[option] for option in OPTIONS_OF_OPERATORS if option in wanted}
                rules.extend(
                    {"property": name, operator: value, **options}
                    for operator, value in wanted.items()
                    if operator not in options
                )
            case list() | tuple():
                rules.append({"property": name, "in": list(wanted)})
            case _:
                rules.append({"property": name, "equals": wanted})
    return rules[0] if len(rules) == 1 else {"all": rules}
