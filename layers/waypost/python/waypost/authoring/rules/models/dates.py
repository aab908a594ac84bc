"""created, now: when a contact was first seen, and what time it is where it lives."""

from typing import ClassVar, Self

from pydantic import model_validator

from waypost.authoring.problems import Authored
from waypost.authoring.rules.documentation import Says
from waypost.authoring.rules.registry import model
from waypost.authoring.rules.times import TimeWords
from waypost.authoring.rules.values import Day, Moment, Months, TimeOfDay, TimeSpan, Weekdays


class Times(TimeWords):
    """At least one time word."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("expected a time word such as last_days: 7")
        return self


class Here(Authored):
    """A span of days, and any of weekday, month, time_of_day; what moves with now would be true of every now, or of none."""

    on: Day | None = None
    before: Moment | None = None
    after: Moment | None = None
    between: TimeSpan | None = None
    weekday: Weekdays | None = None
    month: Months | None = None
    time_of_day: TimeOfDay | None = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        given = [word for word in ("on", "before", "after", "between") if getattr(self, word) is not None]
        if not self.model_fields_set:
            raise ValueError("expected a word of the calendar such as weekday: [sat, sun]")
        if len(given) > 1:
            raise ValueError(f"expected only one of on, before, after, between, got {' and '.join(given)}")
        return self


@model("created")
class CreatedRule(Authored):
    """When the contact was first seen."""

    SAYS: ClassVar[tuple[Says, ...]] = (
        Says(
            "place",
            "created",
            "was first seen **by Waypost** in this window; every time word goes",
            "{ created: { before: 2026-07-01 } }",
            "After contacts were imported from another system everybody is new. For when somebody joined the company, ask an attribute such as"
            " `registered_on`.",
        ),
    )

    created: Times


@model("now")
class NowRule(Authored):
    """What time it is where the contact lives."""

    SAYS: ClassVar[tuple[Says, ...]] = (
        Says(
            "place",
            "now: {time_of_day}",
            "it is this time of day where the contact lives",
            "{ now: { time_of_day: ['09:00', '21:00'] } }",
            "With `now` go `time_of_day`, `weekday`, `month`, `on`, `before`, `after`, `between`.",
        ),
        Says(
            "place", "now: {weekday}", "it is one of these days of the week there", "{ now: { weekday: [sat, sun] } }"
        ),
        Says(
            "place",
            "now: {between}",
            "it is in this span of days there (a sale, a holiday)",
            "{ now: { between: [2026-11-20, 2026-11-30] } }",
        ),
    )

    now: Here
