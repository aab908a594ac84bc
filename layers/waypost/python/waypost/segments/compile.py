"""Turns a published rule into a function of a contact. Used by the router, journeys and bulk runs.

A rule here is plain JSON in the form that ``waypost.authoring.rules`` accepts and publishes; docs/authoring.md has the
whole language. Compiled once, a rule is a tree of closures: no parsing and no look-up of operators per contact.

What a comparison means, whatever the values are (none ever raises):

- a missing attribute or property, or one that is null, makes every comparison false, except ``not_equals``, ``not_in``
  and ``exists: false``, which it makes true;
- text equals text, numbers equal numbers, booleans equal booleans; ``"5"`` is not ``5`` and ``true`` is not ``1``;
- the order operators compare numbers with numbers and dates or instants (ISO 8601) with each other, and are false for
  anything else. Where one side is a date, the other counts with the date as written in it; an instant without offset
  is UTC;
- ``contains`` looks for an element in a list or for a piece of text in a text; ``starts_with`` is for text.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from waypost.errors import InvalidInput
from waypost.journeys.durations import parse_duration

KEY_WORDS: Final = ("all", "any", "not", "attribute", "property", "tag", "event", "consent")
OPERATORS: Final = (
    "equals", "not_equals", "in", "not_in", "at_least", "at_most", "more_than", "less_than", "exists", "contains",
    "starts_with", "equals_trigger",
)  # fmt: skip
_COUNTS: Final = ("at_least", "at_most", "exactly")
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_MISSING: Final = object()

History = Sequence[tuple[str, datetime, Mapping[str, Any]]]
Consents = Callable[[str, str], str]
"""What a contact said about a channel and a topic (``*``: the whole channel); ``granted`` is the only yes."""


def no_consents(_channel: str, _topic: str) -> str:
    """Of a contact who never said anything."""
    return "none"


@dataclass(frozen=True, slots=True)
class Subject:
    """What a rule is asked about: a contact at ``now`` (aware), and the event at hand.

    ``properties`` belong to the event at hand, ``trigger`` are the properties of the event that started the journey.
    ``history`` holds (type, occurred_at, properties) of the contact's events, in any order; only rules that
    ``reads_history`` look at it.
    """

    attributes: Mapping[str, Any]
    tags: frozenset[str] | set[str]
    now: datetime
    properties: Mapping[str, Any] = field(default_factory=dict)
    trigger: Mapping[str, Any] = field(default_factory=dict)
    history: History = ()
    consents: Consents = no_consents


Condition = Callable[[Subject], bool]


def compile_rule(rule: Mapping[str, Any] | None) -> Condition:  # noqa: PLR0911 - one return per kind of rule
    """The rule as a function; None selects everybody. Raises InvalidInput for what is not a rule."""
    if rule is None:
        return lambda _subject: True
    match expand_where(rule):
        case {"all": rules}:
            return _all([compile_rule(each) for each in rules])
        case {"any": rules}:
            return _any([compile_rule(each) for each in rules])
        case {"not": inner}:
            condition = compile_rule(inner)
            return lambda subject: not condition(subject)
        case {"attribute": str(name), **comparison}:
            holds = _comparison(comparison)
            return lambda subject: holds(_look_up(subject.attributes, name), subject)
        case {"property": str(name), **comparison}:
            holds = _comparison(comparison)
            return lambda subject: holds(_look_up(subject.properties, name), subject)
        case {"tag": str(name)}:
            return lambda subject: name in subject.tags
        case {"event": str(event), **count}:
            return _history_condition(event, count)
        case {"consent": str(channel), **rest}:
            topic = rest.get("topic") or "*"
            return lambda subject: subject.consents(channel, topic) == "granted"
        case _:
            raise InvalidInput("rule", f"not a rule: {rule!r}")


def reads_history(rule: Mapping[str, Any] | None) -> bool:
    """Whether the rule looks at past events, so that callers fetch them only when they matter."""
    match rule:
        case {"event": _}:
            return True
        case {"all": rules} | {"any": rules}:
            return any(reads_history(each) for each in rules)
        case {"not": inner}:
            return reads_history(inner)
        case _:
            return False


def expand_where(where: Mapping[str, Any]) -> Mapping[str, Any]:
    """``{size: [s, m], total: {at_least: 5}}`` written out: all of property in, property at_least. Rules stay as is."""
    if any(word in where for word in KEY_WORDS):
        return where
    rules: list[dict[str, Any]] = []
    for name, wanted in where.items():
        match wanted:
            case Mapping():
                rules.extend({"property": name, operator: value} for operator, value in wanted.items())
            case list() | tuple():
                rules.append({"property": name, "in": list(wanted)})
            case _:
                rules.append({"property": name, "equals": wanted})
    return rules[0] if len(rules) == 1 else {"all": rules}


def _all(conditions: Sequence[Condition]) -> Condition:
    def holds(subject: Subject) -> bool:
        for condition in conditions:  # noqa: SIM110 - all() over a generator costs a frame per contact
            if not condition(subject):
                return False
        return True

    return conditions[0] if len(conditions) == 1 else holds


def _any(conditions: Sequence[Condition]) -> Condition:
    def holds(subject: Subject) -> bool:
        for condition in conditions:  # noqa: SIM110 - as above
            if condition(subject):
                return True
        return False

    return conditions[0] if len(conditions) == 1 else holds


def _history_condition(event: str, count: Mapping[str, Any]) -> Condition:
    where = count.get("where")
    matches = compile_rule(where)
    span = parse_duration(count["within"]) if count.get("within") else None
    enough = _count_condition(count)

    def holds(subject: Subject) -> bool:
        since = None if span is None else subject.now - span
        found = 0
        for kind, occurred_at, properties in subject.history:
            if kind != event or (since is not None and occurred_at < since):
                continue
            if where is None or matches(replace(subject, properties=properties)):
                found += 1
        return enough(found)

    return holds


def _count_condition(count: Mapping[str, Any]) -> Callable[[int], bool]:
    match next(((name, count[name]) for name in _COUNTS if count.get(name) is not None), ("at_least", 1)):
        case ("at_most", int(limit)):
            return lambda found: found <= limit
        case ("exactly", int(limit)):
            return lambda found: found == limit
        case (_, int(limit)):
            return lambda found: found >= limit
        case (name, limit):
            raise InvalidInput(f"rule.{name}", f"expected a whole number, got {limit!r}")


Holds = Callable[[Any, Subject], bool]
"""A comparison: of the value found (or _MISSING) with what the rule wants."""


def _comparison(comparison: Mapping[str, Any]) -> Holds:  # noqa: C901, PLR0911, PLR0912 - one branch per operator
    if len(comparison) != 1:
        raise InvalidInput("rule", f"expected exactly one operator, got {', '.join(comparison) or 'none'}")
    [(operator, wanted)] = comparison.items()
    match operator, wanted:
        case "equals", _:
            return _equals(wanted)
        case "not_equals", _:
            return _opposite(_equals(wanted))
        case "in", list():
            return _one_of(wanted)
        case "not_in", list():
            return _opposite(_one_of(wanted))
        case "at_least", _:
            return lambda value, _subject: (order := _order(value, wanted)) is not None and order >= 0
        case "at_most", _:
            return lambda value, _subject: (order := _order(value, wanted)) is not None and order <= 0
        case "more_than", _:
            return lambda value, _subject: (order := _order(value, wanted)) is not None and order > 0
        case "less_than", _:
            return lambda value, _subject: (order := _order(value, wanted)) is not None and order < 0
        case "exists", bool():
            return lambda value, _subject: (value is not _MISSING) is wanted
        case "contains", _:
            return lambda value, _subject: _contains(value, wanted)
        case "starts_with", str():
            return lambda value, _subject: isinstance(value, str) and value.startswith(wanted)
        case "equals_trigger", str():
            return lambda value, subject: _same(value, _look_up(subject.trigger, wanted))
        case _:
            raise InvalidInput("rule", f"not a comparison: {operator} {wanted!r}")


def _equals(wanted: Any) -> Holds:
    if isinstance(wanted, str):
        return lambda value, _subject: bool(value == wanted)
    return lambda value, _subject: _same(value, wanted)


def _one_of(options: Sequence[Any]) -> Holds:
    texts = frozenset(option for option in options if isinstance(option, str))
    others = [option for option in options if not isinstance(option, str)]
    return lambda value, _subject: (
        value in texts if isinstance(value, str) else any(_same(value, option) for option in others)
    )


def _opposite(holds: Holds) -> Holds:
    return lambda value, subject: not holds(value, subject)


def _look_up(values: Mapping[str, Any], path: str) -> Any:
    """The value at a dotted path; a name that itself has dots comes first. Null counts as missing."""
    found: Any = values.get(path)
    if found is None and "." in path:
        found = values
        for name in path.split("."):
            found = found.get(name) if isinstance(found, Mapping) else None
    return _MISSING if found is None else found


def _same(value: Any, wanted: Any) -> bool:
    if value is _MISSING or wanted is _MISSING:
        return False
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    if isinstance(value, Decimal) or isinstance(wanted, Decimal):
        left, right = _number(value), _number(wanted)
        return left is not None and left == right
    return bool(value == wanted)


def _contains(value: Any, wanted: Any) -> bool:
    if isinstance(value, str):
        return isinstance(wanted, str) and wanted in value
    return isinstance(value, (list, tuple, set, frozenset)) and any(_same(each, wanted) for each in value)


def _number(value: Any) -> int | float | None:
    """A number as Python compares it; DynamoDB's Decimal(0.1) must equal the 0.1 of a rule."""
    if isinstance(value, bool):
        return None
    if isinstance(value, Decimal):
        return int(value) if value.is_finite() and value == value.to_integral_value() else float(value)
    return value if isinstance(value, (int, float)) else None


def _order(value: Any, wanted: Any) -> int | None:
    """-1, 0 or 1 as ``value`` is before, at or after ``wanted``; None where that has no meaning."""
    if isinstance(value, str) and isinstance(wanted, str):
        return _order_in_time(value, wanted)
    left, right = _number(value), _number(wanted)
    if left is None or right is None or left != left or right != right:  # noqa: PLR0124 - only NaN differs from itself
        return None
    return (left > right) - (left < right)


def _order_in_time(value: str, wanted: str) -> int | None:
    left, right = _instant(value), _instant(wanted)
    if left is None or right is None:
        return None
    if _DATE.fullmatch(value) or _DATE.fullmatch(wanted):
        return (value[:10] > wanted[:10]) - (value[:10] < wanted[:10])
    return (left > right) - (left < right)


def _instant(text: str) -> datetime | None:
    if not _DATE.match(text):  # before the costly parse: most text is no date
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
