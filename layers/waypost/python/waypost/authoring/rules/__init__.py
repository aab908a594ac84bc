"""The rule language as authors write it, checked. Used where rules are authored: manifests, definitions, segments, tags.

Every word and what it means stands beside the model that checks it; docs/segments.md is made from them
(``python -m waypost.authoring.rule_reference``). ``waypost.segments.compile`` runs the published form without this package.
"""

from waypost.authoring.rules.language import (
    Rule,
    Where,
    dump_rule,
    parse_rule,
    parse_where,
    uses_trigger,
)
from waypost.authoring.rules.values import Duration, EventType, Name, Options, Ordered, PropertyName, Scalar

__all__ = [
    "Duration", "EventType", "Name", "Options", "Ordered", "PropertyName", "Rule", "Scalar", "Where",
    "dump_rule", "parse_rule", "parse_where", "uses_trigger",
]  # fmt: skip
