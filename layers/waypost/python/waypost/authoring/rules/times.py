"""When something happened: the time words of events, tags, memberships, consents and journeys."""

from typing import Any, Self

from pydantic import model_validator

from waypost.authoring.problems import Authored
from waypost.authoring.rules.values import (
    Day,
    Days,
    Duration,
    Moment,
    Months,
    NumberTest,
    PastPeriod,
    TimeOfDay,
    TimeSpan,
    Weekdays,
)

WINDOWS = ("within", "older_than", "last_days", "period", "on", "before", "after", "between", "days_since")


class TimeWords(Authored):
    """At most one window, and any of weekday, month, time_of_day."""

    within: Duration | None = None
    older_than: Duration | None = None
    last_days: Days | None = None
    period: PastPeriod | None = None
    on: Day | None = None
    before: Moment | None = None
    after: Moment | None = None
    between: TimeSpan | None = None
    days_since: NumberTest | None = None
    weekday: Weekdays | None = None
    month: Months | None = None
    time_of_day: TimeOfDay | None = None

    @model_validator(mode="after")
    def _has_one_window(self) -> Self:
        given: list[Any] = [word for word in WINDOWS if getattr(self, word) is not None]
        if len(given) > 1:
            raise ValueError(f"expected only one of {', '.join(WINDOWS)}, got {' and '.join(given)}")
        return self
