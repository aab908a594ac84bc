"""The numbers that rules are written with, checked against what they count. Used by the models of rules."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Annotated, Any, Final

from pydantic import AfterValidator, WithJsonSchema

from waypost.authoring.problems import OrExpression, unknown
from waypost.authoring.rules.contradictions import in_words, no_number_passes
from waypost.segments.calendar import MOST_DAYS
from waypost.segments.vocabulary import NUMBER_WORDS

OLDEST: Final = 1_000
"""Years. A larger number is the year of a birth where its age belongs."""


def is_number(value: Any) -> bool:
    """Whether this is a number that something can be compared with; true and false are none, nor are NaN and infinity."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return isinstance(value, int) or isfinite(value)


def is_whole(value: Any) -> bool:
    """Whether this is a whole number, also where it is written as ``3.0``."""
    return is_number(value) and value == int(value)


def shown(value: Any) -> str:
    """A value as an author reads it in a reason."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


@dataclass(frozen=True, slots=True)
class Quantity:
    """What a comparison counts: its unit, the numbers it can be, and the way out for one that it cannot."""

    what: str
    least: int | None = 0
    most: int | None = None
    below: str = ""
    above: str = ""

    def check(self, limit: Any, word: str = "") -> None:
        """Raise ValueError for a limit that no count can be compared with in earnest."""
        place = f"{word}: " if word else ""
        if not is_number(limit):
            raise ValueError(f"{place}expected a number, got {shown(limit)}")
        if not is_whole(limit):
            raise ValueError(f"{place}expected a whole number of {self.what}, got {shown(limit)}")
        if self.least is not None and limit < self.least:
            raise ValueError(f"{place}expected {self.range}, got {shown(limit)}{_way_out(self.below)}")
        if self.most is not None and limit > self.most:
            raise ValueError(f"{place}expected {self.range}, got {shown(limit)}{_way_out(self.above)}")

    @property
    def range(self) -> str:
        """The numbers that go, in words."""
        if self.least is None:
            return f"a whole number of {self.what}"
        return f"a number of {self.what} from {self.least} {'on' if self.most is None else f'to {self.most:,}'}"

    def schema(self) -> dict[str, Any]:
        """One such number in JSON Schema."""
        bounds = {"minimum": self.least, "maximum": self.most}
        return {"type": "integer", **{word: limit for word, limit in bounds.items() if limit is not None}}


def _way_out(advice: str) -> str:
    return f"; {advice}" if advice else ""


def _comparison(quantity: Quantity) -> Callable[[Any], dict[str, Any]]:
    """A number, or a mapping of comparisons that all must hold and together can."""

    def check(value: Any) -> dict[str, Any]:
        if is_number(value):
            quantity.check(value)
            return {"equals": value}
        if not isinstance(value, Mapping) or not value:
            raise ValueError(f"expected a number or a comparison such as {{at_least: 18}}, got {shown(value)}")
        for word, limit in value.items():
            if word not in NUMBER_WORDS:
                raise ValueError(unknown(word, NUMBER_WORDS, "unknown comparison"))
            for each in number_pair(limit) if word == "between" else [limit]:
                quantity.check(each, word)
        if no_number_passes(value.items(), whole=True, least=quantity.least, most=quantity.most):
            raise ValueError(f"can never hold: no number of {quantity.what} is {in_words(value)}; correct the limits")
        return dict(value)

    return check


def number_pair(value: Any) -> list[Any]:
    """Two numbers, the smaller first. Raises ValueError."""
    if not isinstance(value, list) or len(value) != 2 or not all(map(is_number, value)):
        raise ValueError(f"expected two numbers such as [25, 35], got {shown(value)}")
    if value[0] > value[1]:
        raise ValueError(f"expected the smaller number first, got {shown(value)}")
    return value


def _limit(value: Any) -> Any:
    if is_number(value):
        return value
    raise ValueError(f"expected a number, got {shown(value)}")


def _one(quantity: Quantity) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if type(value) is not int:
            raise ValueError(f"expected a whole number of {quantity.what}, got {shown(value)}")
        quantity.check(value)
        return value

    return check


def _occurrence(value: Any) -> Any:
    if value in ("first", "last") or (type(value) is int and value >= 1):
        return value
    way_out = "; the last but one cannot be asked for" if is_number(value) and value < 0 else ""
    raise ValueError(f"expected first, last or a whole number from 1 on, got {shown(value)}{way_out}")


def _comparison_schema(quantity: Quantity) -> dict[str, Any]:
    number = quantity.schema()
    pair = {"type": "array", "items": number, "minItems": 2, "maxItems": 2}
    words = {word: pair if word == "between" else number for word in NUMBER_WORDS}
    comparison = {"type": "object", "properties": words, "additionalProperties": False, "minProperties": 1}
    return {"anyOf": [number, comparison]}


CHARACTERS: Final = Quantity("characters")
ELEMENTS: Final = Quantity("elements")
POINTS: Final = Quantity("points", least=None)
"""A balance may be below zero while an earlier event is missing."""
YEARS: Final = Quantity(
    "years",
    most=OLDEST,
    below="for a date that lies ahead ask days_until",
    above="for the year of a birth write between: [1990-01-01, 1990-12-31]",
)
DAYS: Final = Quantity(
    "days", least=1, most=MOST_DAYS, below="today alone is 1", above="use before or after with a date"
)
DAYS_SINCE: Final = Quantity(
    "days",
    most=MOST_DAYS,
    below="for days that lie ahead write days_until",
    above="use before with a date",
)
DAYS_AGO: Final = Quantity(
    "days", most=MOST_DAYS, below="today is 0, and nothing has happened after it", above="use before with a date"
)
DAYS_UNTIL: Final = Quantity(
    "days", most=MOST_DAYS, below="for days gone by write days_since", above="use after with a date"
)
MESSAGES: Final = Quantity("messages", least=1, most=1_000, below="leave it out to mean all of them")

Limit = Annotated[Any, AfterValidator(_limit), OrExpression, WithJsonSchema({"type": "number"})]
Length = Annotated[
    Any, AfterValidator(_comparison(CHARACTERS)), OrExpression, WithJsonSchema(_comparison_schema(CHARACTERS))
]
Size = Annotated[Any, AfterValidator(_comparison(ELEMENTS)), OrExpression, WithJsonSchema(_comparison_schema(ELEMENTS))]
Points = Annotated[Any, AfterValidator(_comparison(POINTS)), OrExpression, WithJsonSchema(_comparison_schema(POINTS))]
Age = Annotated[Any, AfterValidator(_comparison(YEARS)), OrExpression, WithJsonSchema(_comparison_schema(YEARS))]
DaysSince = Annotated[
    Any, AfterValidator(_comparison(DAYS_SINCE)), OrExpression, WithJsonSchema(_comparison_schema(DAYS_SINCE))
]
DaysAgo = Annotated[
    Any, AfterValidator(_comparison(DAYS_AGO)), OrExpression, WithJsonSchema(_comparison_schema(DAYS_AGO))
]
DaysUntil = Annotated[
    Any, AfterValidator(_comparison(DAYS_UNTIL)), OrExpression, WithJsonSchema(_comparison_schema(DAYS_UNTIL))
]
Days = Annotated[Any, AfterValidator(_one(DAYS)), OrExpression, WithJsonSchema(DAYS.schema())]
Messages = Annotated[Any, AfterValidator(_one(MESSAGES)), OrExpression, WithJsonSchema(MESSAGES.schema())]
Occurrence = Annotated[
    Any,
    AfterValidator(_occurrence),
    OrExpression,
    WithJsonSchema({"anyOf": [{"enum": ["first", "last"]}, {"type": "integer", "minimum": 1}]}),
]
