"""journey: which journeys a contact entered, and how they ended."""

from typing import ClassVar, Literal, Self, get_args

from pydantic import Field, model_validator

from waypost.authoring.problems import is_expression, unknown
from waypost.authoring.rules.documentation import Says
from waypost.authoring.rules.registry import model
from waypost.authoring.rules.times import TimeWords
from waypost.authoring.rules.values import Names
from waypost.journeys.enrolment import EnrolmentOutcome


@model("journey")
class JourneyRule(TimeWords):
    """Passages through journeys; a list means any of them. The time words ask when the contact entered."""

    SAYS: ClassVar[tuple[Says, ...]] = (
        Says("journeys", "journey", "has ever entered this journey", "{ journey: new-user-nurture }"),
        Says(
            "journeys",
            "journey … is: active",
            "is in the journey now",
            "{ journey: cart-reminder, is: active }",
            "Until its machine has ended.",
        ),
        Says("journeys", "journey … is: ended", "has been through it", "{ journey: new-user-nurture, is: ended }"),
        Says(
            "journeys",
            "journey … is: never_entered",
            "has never entered it",
            "{ journey: win-back, is: never_entered }",
            "With a window: has not entered it in that window.",
        ),
        Says(
            "journeys",
            "journey … outcome",
            "ended it so: `completed`, `goal`, `exited`, `failed`, `stopped`",
            "{ journey: new-user-nurture, is: ended, outcome: goal }",
        ),
        Says(
            "journeys",
            "journey … within",
            "entered it in this window; every time word goes",
            "{ journey: cart-reminder, within: 7d }",
        ),
    )

    journey: Names
    is_: Literal["entered", "active", "ended", "never_entered"] | None = Field(None, alias="is")
    outcome: Names | None = None

    @model_validator(mode="after")
    def _knows_the_outcomes(self) -> Self:
        known = get_args(EnrolmentOutcome)
        for name in self.outcome if isinstance(self.outcome, list) else [self.outcome]:
            if name is not None and not is_expression(name) and name not in known:
                raise ValueError(unknown(name, known, "unknown outcome"))
        if self.outcome is not None and self.is_ == "active":
            raise ValueError(
                "can never hold: who is in the journey now has no outcome of it yet; leave one of them out"
            )
        if self.outcome is not None and self.is_ == "never_entered":
            raise ValueError("'never_entered' has no outcome; for who did not end it so: not: {journey: …, outcome: …}")
        return self
