"""all, any, not: rules over rules."""

from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field

from waypost.authoring.problems import Authored
from waypost.authoring.rules.registry import model

if TYPE_CHECKING:
    from waypost.authoring.rules.language import Rule


def _some(rules: list["Rule"]) -> list["Rule"]:
    if not rules:
        raise ValueError("expected at least 1 item, got []; leave the list out to mean everybody")
    return rules


@model("all")
class AllRule(Authored):
    """Every rule holds."""

    all: Annotated[list["Rule"], AfterValidator(_some)]


@model("any")
class AnyRule(Authored):
    """At least one rule holds."""

    any: Annotated[list["Rule"], AfterValidator(_some)]


@model("not")
class NotRule(Authored):
    """The rule does not hold."""

    not_: "Rule" = Field(alias="not")
