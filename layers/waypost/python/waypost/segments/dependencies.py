"""What a rule looks at. Used to fetch only what matters, and to find the rules that a change can affect."""

from waypost.segments.conditions import parse_rule
from waypost.segments.reads import Reads
from waypost.segments.vocabulary import Rule

__all__ = ["Reads", "reads", "reads_past"]


def reads(rule: Rule | None) -> Reads:
    """What the rule looks at; nothing for None. Raises InvalidInput for what has not the shape of a rule."""
    return Reads() if rule is None else parse_rule(rule).reads()


def reads_past(rule: Rule | None) -> bool:
    """Whether the rule looks at past events or at passages through journeys: it cannot be asked of one event alone."""
    return reads(rule).looks_back()
