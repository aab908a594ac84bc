"""points: what a contact has earned and not spent."""

from typing import ClassVar

from waypost.authoring.problems import Authored
from waypost.authoring.rules.documentation import Says
from waypost.authoring.rules.numbers import Points
from waypost.authoring.rules.registry import model


@model("points")
class PointsRule(Authored):
    """The contact's points compare so."""

    SAYS: ClassVar[tuple[Says, ...]] = (
        Says(
            "stages",
            "points",
            "has so many points",
            "{ points: { at_least: 1000 } }",
            "A contact that never earned any has 0.",
        ),
    )

    points: Points
