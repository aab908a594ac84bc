"""The values that rules are written with, checked. Used by the models of rules, manifests and tasks."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import time
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from waypost.authoring.problems import OrExpression, unknown
from waypost.authoring.rules.numbers import is_number, number_pair, shown
from waypost.contacts.channels import CHANNELS
from waypost.durations import parse_duration
from waypost.errors import InvalidInput
from waypost.events.names import event_type
from waypost.segments.calendar import PERIODS, WEEKDAYS
from waypost.segments.comparing import instant, order
from waypost.segments.grouped_names import GROUPINGS
from waypost.segments.operators import MOST_REGEX, compiled_regex
from waypost.segments.vocabulary import ANY_CHANNEL, ANY_EVENT

_LOCAL_TIME: Final = re.compile(r"[0-9]{2}:[0-9]{2}")

LONGEST_TEXT: Final = 10_000

PAST_PERIODS: Final = tuple(period for period in PERIODS if not period.startswith(("next_", "tomorrow")))

_LEAST_DAYS: Final = {"next_days": 1, "last_days": 1, "in_days": 0}
"""What an anniversary is counted in: today is one of the next days, and in no days."""

_TEXT: Final = {"type": "string", "minLength": 1, "maxLength": 200}
_SCALAR: Final = {"type": ["string", "number", "boolean"]}
_DATE: Final = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}"}
_DURATION: Final = {"type": "string", "pattern": "^[0-9]{1,9}[smhd]$", "examples": ["45s", "30m", "3h", "30d"]}


def _scalar(value: Any) -> Any:
    if isinstance(value, (str, bool)) or is_number(value):
        return value
    raise ValueError(f"expected text, a number, true or false, got {shown(value)}")


def _piece(value: Any) -> Any:
    """What a text or a list is searched for."""
    if value == "":
        raise ValueError("expected something to look for, got ''; every text contains it: ask is_empty: false instead")
    return _scalar(value)


def _some(values: list[Any]) -> list[Any]:
    if not values:
        raise ValueError("expected at least one value, got []; leave the condition out, or name one")
    return values


def _ordered(value: Any) -> Any:
    if is_number(value) or is_time(value):
        return value
    raise ValueError(
        f"expected a number, a date (2027-03-01) or an instant (2027-03-01T10:00:00+08:00), got {shown(value)}"
    )


def _moment(value: Any) -> Any:
    if is_time(value):
        return value
    raise ValueError(f"expected a date (2027-03-01) or an instant (2027-03-01T10:00:00+08:00), got {shown(value)}")


def is_time(value: Any) -> bool:
    """Whether this is a date or an instant of ISO 8601; a week (2027-W09-1) is none to those who compare."""
    return instant(value) is not None


def _as_duration(value: Any) -> Any:
    """A number, which YAML reads where an author forgot the unit, fails as the text it was."""
    return _duration(str(value)) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _duration(text: str) -> str:
    parse_duration(text)
    return text


def _event_type(text: str) -> str:
    """The type as events have it, in any script: the spelling that intake gives to a name."""
    try:
        stored = event_type(text)
    except ValueError:
        stored = ""
    if stored and stored == text:
        return text
    guess = f"; did you mean {stored!r}?" if stored else ""
    raise ValueError(f"expected an event type in snake_case, got {text!r}{guess}")


def _event_types(value: Any) -> Any:
    """One type, a list of them, or ``*`` for any."""
    if isinstance(value, str):
        return value if value == ANY_EVENT else _event_type(value)
    if not isinstance(value, list):
        raise ValueError(f"expected an event type or a list of them, got {shown(value)}")  # noqa: TRY004 - pydantic takes ValueError
    if not value or not all(isinstance(each, str) for each in value):
        raise ValueError(f"expected a list of event types, got {shown(value)}")
    return [_event_type(each) for each in value]


def _name(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"expected a name, got {shown(value)}")  # noqa: TRY004 - pydantic takes ValueError
    if not 1 <= len(value) <= 200:
        raise ValueError(f"expected a name of 1 to 200 characters, got {shown(value)}")
    return value


def _names(value: Any) -> Any:
    """One name or a list: any of them."""
    if isinstance(value, list):
        if not value:
            raise ValueError("expected at least one name, got []")
        return [_name(each) for each in value]
    return _name(value)


def _same(value: Any) -> Any:
    """One property of both events, or ``{its name in the first: its name in what follows}``."""
    if isinstance(value, Mapping):
        if len(value) != 1:
            raise ValueError("expected one property, or one {property: property of what follows}")
        return {_name(name): _name(later) for name, later in value.items()}
    return _name(value)


def _grouped_names(value: Any) -> Any:
    """A name, a list (any of them), or one of any_of, all_of, none_of."""
    if not isinstance(value, Mapping):
        return _names(value)
    for word in value:
        if word not in GROUPINGS:
            raise ValueError(unknown(word, GROUPINGS, "unknown word"))
    if len(value) != 1:
        raise ValueError(f"expected exactly one of {', '.join(GROUPINGS)}")
    [(word, names)] = value.items()
    if not isinstance(names, list):
        raise ValueError(f"{word}: expected a list of names, got {shown(names)}")  # noqa: TRY004 - pydantic takes ValueError
    return {word: _names(names)}


def _pair(value: Any, is_good: Callable[[Any], bool], what: str) -> list[Any]:
    if not isinstance(value, list) or len(value) != 2 or not all(is_good(each) for each in value):
        raise ValueError(f"expected {what}, got {shown(value)}")
    return value


def _names_or_any(value: Any) -> Any:
    """Grouped names, or ``{exists: …}``: whether there is any at all."""
    match value:
        case {"exists": bool(), **others} if not others:
            return value
        case {"exists": _}:
            raise ValueError("expected exists: true (any at all) or exists: false (none at all), and nothing beside it")
        case {**words} if unfit := [word for word in words if word not in GROUPINGS]:
            raise ValueError(unknown(unfit[0], [*GROUPINGS, "exists"], "unknown word"))
        case _:
            return _grouped_names(value)


def _between(value: Any) -> Any:
    """Two numbers or two times, the earlier first."""
    _pair(
        value,
        lambda each: is_number(each) or is_time(each),
        "two numbers or two dates, such as [2027-03-01, 2027-03-31]",
    )
    if is_number(value[0]) is not is_number(value[1]):
        raise ValueError(f"expected two numbers or two dates, got {shown(value)}")
    return number_pair(value) if is_number(value[0]) else _in_order(value)


def _time_span(value: Any) -> Any:
    return _in_order(_pair(value, is_time, "two dates or instants, such as [2027-03-01, 2027-03-31]"))


def _in_order(value: list[Any]) -> list[Any]:
    if (order(*value) or 0) > 0:
        raise ValueError(f"expected the earlier date first, got {shown(value)}")
    return value


def _date(value: str) -> str:
    if len(value) != 10 or not is_time(value):
        raise ValueError(f"expected a date such as 2027-03-01, got {value!r}")
    return value


def _listed(candidates: Sequence[Any], what: str) -> Callable[[Any], Any]:
    """One of the candidates or a list of them, as a list."""

    def check(value: Any) -> Any:
        values = value if isinstance(value, list) else [value]
        if not values:
            raise ValueError(f"expected at least one {what}, got []")
        for each in values:
            if each not in candidates or isinstance(each, bool):
                raise ValueError(unknown(each, [str(one) for one in candidates], f"unknown {what}"))
        return values

    return check


def _months(value: Any) -> list[int]:
    """One month or a list of them, as a list."""
    months = value if isinstance(value, list) else [value]
    if not months or not all(type(month) is int and 1 <= month <= 12 for month in months):
        raise ValueError(f"expected a number from 1 to 12 or a list of them, got {shown(value)}")
    return months


def _past_period(value: str) -> str:
    """A period of which something can already have happened."""
    if value in PERIODS and value not in PAST_PERIODS:
        raise ValueError(f"{value!r} lies ahead; expected one of {', '.join(PAST_PERIODS)}")
    return _one_of(PAST_PERIODS, "period")(value)  # type: ignore[no-any-return]


def _one_of(candidates: Sequence[str], what: str) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if value not in candidates:
            raise ValueError(unknown(value, candidates, f"unknown {what}"))
        return value

    return check


def _time_of_day(value: Any) -> Any:
    _pair(value, _is_local_time, "two local times such as [09:00, 21:00]")
    if value[0] == value[1]:
        raise ValueError("is empty: both times are the same; leave it out to mean the whole day")
    return value


def _is_local_time(value: Any) -> bool:
    if not isinstance(value, str) or not _LOCAL_TIME.fullmatch(value):
        return False
    try:
        time.fromisoformat(value)
    except ValueError:
        return False
    return True


def _regex(pattern: str) -> str:
    if len(pattern) > MOST_REGEX:
        raise ValueError(f"expected at most {MOST_REGEX:,} characters, got {len(pattern):,}")
    try:
        compiled_regex(pattern, folds=False)
    except InvalidInput as error:
        raise ValueError(error.reason) from None
    return pattern


def _anniversary(value: Any) -> Any:
    words, counted = ("today", "tomorrow", "this_month", "next_month"), tuple(_LEAST_DAYS)
    if isinstance(value, str):
        return _one_of(words, "anniversary")(value)
    if not isinstance(value, Mapping) or len(value) != 1:
        raise ValueError(f"expected one of {', '.join(words)}, or one of {', '.join(counted)} such as {{next_days: 7}}")
    [(word, days)] = value.items()
    if word not in counted:
        raise ValueError(unknown(word, counted, "unknown word"))
    least = _LEAST_DAYS[word]
    if type(days) is not int or not least <= days <= 366:
        raise ValueError(f"{word}: expected a number of days from {least} to 366, got {shown(days)}")
    return dict(value)


def _list_of(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": schema, "minItems": 1}


def _one_or_more(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, _list_of(schema)]}


def _pair_of(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": schema, "minItems": 2, "maxItems": 2}


_GROUPED: Final = {
    "anyOf": [
        *_one_or_more(_TEXT)["anyOf"],
        *(
            {"type": "object", "properties": {word: _list_of(_TEXT)}, "required": [word], "additionalProperties": False}
            for word in GROUPINGS
        ),
    ]
}

_OF_A_TEMPLATE: Final = re.compile(r"(event\.)?(left_on\.)?properties\.(?=.)")


def _property_name(name: str) -> str:
    """A property as rules name it; where messages look for it, there is none of that name in any event."""
    if found := _OF_A_TEMPLATE.match(name):
        raise ValueError(
            f"write {name[found.end() :]!r}: {found[0]}… is how messages name a property, here it is its name alone"
        )
    return name


_GROUPED_OR_ANY: Final = {
    "anyOf": [
        *_GROUPED["anyOf"],
        {
            "type": "object",
            "properties": {"exists": {"type": "boolean"}},
            "required": ["exists"],
            "additionalProperties": False,
        },
    ]
}

Name = Annotated[str, Field(min_length=1, max_length=200)]
PropertyName = Annotated[Name, AfterValidator(_property_name)]
Scalar = Annotated[Any, AfterValidator(_scalar), WithJsonSchema(_SCALAR)]
Ordered = Annotated[Any, AfterValidator(_ordered), OrExpression, WithJsonSchema({"type": ["number", "string"]})]
Piece = Annotated[Any, AfterValidator(_piece), WithJsonSchema({**_SCALAR, "minLength": 1})]
Options = Annotated[list[Scalar], AfterValidator(_some), OrExpression, WithJsonSchema(_list_of(_SCALAR))]
Pieces = Annotated[
    list[Piece], AfterValidator(_some), OrExpression, WithJsonSchema(_list_of({**_SCALAR, "minLength": 1}))
]
Duration = Annotated[
    str, BeforeValidator(_as_duration), AfterValidator(_duration), OrExpression, WithJsonSchema(_DURATION)
]
EventType = Annotated[str, AfterValidator(_event_type), OrExpression]
EventTypes = Annotated[
    Any, AfterValidator(_event_types), OrExpression, WithJsonSchema(_one_or_more({"type": "string", "minLength": 1}))
]
Names = Annotated[Any, AfterValidator(_names), OrExpression, WithJsonSchema(_one_or_more(_TEXT))]
Same = Annotated[
    Any,
    AfterValidator(_same),
    OrExpression,
    WithJsonSchema({"anyOf": [_TEXT, {"type": "object", "additionalProperties": _TEXT, "minProperties": 1}]}),
]
GroupedNames = Annotated[Any, AfterValidator(_grouped_names), OrExpression, WithJsonSchema(_GROUPED)]
GroupedNamesOrAny = Annotated[Any, AfterValidator(_names_or_any), OrExpression, WithJsonSchema(_GROUPED_OR_ANY)]
Between = Annotated[
    Any, AfterValidator(_between), OrExpression, WithJsonSchema(_pair_of({"type": ["number", "string"]}))
]
Moment = Annotated[Any, AfterValidator(_moment), OrExpression, WithJsonSchema(_DATE)]
TimeSpan = Annotated[Any, AfterValidator(_time_span), OrExpression, WithJsonSchema(_pair_of(_DATE))]
Day = Annotated[str, AfterValidator(_date), OrExpression, WithJsonSchema(_DATE)]
Period = Annotated[
    str, AfterValidator(_one_of(PERIODS, "period")), OrExpression, WithJsonSchema({"enum": list(PERIODS)})
]
PastPeriod = Annotated[str, AfterValidator(_past_period), OrExpression, WithJsonSchema({"enum": list(PAST_PERIODS)})]
Weekdays = Annotated[
    Any,
    AfterValidator(_listed(WEEKDAYS, "weekday")),
    OrExpression,
    WithJsonSchema(_one_or_more({"enum": list(WEEKDAYS)})),
]
Months = Annotated[
    Any,
    AfterValidator(_months),
    OrExpression,
    WithJsonSchema(_one_or_more({"type": "integer", "minimum": 1, "maximum": 12})),
]
TimeOfDay = Annotated[
    Any,
    AfterValidator(_time_of_day),
    OrExpression,
    WithJsonSchema(_pair_of({"type": "string", "pattern": "^[0-2][0-9]:[0-5][0-9]$"})),
]
Regex = Annotated[str, Field(min_length=1), AfterValidator(_regex), OrExpression]
Anniversary = Annotated[
    Any,
    AfterValidator(_anniversary),
    OrExpression,
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": ["today", "tomorrow", "this_month", "next_month"]},
                *(
                    {
                        "type": "object",
                        "properties": {word: {"type": "integer", "minimum": least, "maximum": 366}},
                        "required": [word],
                        "additionalProperties": False,
                    }
                    for word, least in _LEAST_DAYS.items()
                ),
            ]
        }
    ),
]
Channel = Annotated[
    str, AfterValidator(_one_of(CHANNELS, "channel")), OrExpression, WithJsonSchema({"enum": list(CHANNELS)})
]
AnyChannel = Annotated[
    str,
    AfterValidator(_one_of((*CHANNELS, ANY_CHANNEL), "channel")),
    OrExpression,
    WithJsonSchema({"enum": [*CHANNELS, ANY_CHANNEL]}),
]
Texts = Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1), OrExpression]
