"""When something happened: the time words of events, tags, memberships, consents and journeys."""

from typing import Any, Self

from pydantic import model_validator

from waypost.authoring.problems import Authored, is_expression
from waypost.authoring.rules.numbers import Days, DaysAgo
from waypost.authoring.rules.values import Day, Duration, Moment, Months, PastPeriod, TimeOfDay, TimeSpan, Weekdays
from waypost.durations import parse_duration

WINDOWS = ("within", "older_than", "last_days", "period", "on", "before", "after", "between", "days_since")


class TimeWords(Authored):
    """At most one window (or within and older_than), and any of weekday, month, time_of_day."""

    within: Duration | None = None
    older_than: Duration | None = None
    last_days: Days | None = None
    period: PastPeriod | None = None
    on: Day | None = None
    before: Moment | None = None
    after: Moment | None = None
    between: TimeSpan | None = None
    days_since: DaysAgo | None = None
    weekday: Weekdays | None = None
    month: Months | None = None
    time_of_day: TimeOfDay | None = None

    @model_validator(mode="after")
    def _has_one_window(self) -> Self:
        given: list[Any] = [word for word in WINDOWS if getattr(self, word) is not None]
        if given == ["within", "older_than"]:
            return self._reaches_further()
        if len(given) > 1:
            raise ValueError(
                f"expected only one of {', '.join(WINDOWS)}, got {' and '.join(given)}"
                " (within and older_than may stand together)"
            )
        return self

    def _reaches_further(self) -> Self:
        known = [span for span in (self.within, self.older_than) if span is not None and not is_expression(span)]
        if len(known) == 2 and parse_duration(known[0]) <= parse_duration(known[1]):
            raise ValueError(
                f"can never hold: nothing is older than {known[1]} and within the last {known[0]};"
                f" did you mean within: {known[1]}, older_than: {known[0]}?"
            )
        return self
