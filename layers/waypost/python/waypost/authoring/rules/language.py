"""The union of all rules, and how a rule is read, bounded and written out."""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, Union

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Tag,
    TypeAdapter,
    ValidationError,
)

from waypost.authoring.problems import Authored, as_written, explain, join, nearest, unknown
from waypost.authoring.rules.behaviour import FollowingEvent
from waypost.authoring.rules.comparisons import Comparison
from waypost.authoring.rules.registry import MODELS, load_models
from waypost.authoring.rules.values import LONGEST_TEXT
from waypost.errors import InvalidInput
from waypost.segments.conditions import KEY_WORDS
from waypost.segments.vocabulary import OPERATORS, OPTIONS_OF_OPERATORS, WHERE_WORDS, expand_where

MOST_NESTED: Final = 20
MOST_CONDITIONS: Final = 1_000
MOST_LISTED: Final = 10_000

_NESTING: Final = frozenset({"all", "any", "not", "where", "having", "followed_by", "not_followed_by"})
_DEEPEST_VALUE: Final = 4
_COMPARISON: Final = re.compile(r"\s*([^\s<>=!]+)\s*(>=|<=|==|!=|<>|=|>|<)\s*([^<>=]+?)\s*")
_HALF_CHARACTER: Final = re.compile("[\ud800-\udfff]")


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
    """Refuse sizes that no author writes by hand before anything looks deeper; with a stack of our own, so that it cannot overflow."""
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


def _as_comparison(text: str) -> str:
    """``total: { at_least: 50 }`` for ``total >= 50``; empty for what is no comparison of another language."""
    found = _COMPARISON.fullmatch(text)
    return f"{found[1]}: {{ {as_written(found[2])}: {found[3]} }}" if found else ""


def _check_text(text: str) -> None:
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"has a text of {len(text):,} characters; expected at most {LONGEST_TEXT:,}")
    if _HALF_CHARACTER.search(text):
        raise ValueError(f"has half of a character (a lone surrogate), which cannot be stored: {text!a}"[:200])


def _check_shorthand(name: str, wanted: Any) -> None:
    """A property of the shorthand must be compared with something, and with our own words."""
    if isinstance(wanted, Mapping):
        for operator in wanted:
            if operator not in (*OPERATORS, *OPTIONS_OF_OPERATORS):
                raise ValueError(f"{name}: {unknown(operator, OPERATORS, 'unknown operator')}")
    meant = _as_comparison(name if wanted is None else f"{name} {wanted}" if isinstance(wanted, str) else "")
    if meant:
        raise ValueError(f"{name}: comparisons have words; write {meant}")
    if wanted is None or wanted == {}:
        raise ValueError(f"{name}: expected a value, a list of values or an operator, got nothing")


def _write_out(value: Any) -> Any:
    """The shorthand of ``where`` written out, after a look for a slip that it would hide."""
    if isinstance(value, str) and (meant := _as_comparison(value)):
        raise ValueError(f"expected a mapping, got the text {value!r}; write {meant}")
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
        _check_shorthand(str(name), wanted)
    return expand_where(value)


load_models()

if TYPE_CHECKING:
    Rule = Authored
else:
    Rule = Annotated[
        Union[tuple(Annotated[each, Tag(each.__name__)] for each in MODELS.values())],  # noqa: UP007 - of those there are
        Discriminator(_tag),
        BeforeValidator(_check_key_word),
    ]
"""A rule over a contact (and, in a ``where``, the event at hand)."""

Where = Annotated[Rule, BeforeValidator(_write_out)]
"""A rule over an event, for which ``{coupon: GLOW15, size: [s, m]}`` is short for all of property equals, property in."""

_NAMES: Final = {"Rule": Rule, "Where": Where, "FollowingEvent": FollowingEvent}
_models: list[type[Authored]] = [FollowingEvent, *MODELS.values()]
for _model in _models:
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
    """Whether the rule, or any inside it, compares with the event that started the journey."""
    if rule is None:
        return False
    if isinstance(rule, Comparison):
        return rule.equals_trigger is not None
    return any(uses_trigger(inner) for inner in _inside(rule))


def _inside(rule: Authored) -> Iterator[Authored]:
    """The rules and the events directly inside a rule."""
    for value in vars(rule).values():
        yield from (each for each in (value if isinstance(value, list) else [value]) if isinstance(each, Authored))
