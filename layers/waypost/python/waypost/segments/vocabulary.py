"""The words of the rule language: what may stand in a published rule. Used by everything that reads rules.

docs/segments.md explains each of them; ``waypost.authoring.rules`` checks what authors write.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from waypost.contacts.channels import declared_channels
from waypost.errors import InvalidInput

Rule = Mapping[str, Any]
"""A rule in its published form: plain JSON."""

WHERE_WORDS: Final = ("all", "any", "not", "attribute", "property", "tag", "event", "consent")
"""What makes a ``where`` a rule; any other first word is the name of a property (the shorthand)."""

KEY_WORDS: Final = (
    *WHERE_WORDS, "metric", "points", "created", "now", "locale", "region", "group", "segment", "lifecycle", "suppressed",
    "reachable", "address", "identity", "journey", "engagement", "bucket", "holdout",
)  # fmt: skip
"""Each rule has exactly one of them."""

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
    "days_until", "age", "anniversary", "weekday", "month", "time_of_day", "equals_trigger",
)  # fmt: skip
"""Comparisons of an attribute, a property or a metric."""

OPTIONS_OF_OPERATORS: Final = ("ignore_case",)

COUNT_WORDS: Final = ("at_least", "at_most", "exactly", "more_than", "less_than")
MEASURES: Final = ("sum", "average", "smallest", "largest", "distinct", "repeated", "most_frequent")

_TIMES: Final = frozenset({*WINDOW_WORDS, *CALENDAR_WORDS})
_COUNTED: Final = _TIMES | {
    "where", *COUNT_WORDS, "count", *MEASURES, "equals", "in", "occurrence", "having", "followed_by", "not_followed_by",
}  # fmt: skip
_COMPARED: Final = frozenset({*OPERATORS, *OPTIONS_OF_OPERATORS})

OPTIONS: Final[Mapping[str, frozenset[str]]] = {
    "attribute": _COMPARED, "property": _COMPARED, "metric": _COMPARED, "event": _COUNTED,
    "engagement": _COUNTED | {"channel", "of_journey", "of_last"}, "tag": _TIMES, "segment": _TIMES, "lifecycle": _TIMES,
    "consent": _TIMES | {"topic", "is"}, "journey": _TIMES | {"is", "outcome"}, "suppressed": frozenset({"reason"}),
    "reachable": frozenset({"topic"}), "identity": frozenset({"account"}),
}  # fmt: skip
"""What may stand beside each key word; the others stand alone."""

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
UNSUBSCRIBED: Final = "unsubscribed"

ENGAGEMENT_EVENTS: Final[Mapping[str, str]] = {
    "accepted": "message_accepted",
    "delivered": "message_delivered",
    "opened": "message_opened",
    "clicked": "message_clicked",
    "bounced": "message_bounced",
    "complained": "message_complained",
    "failed": "message_failed",
    "unsubscribed": UNSUBSCRIBED,
}
"""What somebody (or a provider) did with a message, and the event type that says so."""


def channels_reporting(engagement: str) -> list[str]:
    """The channels on which this engagement can be known."""
    return [
        name
        for name, declared in declared_channels().items()
        if engagement == UNSUBSCRIBED or engagement in declared.reports
    ]


def arrivals_as_event(rule: Rule) -> dict[str, Any]:
    """The messages that ``of_last`` looks at: those that arrived on a channel that reports the engagement."""
    kept = {word: rule[word] for word in ("channel", "of_journey") if rule.get(word) is not None}
    reporting = channels_reporting(rule["engagement"])
    if "channel" not in kept and set(channels_reporting("delivered")) - set(reporting):
        kept["where"] = {"channel": reporting}
    return engagement_as_event({**kept, "engagement": "delivered"})


_ENGAGEMENT_WORDS: Final = frozenset({"engagement", "channel", "of_journey", "of_last", "where"})

MOST_NESTING: Final = 100
"""How deep the JSON of a rule may be once segments are inlined; a rule inside a rule takes two levels."""

MOST_PARTS: Final = 100_000


def event_types(rule: Rule) -> list[str]:
    """The event types an ``event`` rule (or what follows it) looks at."""
    kinds = rule["event"]
    return [kinds] if isinstance(kinds, str) else list(kinds)


def engagement_type(rule: Rule) -> str:
    """The event type an ``engagement`` rule looks at. Raises InvalidInput where no such channel reports it."""
    channel, known = rule.get("channel"), channels_reporting(rule["engagement"])
    if rule["engagement"] not in ENGAGEMENT_EVENTS or not known or channel not in {None, *known}:
        raise InvalidInput("rule.engagement", f"nothing tells of {rule['engagement']!r} on {channel or 'any channel'}")
    return ENGAGEMENT_EVENTS[rule["engagement"]]


def engagement_as_event(rule: Rule) -> dict[str, Any]:
    """An ``engagement`` rule as the ``event`` rule it is short for."""
    kind = engagement_type(rule)
    filters = [rule["where"]] if rule.get("where") else []
    if rule.get("of_journey") is not None:
        filters.append({"property": "journey", "in": names_of(rule["of_journey"])})
    if rule.get("channel"):
        filters.append({"property": "channel", "equals": rule["channel"]})
    words = {key: value for key, value in rule.items() if key not in _ENGAGEMENT_WORDS and value is not None}
    where = [expand_where(each) for each in filters]
    return {**words, "event": [kind], **({"where": {"all": where}} if where else {})}


def names_of(value: Any) -> list[str]:
    """The names in ``vip``, ``[vip, gold]`` or ``{any_of: [vip, gold]}``."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [name for names in value.values() for name in names]
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


def parts(rule: Rule) -> list[Rule]:
    """The rules directly inside this one, not those over its events."""
    match rule:
        case {"all": inner} | {"any": inner}:
            return list(inner)
        case {"not": inner}:
            return [inner]
        case _:
            return []


def conditions(rule: Rule | None) -> Iterator[Rule]:
    """Every condition of the rule that is not all, any or not; with a stack, so that no rule is too deep for it."""
    stack = [] if rule is None else [rule]
    while stack:
        one = stack.pop()
        if inner := parts(one):
            stack.extend(reversed(inner))
        else:
            yield one
