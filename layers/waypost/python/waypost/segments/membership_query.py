"""One rule as a question that is asked of many contacts: of the profile first, of the past only when that cannot tell.

Used by the keeper, by evaluate_segment and by counts.
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
    """A published rule. What it takes to answer is made when it is needed first, and kept."""

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

    def ask(self, subject: Subject, partitions: Sequence[str], past: HistoryLookup) -> bool:
        """The answer; ``past`` is read only when the profile does not decide."""
        answer = self.decide(subject)
        return self.holds(past.added(subject, partitions, self.reads)) if answer is None else answer


@lru_cache(maxsize=1024)
def _question(rule: str) -> MembershipQuery:
    return MembershipQuery(json.loads(rule))


def membership_query_of(rule: Mapping[str, Any]) -> MembershipQuery:
    """The question for this rule; the same one for the same rule. Raises InvalidInput when it is asked, if it is no rule."""
    return _question(json.dumps(rule, sort_keys=True))
