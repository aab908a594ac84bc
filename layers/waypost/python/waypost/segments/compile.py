"""Turns a published rule into a function of a contact. Used by the router, journeys and bulk runs.

A rule here is plain JSON in the form that ``waypost.authoring.rules`` accepts and publishes; docs/segments.md has the whole
language. Compiled once, a rule is one Python function: no parsing and no look-up of operators per contact.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from waypost.errors import InvalidInput
from waypost.segments import behaviour, membership, operators
from waypost.segments.dependencies import reads_history
from waypost.segments.generating import Code, Module
from waypost.segments.subject import Consents, Enrolled, History, Subject, no_consents, subject_of
from waypost.segments.vocabulary import (
    KEY_WORDS,
    MOST_NESTING,
    MOST_PARTS,
    OPERATORS,
    OPTIONS,
    Rule,
    conditions,
    engagement_as_event,
    event_types,
    expand_where,
)

__all__ = [
    "KEY_WORDS", "OPERATORS", "Condition", "Consents", "Enrolled", "History", "Subject", "compile_rule",
    "decide_from_profile", "expand_where", "no_consents", "reads_history", "subject_of",
]  # fmt: skip

Condition = Callable[[Subject], bool]

_FUNCTION_DEPTH: Final = 15
"""Python's parser gives up at about a hundred nested parentheses; a deeper rule continues in a function of its own."""


def compile_rule(rule: Mapping[str, Any] | None) -> Condition:
    """The rule as a function; None selects everybody. Raises InvalidInput for what is not a rule."""
    if rule is None:
        return lambda _subject: True
    check_nesting(rule)
    module = Module()
    return module.load(_function(module, expand_where(rule, KEY_WORDS), _sorted_types(rule)))


def decide_from_profile(rule: Mapping[str, Any] | None) -> Callable[[Subject], bool | None]:
    """The rule decided without history and enrolments: None where only they can tell (see ``segments.deciding``)."""
    from waypost.segments.deciding import decide  # noqa: PLC0415 - it is made of compiled rules itself

    return decide(rule)


def matching(rule: Rule) -> Callable[[Subject], list[behaviour.Happened]]:
    """The events an ``event`` rule counts, oldest first; for explanations."""
    return behaviour.matching(rule, _expression)


def check_nesting(rule: Any) -> None:
    """Raise InvalidInput for a rule too deep to be compiled; a stack of our own, so that no depth is too much to say so."""
    level = [rule]
    for _ in range(MOST_NESTING):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, Mapping) else outer)
            if isinstance(inner, (Mapping, list, tuple))
        ]
        if not level:
            return
        if len(level) > MOST_PARTS:
            raise InvalidInput("rule", f"has more than {MOST_PARTS:,} parts on one level")
    raise InvalidInput("rule", f"is nested deeper than {MOST_NESTING} levels; name its parts as segments of their own")


def _sorted_types(rule: Rule) -> frozenset[str]:
    """The event types that enough conditions ask for to sort the history by them."""
    asked = [event_types(each) for each in conditions(rule) if isinstance(each, Mapping) and "event" in each]
    types = [types[0] for types in asked if len(types) == 1]
    return frozenset(types) if len(types) >= behaviour.ASKED_EVENTS_TO_SORT else frozenset()


def _function(module: Module, rule: Rule, groups: frozenset[str]) -> str:
    code = Code(module, groups)
    expression = _expression(code, rule)
    if code.asks_event:
        code.prefetch("p", "s.properties")
    return module.function("s", [f"return {expression}"], code)


def _expression(code: Code, rule: Rule) -> str:  # noqa: C901, PLR0911, PLR0912 - one branch per key word
    """The rule as an expression over ``s`` and ``p``."""
    if not isinstance(rule, Mapping):
        raise InvalidInput("rule", f"not a rule: {rule!r}"[:500])
    _check_words(rule)
    match rule:
        case {"all": [*rules]} if rules:
            return _joined(code, rules, " and ")
        case {"any": [*rules]} if rules:
            return _joined(code, rules, " or ")
        case {"not": inner}:
            return f"(not {_joined(code, [inner], '')})"
        case {"attribute": str()}:
            return operators.comparison(code, rule, "attribute")
        case {"property": str()}:
            return operators.comparison(code, rule, "property")
        case {"engagement": str()}:
            if rule.get("of_last") is not None:
                return f"{code.constant(membership.of_last(rule))}(s)"
            return behaviour.condition(code, engagement_as_event(rule), _expression)
        case {"event": str() | [*_]}:
            return behaviour.condition(code, rule, _expression)
        case {"tag": _}:
            return membership.tag_expression(code, rule)
        case {"points": wanted}:
            return operators.number_expression(code, wanted, "s.points")
        case {"metric": str()}:
            return operators.comparison(code, rule, "metric")
        case {"group": _}:
            return membership.group_expression(code, rule)
        case {"segment": _}:
            return membership.segment_expression(code, rule)
        case {"lifecycle": _}:
            return membership.lifecycle_expression(code, rule)
        case _:
            return f"{code.constant(membership.condition(rule))}(s)"


def _check_words(rule: Rule) -> None:
    """Raise InvalidInput for a word that would silently mean nothing."""
    word = next((word for word in KEY_WORDS if word in rule), None)
    if word is None:
        raise InvalidInput("rule", f"not a rule: {rule!r}"[:500])
    allowed = OPTIONS.get(word, frozenset())
    if unknown := [str(each) for each in rule if each != word and each not in allowed]:
        raise InvalidInput(
            f"rule.{unknown[0]}", f"means nothing beside {word!r}; expected {', '.join(sorted(allowed)) or 'nothing'}"
        )


def _joined(code: Code, rules: list[Rule], word: str) -> str:
    code.depth += 1
    try:
        if code.depth < _FUNCTION_DEPTH:
            return f"({word.join(_expression(code, each) for each in rules)})"
        inner = Code(code.module, code.groups)
        code.asks_event = True
        body = [f"return {word.join(_expression(inner, each) for each in rules)}"]
        return f"{code.module.function('s, p', body, inner)}(s, p)"
    finally:
        code.depth -= 1
