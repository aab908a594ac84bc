"""The union of all rules, and how a rule is read, bounded and written out."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    TypeAdapter,
    ValidationError,
)

from waypost.authoring.problems import Authored, explain, join, nearest, unknown
from waypost.authoring.rules.behaviour import Counted, EventRule, FollowingEvent
from waypost.authoring.rules.comparisons import AttributeRule, Comparison, MetricRule, PropertyRule
from waypost.authoring.rules.engagement import EngagementRule, JourneyRule
from waypost.authoring.rules.membership import (
    AddressRule,
    BucketRule,
    ConsentRule,
    CreatedRule,
    GroupRule,
    HoldoutRule,
    IdentityRule,
    LifecycleRule,
    LocaleRule,
    NowRule,
    PointsRule,
    ReachableRule,
    RegionRule,
    SegmentRule,
    SuppressedRule,
    TagRule,
)
from waypost.authoring.rules.values import LONGEST_TEXT
from waypost.errors import InvalidInput
from waypost.segments.conditions import KEY_WORDS
from waypost.segments.vocabulary import OPERATORS, OPTIONS_OF_OPERATORS, WHERE_WORDS, expand_where

MOST_NESTED: Final = 20
MOST_CONDITIONS: Final = 1_000
MOST_LISTED: Final = 10_000

_NESTING: Final = frozenset({"all", "any", "not", "where", "having", "followed_by", "not_followed_by"})
_DEEPEST_VALUE: Final = 4
_HALF_CHARACTER: Final = re.compile("[\ud800-\udfff]")


def _some(rules: list["Rule"]) -> list["Rule"]:
    if not rules:
        raise ValueError("expected at least 1 item, got []; leave the list out to mean everybody")
    return rules


class AllRule(Authored):
    """Every rule holds."""

    all: Annotated[list["Rule"], AfterValidator(_some)]


class AnyRule(Authored):
    """At least one rule holds."""

    any: Annotated[list["Rule"], AfterValidator(_some)]


class NotRule(Authored):
    """The rule does not hold."""

    not_: "Rule" = Field(alias="not")


MODELS: Final[Mapping[str, type[Authored]]] = {
    "all": AllRule,
    "any": AnyRule,
    "not": NotRule,
    "attribute": AttributeRule,
    "property": PropertyRule,
    "metric": MetricRule,
    "points": PointsRule,
    "lifecycle": LifecycleRule,
    "created": CreatedRule,
    "now": NowRule,
    "locale": LocaleRule,
    "region": RegionRule,
    "address": AddressRule,
    "identity": IdentityRule,
    "consent": ConsentRule,
    "suppressed": SuppressedRule,
    "reachable": ReachableRule,
    "event": EventRule,
    "engagement": EngagementRule,
    "journey": JourneyRule,
    "group": GroupRule,
    "segment": SegmentRule,
    "bucket": BucketRule,
    "holdout": HoldoutRule,
    "tag": TagRule,
}
"""The model of each key word, in the order of the reference page."""


def _tag(value: Any) -> str:
    """The union member: by the one key word, which ``_check_key_word`` has made sure of."""
    if isinstance(value, Authored):
        return type(value).__name__
    return MODELS[next(word for word in KEY_WORDS if word in value)].__name__


def _check_key_word(value: Any) -> Any:
    if isinstance(value, Authored):
        return value
    if not isinstance(value, Mapping):
        raise ValueError(f"expected a rule (a mapping with one of {', '.join(KEY_WORDS)}), got {_shown(value)}")  # noqa: TRY004 - pydantic takes ValueError
    _check_size(value)
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


def _shown(value: Any) -> str:
    text = repr(value) if not isinstance(value, (list, dict)) else f"a {type(value).__name__}"
    return text if len(text) <= 60 else text[:57] + "…"


def _check_size(rule: Any) -> None:
    """Refuse what nobody writes by hand before anything looks deeper; with a stack of our own, so that it cannot overflow."""
    conditions = listed = 0
    waiting: list[tuple[Any, int, int]] = [(rule, 1, 0)]
    while waiting:
        value, nesting, depth = waiting.pop()
        if nesting > MOST_NESTED:
            raise ValueError(f"is nested deeper than {MOST_NESTED} levels; name a part of it as a segment of its own")
        if depth > _DEEPEST_VALUE:
            raise ValueError(f"has values nested deeper than {_DEEPEST_VALUE} levels")
        if isinstance(value, str):
            _check_text(value)
        if isinstance(value, Mapping):
            conditions += not {"all", "any", "not"} & value.keys()
            for word, inner in value.items():
                deeper = word in _NESTING
                waiting.append((inner, nesting + deeper, 0 if deeper else depth + 1))
        elif isinstance(value, (list, tuple)):
            listed += len(value)
            waiting.extend((inner, nesting, 0 if isinstance(inner, Mapping) else depth + 1) for inner in value)
        if listed > MOST_LISTED:
            raise ValueError(f"lists more than {MOST_LISTED:,} values; give those contacts a tag and ask for the tag")
        if conditions > MOST_CONDITIONS:
            raise ValueError(f"has more than {MOST_CONDITIONS:,} conditions; name parts of it as segments of their own")


def _check_text(text: str) -> None:
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"has a text of {len(text):,} characters; expected at most {LONGEST_TEXT:,}")
    if _HALF_CHARACTER.search(text):
        raise ValueError(f"has half of a character (a lone surrogate), which cannot be stored: {text!a}"[:200])


def _write_out(value: Any) -> Any:
    """The shorthand of ``where`` written out, after a look for a slip that it would hide."""
    if not isinstance(value, Mapping) or any(word in value for word in WHERE_WORDS):
        return value
    if not value:
        raise ValueError("is empty; leave it out to match every event")
    _check_size(value)
    if operators := [key for key in value if key in OPERATORS]:
        raise ValueError(
            f"{operators[0]!r} needs a 'property' beside it, such as {{property: coupon, {operators[0]}: …}}"
        )
    for name, wanted in value.items():
        if isinstance(wanted, Mapping):
            for operator in wanted:
                if operator not in (*OPERATORS, *OPTIONS_OF_OPERATORS):
                    raise ValueError(f"{name}: {unknown(operator, OPERATORS, 'unknown operator')}")
            if not wanted:
                raise ValueError(f"{name}: expected a value, a list of values or an operator, got nothing")
        elif wanted is None:
            raise ValueError(f"{name}: expected a value, a list of values or an operator, got nothing")
    return expand_where(value)


Rule = Annotated[
    Annotated[AllRule, Tag("AllRule")]
    | Annotated[AnyRule, Tag("AnyRule")]
    | Annotated[NotRule, Tag("NotRule")]
    | Annotated[AttributeRule, Tag("AttributeRule")]
    | Annotated[PropertyRule, Tag("PropertyRule")]
    | Annotated[MetricRule, Tag("MetricRule")]
    | Annotated[PointsRule, Tag("PointsRule")]
    | Annotated[LifecycleRule, Tag("LifecycleRule")]
    | Annotated[CreatedRule, Tag("CreatedRule")]
    | Annotated[NowRule, Tag("NowRule")]
    | Annotated[LocaleRule, Tag("LocaleRule")]
    | Annotated[RegionRule, Tag("RegionRule")]
    | Annotated[AddressRule, Tag("AddressRule")]
    | Annotated[IdentityRule, Tag("IdentityRule")]
    | Annotated[ConsentRule, Tag("ConsentRule")]
    | Annotated[SuppressedRule, Tag("SuppressedRule")]
    | Annotated[ReachableRule, Tag("ReachableRule")]
    | Annotated[EventRule, Tag("EventRule")]
    | Annotated[EngagementRule, Tag("EngagementRule")]
    | Annotated[JourneyRule, Tag("JourneyRule")]
    | Annotated[GroupRule, Tag("GroupRule")]
    | Annotated[SegmentRule, Tag("SegmentRule")]
    | Annotated[BucketRule, Tag("BucketRule")]
    | Annotated[HoldoutRule, Tag("HoldoutRule")]
    | Annotated[TagRule, Tag("TagRule")],
    Discriminator(_tag),
    BeforeValidator(_check_key_word),
]
"""A rule over a contact (and, in a ``where``, the event at hand)."""

Where = Annotated[Rule, BeforeValidator(_write_out)]
"""A rule over an event, for which ``{coupon: GLOW15, size: [s, m]}`` is short for all of property equals, property in."""

_NAMES: Final = {"Rule": Rule, "Where": Where, "FollowingEvent": FollowingEvent}
for _model in (FollowingEvent, EventRule, EngagementRule, AllRule, AnyRule, NotRule):
    _model.model_rebuild(_types_namespace=_NAMES)

_LATER: Final = ConfigDict(defer_build=True)
_RULE: Final[TypeAdapter[Rule]] = TypeAdapter(Rule, config=_LATER)
_WHERE: Final[TypeAdapter[Where]] = TypeAdapter(Where, config=_LATER)


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
    match rule:  # dispatch: every other rule holds no rules and compares nothing with the trigger
        case AllRule(all=rules) | AnyRule(any=rules):
            return any(uses_trigger(each) for each in rules)
        case NotRule(not_=inner):
            return uses_trigger(inner)
        case Comparison():
            return rule.equals_trigger is not None
        case Counted() | FollowingEvent():
            inner_rules = (getattr(rule, word, None) for word in ("where", "having", "followed_by", "not_followed_by"))
            return any(uses_trigger(each) for each in inner_rules)
        case _:
            return False
