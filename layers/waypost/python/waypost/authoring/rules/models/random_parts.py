"""bucket, holdout: a random part of all contacts."""

from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from waypost.authoring.problems import Authored
from waypost.authoring.rules.documentation import Says
from waypost.authoring.rules.numbers import is_number, shown
from waypost.authoring.rules.registry import model
from waypost.authoring.rules.values import Name


def _percentage(value: Any) -> Any:
    if not is_number(value) or not 0 <= value <= 100:
        raise ValueError(f"expected a percentage from 0 to 100, got {shown(value)}")
    if round(value * 100) != value * 100:
        raise ValueError(f"expected a percentage with at most two decimals, got {value!r}")
    return value


def _some_percent(value: Any) -> Any:
    if _percentage(value) == 0:
        raise ValueError("expected a percentage greater than 0, got 0; leave the hold-out away to keep nobody out")
    return value


Percentage = Annotated[
    Any, AfterValidator(_percentage), WithJsonSchema({"type": "number", "minimum": 0, "maximum": 100})
]
SomePercent = Annotated[
    Any, AfterValidator(_some_percent), WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": 100})
]


class Bucket(Authored):
    """A part of everybody, in percent."""

    salt: Name
    from_: Percentage = Field(alias="from")
    to: Percentage

    @model_validator(mode="after")
    def _is_not_empty(self) -> Self:
        if self.from_ >= self.to:
            raise ValueError("expected 'to' larger than 'from': from 0 to 50 is one half, from 50 to 100 the other")
        return self


@model("bucket")
class BucketRule(Authored):
    """The contact falls into a random part of everybody, always into the same one."""

    SAYS: ClassVar[tuple[Says, ...]] = (
        Says(
            "random",
            "bucket",
            "falls into this part of everybody, in percent: from 0 to 50 is one half, from 50 to 100 the other",
            "{ bucket: { salt: autumn-test, from: 50, to: 100 } }",
            "`from` is inside, `to` is not. The same salt gives the same draw everywhere and for ever; another salt an independent one.",
        ),
    )

    bucket: Bucket


class Holdout(Authored):
    """The part of everybody that gets nothing, in percent."""

    salt: Name
    percent: SomePercent


@model("holdout")
class HoldoutRule(Authored):
    """The contact belongs to a hold-out group, kept out of campaigns to measure what they change."""

    SAYS: ClassVar[tuple[Says, ...]] = (
        Says(
            "random",
            "holdout",
            "belongs to the hold-out of this salt",
            "{ holdout: { salt: all-2026, percent: 10 } }",
            "The same people as `bucket` from 0 to the percentage with the same salt.",
            holds=False,
        ),
        Says(
            "random",
            "not holdout",
            "does not belong to it: whom a campaign may reach",
            "{ not: { holdout: { salt: all-2026, percent: 10 } } }",
        ),
    )

    holdout: Holdout
