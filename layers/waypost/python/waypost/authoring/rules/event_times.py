"""When the events that a condition counts happened."""

from typing import Annotated

from waypost.authoring.rules.documentation import Says
from waypost.authoring.rules.numbers import Days, DaysAgo
from waypost.authoring.rules.times import TimeWords
from waypost.authoring.rules.values import Day, Duration, Moment, Months, PastPeriod, TimeOfDay, TimeSpan, Weekdays


class EventTimes(TimeWords):
    """The time words of events, as the reference page has them."""

    within: Annotated[
        Duration | None,
        Says(
            "windows",
            "within and older_than",
            "between so long and so long ago; the only two windows that go together",
            "{ event: cart_updated, within: 24h, older_than: 1h }",
            "With `occurrence: last`: the last time lies between the two.",
        ),
        Says(
            "windows",
            "within",
            "in the last hours or days, to the second",
            "{ event: cart_updated, within: 72h }",
            "Rolling: `30d` is 30 times 24 hours, whatever the clocks do. Exactly that long ago counts. An event dated ahead of now counts as now.",
        ),
        Says(
            "windows",
            "not … within",
            "did not do it in the last N days",
            "{ not: { event: refund_requested, within: 30d } }",
            "Holds for those who never did it too.",
        ),
    ] = None
    older_than: Annotated[
        Duration | None,
        Says(
            "windows",
            "older_than",
            "longer ago than this",
            "{ event: order_placed, older_than: 30d }",
            "Exactly that long ago does not count. It asks whether one of them is that old; for the last one add `occurrence: last`.",
        ),
    ] = None
    last_days: Annotated[
        Days | None,
        Says(
            "windows",
            "last_days",
            "on one of the last N calendar days, today included",
            "{ event: cart_updated, last_days: 3 }",
            "Days of the contact's zone, from local midnight on: on a day with a change of the clocks 23 or 25 hours.",
        ),
    ] = None
    period: Annotated[
        PastPeriod | None,
        Says(
            "windows",
            "period",
            "in a period of the calendar: `today`, `yesterday`, `this_week`, `last_week`, `this_month`, `last_month`, "
            "`this_quarter`, `last_quarter`, `this_year`, `last_year`",
            "{ event: order_placed, period: this_month }",
            "A week begins on Monday.",
        ),
    ] = None
    on: Annotated[
        Day | None,
        Says(
            "windows",
            "on",
            "on this day",
            "{ event: registered, on: 2026-03-08 }",
            "From 00:00 to 24:00 in the contact's zone.",
        ),
    ] = None
    before: Annotated[
        Moment | None,
        Says(
            "windows",
            "before",
            "before this day or instant",
            "{ event: registered, before: 2026-06-01 }",
            "The day itself does not count.",
        ),
    ] = None
    after: Annotated[
        Moment | None,
        Says(
            "windows",
            "after",
            "after this day or instant",
            "{ event: order_placed, after: 2026-08-31 }",
            "The day itself does not count.",
        ),
    ] = None
    between: Annotated[
        TimeSpan | None,
        Says(
            "windows",
            "between",
            "from the first to the second day, both included",
            "{ event: order_placed, between: [2026-09-01, 2026-09-30] }",
            "With instants both are included.",
        ),
    ] = None
    days_since: Annotated[
        DaysAgo | None,
        Says(
            "windows",
            "days_since",
            "so many calendar days ago",
            "{ event: order_placed, days_since: { between: [10, 20] } }",
            "Today is 0.",
        ),
    ] = None
    weekday: Annotated[
        Weekdays | None,
        Says(
            "windows",
            "weekday",
            "on these days of the week; goes with any window",
            "{ event: order_placed, weekday: [thu], within: 60d }",
        ),
    ] = None
    month: Annotated[
        Months | None,
        Says("windows", "month", "in these months, of any year", "{ event: order_placed, month: [9, 11] }"),
    ] = None
    time_of_day: Annotated[
        TimeOfDay | None,
        Says(
            "windows",
            "time_of_day",
            "at this time of the contact's day, the end not included",
            "{ event: order_placed, time_of_day: ['18:00', '00:00'] }",
            "May go over midnight: ['22:00', '02:00'].",
        ),
    ] = None
