"""Why a contact is in a segment or not: the rule as a tree, with the values that decided. Used by the command line and tasks.

Every condition is decided by the same compiled code that decides membership.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from waypost.segments.condition import Combination, Condition, compiled
from waypost.segments.conditions import parse_rule
from waypost.segments.subject import Subject
from waypost.segments.vocabulary import Rule
from waypost.segments.wording import Language, phrase


@dataclass(frozen=True, slots=True)
class Explanation:
    """A rule and whether it holds: ``label`` is the rule in words, ``values`` what decided it ("" for all, any, not)."""

    label: str
    holds: bool
    values: str = ""
    children: tuple["Explanation", ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "label": self.label,
            "holds": self.holds,
            "values": self.values,
            "children": [child.to_dict() for child in self.children],
        }

    def lines(self, indent: int = 0) -> Iterator[str]:
        """The tree as text, a line each: ✓ or ✗, the rule in words, and the values that decided."""
        values = f"  [{self.values}]" if self.values else ""
        yield f"{'  ' * indent}{'✓' if self.holds else '✗'} {self.label}{values}"
        for child in self.children:
            yield from child.lines(indent + 1)


def explain(rule: Rule | None, subject: Subject, *, language: Language = "en") -> Explanation:
    """The rule evaluated for the subject, condition by condition. Raises InvalidInput for what is not a rule.

    ``subject`` needs the history and the enrolments that ``reads(rule)`` names.
    """
    if rule is None:
        return Explanation(phrase(language, "everybody", "所有人"), holds=True)
    condition = parse_rule(rule)
    compiled(condition)  # refuses a wrong part before any part is explained
    return _explained(condition, subject, language)


def _explained(condition: Condition, subject: Subject, language: Language) -> Explanation:
    label, values = condition.say(language), condition.values(subject, language)
    if not isinstance(condition, Combination):
        return Explanation(label, compiled(condition)(subject), values)
    children = tuple(_explained(part, subject, language) for part in condition.parts)
    return Explanation(label, condition.of([child.holds for child in children]), values, children)
