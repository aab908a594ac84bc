"""Contacts made for one test: a subject with the given facts, and rules asked of it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from waypost.segments.compile import Subject, compile_rule

NOW = datetime(2027, 3, 1, 2, 0, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")


def subject(**facts: Any) -> Subject:
    """A contact of whom only the facts are known."""
    return Subject(**{"attributes": {}, "tags": frozenset(), "now": NOW, **facts})


def selects(rule: Mapping[str, Any] | None, **facts: Any) -> bool:
    """Whether the rule holds for such a contact."""
    return compile_rule(rule)(subject(**facts))


def value_is(value: Any, facts: Mapping[str, Any] | None = None, **comparison: Any) -> bool:
    """Whether an attribute of this value compares so."""
    return selects({"attribute": "value", **comparison}, attributes={"value": value}, **(facts or {}))


def ago(
    kind: str, properties: Mapping[str, Any] | None = None, **span: float
) -> tuple[str, datetime, Mapping[str, Any]]:
    """An event so long before ``NOW``."""
    return kind, NOW - timedelta(**span), properties or {}


def at(kind: str, when: str, **properties: Any) -> tuple[str, datetime, Mapping[str, Any]]:
    """An event at an instant."""
    return kind, datetime.fromisoformat(when).astimezone(UTC), properties
