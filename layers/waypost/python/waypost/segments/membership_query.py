"""One rule evaluated for many contacts: by the profile first, by the history only when the profile does not decide.

Used by the upkeep of segments, by evaluate_segment and by counts.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from waypost.segments.compile import decision_of
from waypost.segments.condition import Condition, Decision, Holds, compiled
from waypost.segments.conditions import parse_rule
from waypost.segments.history_lookup import HistoryLookup
from waypost.segments.reads import Reads
from waypost.segments.subject import Subject


@dataclass(frozen=True)
class MembershipQuery:
    """A published rule. It is parsed and compiled when it is first needed, once."""

    rule: Mapping[str, Any]

    @cached_property
    def condition(self) -> Condition:
        """The rule as it is read. Raises InvalidInput, as do the others, for what is not a rule."""
        return parse_rule(self.rule)

    @cached_property
    def reads(self) -> Reads:
        """What the answer may depend on."""
        return self.condition.reads()

    @cached_property
    def decide(self) -> Decision:
        """The answer from the profile alone, or None."""
        return decision_of(self.condition)

    @cached_property
    def holds(self) -> Holds:
        """The answer from the whole subject."""
        return compiled(self.condition)

    def ask(self, subject: Subject, partitions: Sequence[str], lookup: HistoryLookup) -> bool:
        """The answer; ``lookup`` is used only when the profile does not decide."""
        answer = self.decide(subject)
        return self.holds(lookup.added(subject, partitions, self.reads)) if answer is None else answer


@lru_cache(maxsize=1024)
def _query(rule: str) -> MembershipQuery:
    return MembershipQuery(json.loads(rule))


def membership_query_of(rule: Mapping[str, Any]) -> MembershipQuery:
    """The query of this rule, cached by the rule. What is not a rule raises InvalidInput when it is first used."""
    return _query(json.dumps(rule, sort_keys=True))
