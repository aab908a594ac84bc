"""Turns a published rule into a function of a contact. Used by the router, journeys and bulk runs.

A rule here is plain JSON in the form that ``waypost.authoring.rules`` accepts and publishes; docs/segments.md has the whole
language. Compiled once, a rule is one Python function: no parsing and no look-up of operators per contact.
"""

from waypost.segments.condition import Condition, Decision, Holds, compiled
from waypost.segments.conditions import parse_rule
from waypost.segments.subject import Subject
from waypost.segments.vocabulary import Rule

__all__ = ["Decision", "Holds", "Subject", "compile_rule", "decide_from_profile", "decision_of"]


def compile_rule(rule: Rule | None) -> Holds:
    """The rule as a function; None selects everybody. Raises InvalidInput for what is not a rule."""
    return _everybody if rule is None else compiled(parse_rule(rule))


def decide_from_profile(rule: Rule | None) -> Decision:
    """The rule decided without history and enrolments: None where only they can tell. Raises as ``compile_rule``."""
    return _everybody if rule is None else decision_of(parse_rule(rule))


def decision_of(condition: Condition) -> Decision:
    """The condition decided by the profile alone. Raises InvalidInput for a value that means nothing in any part."""
    holds = compiled(condition)  # also checks the parts that the profile never decides
    return condition.decide() if condition.reads().looks_back() else holds


def _everybody(_subject: object) -> bool:
    return True
