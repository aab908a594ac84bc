"""lifecycle: the stage of a contact's life cycle."""

from typing import ClassVar

from waypost.authoring.rules.documentation import Says
from waypost.authoring.rules.registry import model
from waypost.authoring.rules.times import TimeWords
from waypost.authoring.rules.values import Names


@model("lifecycle")
class LifecycleRule(TimeWords):
    """The contact is in a stage of the life cycle, or in any of a list; the time words ask since when."""

    SAYS: ClassVar[tuple[Says, ...]] = (
        Says("stages", "lifecycle", "is in this stage of the life cycle", "{ lifecycle: active }"),
        Says("stages", "lifecycle: [a, b]", "is in any of these stages", "{ lifecycle: [new, active, mature] }"),
        Says(
            "stages",
            "lifecycle … within",
            "came into the stage in this window; every time word goes",
            "{ lifecycle: active, within: 30d }",
            "By the last event `lifecycle_changed` to this stage; without one it does not count.",
        ),
    )

    lifecycle: Names
