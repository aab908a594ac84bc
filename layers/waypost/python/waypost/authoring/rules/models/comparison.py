"""attribute, property, metric: one operator over a value."""

from typing import Any, ClassVar, Final, Self

from pydantic import model_validator

from waypost.authoring.rules.comparisons import Comparison
from waypost.authoring.rules.contradictions import no_number_passes
from waypost.authoring.rules.documentation import Says
from waypost.authoring.rules.numbers import is_number
from waypost.authoring.rules.registry import model
from waypost.authoring.rules.values import Name, PropertyName
from waypost.segments.vocabulary import NUMBER_WORDS

SPANS_OF_METRICS: Final = {"rfm_r": (1, 5), "rfm_f": (1, 5), "rfm_m": (1, 5), "churn_score": (0, 100)}
"""Between which numbers the computed metrics lie; the declared scores have no bounds."""


def _is_limit(wanted: Any) -> bool:
    return is_number(wanted) or (isinstance(wanted, list) and all(map(is_number, wanted)))


@model("attribute")
class AttributeRule(Comparison):
    """Compares an attribute of the contact; a dotted name goes into nested values."""

    SAYS: ClassVar[tuple[Says, ...]] = (
        Says(
            "values",
            "a dotted name",
            "looks into nested values: `address.district` is the `district` in `address`",
            "{ attribute: address.district, equals: 静安区 }",
            "A name that itself has the dot comes first. In a list of mappings: the list of what each has there.",
        ),
        Says(
            "addresses",
            "phone_carrier",
            "has a phone number of this operator's segment: `china_mobile`, `china_unicom`, `china_telecom`, `china_broadnet`, `virtual`",
            "{ attribute: phone_carrier, equals: china_mobile }",
            "Filled from the phone number; who has taken the number to another operator keeps the segment.",
        ),
        Says(
            "place",
            "timezone",
            "lives in this IANA time zone",
            "{ attribute: timezone, in: [Asia/Shanghai, Asia/Urumqi] }",
            "As written; a contact without one is asked in the default zone but has no such attribute.",
        ),
        Says(
            "lists",
            "contains (in a list)",
            "is a list with this element",
            "{ attribute: interests, contains: make-up }",
        ),
    )

    attribute: Name


@model("property")
class PropertyRule(Comparison):
    """Compares a property of the event at hand; a dotted name goes into nested values."""

    property: PropertyName


@model("metric")
class MetricRule(Comparison):
    """Compares a metric that the nightly refresh has computed: scores, recency, frequency, monetary value, risk of leaving."""

    SAYS: ClassVar[tuple[Says, ...]] = (
        Says(
            "stages",
            "metric",
            "has a computed metric that compares so; every operator for numbers and text goes",
            "{ metric: rfm_r, at_least: 4 }",
            "`rfm_r`, `rfm_f`, `rfm_m` are 1 to 5, `churn_risk` a level and `churn_score` its number; the declared scores have their own names (docs/tags-and-metrics.md). As of the last nightly refresh; not computed yet: missing.",
        ),
    )

    metric: Name

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        span = SPANS_OF_METRICS.get(self.metric)
        limits = [(word, wanted) for word in NUMBER_WORDS if _is_limit(wanted := getattr(self, word))]
        if span and limits and no_number_passes(limits, least=span[0], most=span[1]):
            raise ValueError(f"can never hold: {self.metric} is from {span[0]} to {span[1]}; correct the limit")
        return self
