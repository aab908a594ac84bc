"""Saved segments inside rules, replaced by what they mean. Called where rules are published and evaluated.

``{segment: name}`` is membership by the segment's own rule, as true as the moment it is asked. Asked with a time
(``{segment: name, within: 7d}``) it stays as it is: only the kept membership knows since when.
"""

from collections.abc import Mapping
from typing import Any, Final

from waypost.errors import InvalidInput
from waypost.segments.vocabulary import MOST_NESTING, Rule, expand_where, names_of

MOST_INLINED: Final = 10_000
"""Conditions of a rule once its segments are inlined: segments that name each other twice would double for ever."""


def inline(rule: Rule | None, rules: Mapping[str, Rule | None]) -> Rule | None:
    """The rule with each named segment replaced by its own rule, all the way down.

    ``rules`` has every saved segment's rule by name. Raises InvalidInput for a name that is not in it, for segments that
    lead back to themselves (with the way), and for a rule that grows too large.
    """
    return None if rule is None else _Inliner(rules).inlined(rule, ())


class _Inliner:
    def __init__(self, rules: Mapping[str, Rule | None]) -> None:
        self._rules = rules
        self._count = 0

    def inlined(self, rule: Rule, way: tuple[str, ...], depth: int = 0) -> Rule:
        self._count += 1
        if self._count > MOST_INLINED:
            raise InvalidInput("segment", f"has more than {MOST_INLINED:,} conditions with its segments written out")
        if depth > MOST_NESTING // 2:
            raise InvalidInput(
                "segment", f"is nested deeper than {MOST_NESTING // 2} levels with its segments written out"
            )
        match rule:
            case {"all": rules}:
                return {"all": [self.inlined(each, way, depth + 1) for each in rules]}
            case {"any": rules}:
                return {"any": [self.inlined(each, way, depth + 1) for each in rules]}
            case {"not": inner}:
                return {"not": self.inlined(inner, way, depth + 1)}
            case {"segment": names} if len(rule) == 1:
                return self._segments(names, way, depth)
            case _:
                return self._in_filters(rule, way, depth)

    def _segments(self, names: Any, way: tuple[str, ...], depth: int) -> Rule:
        parts = [self._segment(name, way, depth) for name in names_of(names)]
        grouping = next(iter(names)) if isinstance(names, Mapping) else "any_of"
        if len(parts) == 1 and grouping != "none_of":
            return parts[0]
        match grouping:
            case "all_of":
                return {"all": parts}
            case "none_of":
                return {"not": {"any": parts}}
            case _:
                return {"any": parts}

    def _segment(self, name: str, way: tuple[str, ...], depth: int) -> Rule:
        if name not in self._rules:
            known = ", ".join(sorted(self._rules)[:20]) or "none"
            raise InvalidInput("segment", f"unknown segment {name!r}; the saved segments are {known}")
        if name in way:
            raise InvalidInput("segment", f"leads back to itself: {' → '.join((*way[way.index(name) :], name))}")
        rule = self._rules[name]
        return EVERYBODY if rule is None else self.inlined(rule, (*way, name), depth + 1)

    def _in_filters(self, rule: Rule, way: tuple[str, ...], depth: int) -> Rule:
        """The rule with the segments inside the filters of its events, if it has such filters."""
        changed = dict(rule)
        for word in ("where", "having"):
            if isinstance(rule.get(word), Mapping):
                changed[word] = self.inlined(expand_where(rule[word]), way, depth + 1)
        for word in ("followed_by", "not_followed_by"):
            if isinstance(rule.get(word), Mapping):
                changed[word] = self._in_filters(rule[word], way, depth + 1)
        return changed


EVERYBODY: Final[Rule] = {"bucket": {"salt": "everybody", "from": 0, "to": 100}}
"""What a segment without a rule means."""
