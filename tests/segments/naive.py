"""The rule language once more, interpreted in the plainest way: what the compiled rules are compared with."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from waypost.segments.compile import Subject

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def naive(rule: Mapping[str, Any], subject: Subject) -> bool:  # noqa: PLR0911 - one return per kind of rule
    """Whether the rule selects the subject."""
    if "all" in rule:
        return False not in [naive(each, subject) for each in rule["all"]]
    if "any" in rule:
        return True in [naive(each, subject) for each in rule["any"]]
    if "not" in rule:
        return naive(rule["not"], subject) is False
    if "tag" in rule:
        return rule["tag"] in list(subject.tags)
    if "consent" in rule:
        return subject.consents(rule["consent"], rule.get("topic", "*")) == "granted"
    if "event" in rule:
        return _history(rule, subject)
    source = subject.attributes if "attribute" in rule else subject.properties
    name = rule.get("attribute", rule.get("property"))
    [(operator, wanted)] = [(key, value) for key, value in rule.items() if key not in {"attribute", "property"}]
    return compare(_find(source, name), operator, wanted, subject)


def _find(source: Mapping[str, Any], path: Any) -> Any:
    if source.get(path) is not None:
        return source[path]
    for part in path.split("."):
        if not isinstance(source, Mapping) or part not in source:
            return None
        source = source[part]
    return source


def _history(rule: Mapping[str, Any], subject: Subject) -> bool:
    count = 0
    for kind, occurred_at, properties in subject.history:
        recent = True
        if rule.get("within"):
            seconds = int(rule["within"][:-1]) * UNITS[rule["within"][-1]]
            recent = subject.now - occurred_at <= timedelta(seconds=seconds)
        there = replace(subject, properties=properties)
        if kind == rule["event"] and recent and (not rule.get("where") or naive(rule["where"], there)):
            count += 1
    if "exactly" in rule:
        return bool(count == rule["exactly"])
    if "at_most" in rule:
        return bool(count <= rule["at_most"])
    return bool(count >= rule.get("at_least", 1))


def kind_of(value: Any) -> str:
    """Values of different kinds are never equal and have no order."""
    if isinstance(value, bool):
        return "bool"
    return "number" if isinstance(value, (int, float)) else type(value).__name__


def equal(value: Any, wanted: Any) -> bool:
    """Equality without Python's habit of taking True for 1."""
    return value is not None and kind_of(value) == kind_of(wanted) and bool(value == wanted)


def compare(value: Any, operator: str, wanted: Any, subject: Subject) -> bool:
    """One operator, spelled out."""
    outcomes: dict[str, Callable[[], bool]] = {
        "equals": lambda: equal(value, wanted),
        "not_equals": lambda: not equal(value, wanted),
        "in": lambda: [each for each in wanted if equal(value, each)] != [],
        "not_in": lambda: [each for each in wanted if equal(value, each)] == [],
        "exists": lambda: bool((value is not None) == wanted),
        "contains": lambda: _contains(value, wanted),
        "starts_with": lambda: kind_of(value) == "str" and bool(value[: len(wanted)] == wanted),
        "equals_trigger": lambda: equal(value, _find(subject.trigger, wanted)),
        "at_least": lambda: _ordered(value, wanted, {1, 0}),
        "at_most": lambda: _ordered(value, wanted, {-1, 0}),
        "more_than": lambda: _ordered(value, wanted, {1}),
        "less_than": lambda: _ordered(value, wanted, {-1}),
    }
    return outcomes[operator]()


def _contains(value: Any, wanted: Any) -> bool:
    if kind_of(value) == "str":
        return kind_of(wanted) == "str" and str(value).find(wanted) >= 0
    return kind_of(value) == "list" and [each for each in value if equal(each, wanted)] != []


def _ordered(value: Any, wanted: Any, accepted: set[int]) -> bool:
    if kind_of(value) != kind_of(wanted) or kind_of(value) not in {"number", "str"}:
        return False
    if kind_of(value) == "str":
        moments = (_moment(value), _moment(wanted))
        if None in moments:
            return False
        value, wanted = (value[:10], wanted[:10]) if 10 in {len(value), len(wanted)} else moments
    return (-1 if value < wanted else 1 if value > wanted else 0) in accepted


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if text[4:5] != "-" or text[7:8] != "-":
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
