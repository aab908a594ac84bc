"""The rule language as authors write it, checked. Used where rules are authored: manifests, definitions, tools.

``waypost.segments.compile`` documents what the operators mean and runs the published form without this module.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from waypost.authoring.problems import Authored, OrExpression, explain, join, nearest, unknown
from waypost.errors import InvalidInput
from waypost.journeys.durations import parse_duration
from waypost.segments.compile import KEY_WORDS, OPERATORS, expand_where

_SNAKE_CASE: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def _scalar(value: Any) -> Any:
    if isinstance(value, (str, int, float, bool)):
        return value
    raise ValueError(f"expected text, a number, true or false, got {value!r}")


def _ordered(value: Any) -> Any:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _is_time(value):
        return value
    raise ValueError(f"expected a number, a date (2027-03-01) or an instant (2027-03-01T10:00:00+08:00), got {value!r}")


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return len(text) >= len("2027-03-01") and text[4] == "-"


def _duration(text: str) -> str:
    parse_duration(text)
    return text


def _event_type(text: str) -> str:
    if _SNAKE_CASE.fullmatch(text):
        return text
    words = "_".join(re.findall(r"[a-z0-9]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text).lower()))
    guess = f"; did you mean {words!r}?" if _SNAKE_CASE.fullmatch(words) else ""
    raise ValueError(f"expected an event type in snake_case, got {text!r}{guess}")


Name = Annotated[str, Field(min_length=1, max_length=200)]
Scalar = Annotated[Any, AfterValidator(_scalar)]
Ordered = Annotated[Any, AfterValidator(_ordered), OrExpression]
Options = Annotated[list[Scalar], Field(min_length=1), OrExpression]
Duration = Annotated[str, AfterValidator(_duration), OrExpression]
EventType = Annotated[str, AfterValidator(_event_type), OrExpression]


class _Comparison(Authored):
    """Exactly one operator."""

    equals: Scalar = None
    not_equals: Scalar = None
    in_: Options | None = Field(None, alias="in")
    not_in: Options | None = None
    at_least: Ordered = None
    at_most: Ordered = None
    more_than: Ordered = None
    less_than: Ordered = None
    exists: bool | None = None
    contains: Scalar = None
    starts_with: Annotated[str, Field(min_length=1)] | None = None
    equals_trigger: Name | None = None

    @model_validator(mode="after")
    def _has_one_operator(self) -> Self:
        given = [name.rstrip("_") for name in self.model_fields_set if name.rstrip("_") in OPERATORS]
        if len(given) != 1:
            what = ", ".join(sorted(given)) or "none"
            raise ValueError(f"expected exactly one operator ({', '.join(OPERATORS)}), got {what}")
        return self


class AttributeRule(_Comparison):
    """Compares an attribute of the contact; a dotted name goes into nested values."""

    attribute: Name


class PropertyRule(_Comparison):
    """Compares a property of the event at hand; a dotted name goes into nested values."""

    property: Name


class TagRule(Authored):
    """The contact has a tag."""

    tag: Name


class ConsentRule(Authored):
    """The contact agreed to a channel, for a topic or in general."""

    consent: Literal["email", "sms"]
    topic: Name | None = None


class EventRule(Authored):
    """The contact's past events of a type: how many there were, of those that match ``where``, ``within`` a time."""

    event: EventType
    where: "Where | None" = None
    at_least: Annotated[int, Field(ge=1), OrExpression] | None = None
    at_most: Annotated[int, Field(ge=0), OrExpression] | None = None
    exactly: Annotated[int, Field(ge=0), OrExpression] | None = None
    within: Duration | None = None

    @model_validator(mode="after")
    def _has_one_count(self) -> Self:
        if sum(count is not None for count in (self.at_least, self.at_most, self.exactly)) > 1:
            raise ValueError("expected only one of at_least, at_most, exactly")
        return self


class AllRule(Authored):
    """Every rule holds."""

    all: Annotated[list["Rule"], Field(min_length=1)]


class AnyRule(Authored):
    """At least one rule holds."""

    any: Annotated[list["Rule"], Field(min_length=1)]


class NotRule(Authored):
    """The rule does not hold."""

    not_: "Rule" = Field(alias="not")


_TAGS: Final = {
    "all": "AllRule",
    "any": "AnyRule",
    "not": "NotRule",
    "attribute": "AttributeRule",
    "property": "PropertyRule",
    "tag": "TagRule",
    "event": "EventRule",
    "consent": "ConsentRule",
}


def _tag(value: Any) -> str:
    """The union member: by the one key word, which ``_check_key_word`` has made sure of."""
    if isinstance(value, Authored):
        return type(value).__name__
    return _TAGS[next(word for word in KEY_WORDS if word in value)]


def _check_key_word(value: Any) -> Any:
    if isinstance(value, Authored):
        return value
    if not isinstance(value, Mapping):
        raise ValueError(f"expected a rule (a mapping with one of {', '.join(KEY_WORDS)}), got {value!r}")  # noqa: TRY004 - pydantic takes ValueError
    found = [word for word in KEY_WORDS if word in value]
    if not found:
        guess = next(
            (f"; did you mean {near!r} instead of {key!r}?" for key in value if (near := nearest(key, KEY_WORDS))), ""
        )
        raise ValueError(
            f"expected one of the key words {', '.join(KEY_WORDS)}, got {', '.join(map(str, value)) or 'nothing'}{guess}"
        )
    if len(found) > 1:
        raise ValueError(
            f"expected one key word, got {' and '.join(found)}; put the two rules in a list under 'all' or 'any'"
        )
    return value


def _write_out(value: Any) -> Any:
    """The shorthand of ``where`` written out, after a look for a slip that it would hide."""
    if not isinstance(value, Mapping) or any(word in value for word in KEY_WORDS):
        return value
    if not value:
        raise ValueError("is empty; leave it out to match every event")
    if operators := [key for key in value if key in OPERATORS]:
        raise ValueError(
            f"{operators[0]!r} needs a 'property' beside it, such as {{property: coupon, {operators[0]}: …}}"
        )
    for name, wanted in value.items():
        if isinstance(wanted, Mapping):
            for operator in wanted:
                if operator not in OPERATORS:
                    raise ValueError(f"{name}: {unknown(operator, OPERATORS, 'unknown operator')}")
        elif wanted is None:
            raise ValueError(f"{name}: expected a value, a list of values or an operator, got nothing")
    return expand_where(value)


Rule = Annotated[
    Annotated[AllRule, Tag("AllRule")]
    | Annotated[AnyRule, Tag("AnyRule")]
    | Annotated[NotRule, Tag("NotRule")]
    | Annotated[AttributeRule, Tag("AttributeRule")]
    | Annotated[PropertyRule, Tag("PropertyRule")]
    | Annotated[TagRule, Tag("TagRule")]
    | Annotated[EventRule, Tag("EventRule")]
    | Annotated[ConsentRule, Tag("ConsentRule")],
    Discriminator(_tag),
    BeforeValidator(_check_key_word),
]
"""A rule over a contact (and, in a ``where``, the event at hand)."""

Where = Annotated[Rule, BeforeValidator(_write_out)]
"""A rule over an event, for which ``{coupon: GLOW15, size: [s, m]}`` is short for all of property equals, property in."""

for _model in (EventRule, AllRule, AnyRule, NotRule):
    _model.model_rebuild()

_RULE: Final[TypeAdapter[Rule]] = TypeAdapter(Rule)
_WHERE: Final[TypeAdapter[Where]] = TypeAdapter(Where)


def parse_rule(value: Any, where: str = "rule") -> Rule:
    """The rule in ``value``; ``where`` names its place in the error. Raises InvalidInput with the path and the reason."""
    return _parse(_RULE, value, where)


def parse_where(value: Any, where: str = "where") -> Rule:
    """Like ``parse_rule``, for a rule over an event: the shorthand is allowed."""
    return _parse(_WHERE, value, where)


def _parse(adapter: TypeAdapter[Rule], value: Any, where: str) -> Rule:
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        problems = list(explain(error, value))
        path, reason = problems[0]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise InvalidInput(join(where, path), reason + more) from None


def dump_rule(rule: Rule | None) -> dict[str, Any] | None:
    """The rule as plain JSON in its normal form: what is published and compiled."""
    return None if rule is None else rule.model_dump(mode="json", by_alias=True, exclude_none=True)


def uses_trigger(rule: Rule | None) -> bool:
    """Whether the rule compares with the event that started the journey."""
    match rule:
        case AllRule(all=rules) | AnyRule(any=rules):
            return any(uses_trigger(each) for each in rules)
        case NotRule(not_=inner):
            return uses_trigger(inner)
        case AttributeRule() | PropertyRule():
            return rule.equals_trigger is not None
        case EventRule(where=where):
            return uses_trigger(where)
        case _:
            return False
