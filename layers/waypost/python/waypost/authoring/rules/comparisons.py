"""Comparisons of attributes, properties and metrics: every operator, what it takes and what it means."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from waypost.authoring.problems import Authored
from waypost.authoring.rules.documentation import Says
from waypost.authoring.rules.numbers import Age, Days, DaysSince, DaysUntil, Length, Size
from waypost.authoring.rules.values import (
    Anniversary,
    Between,
    Day,
    Duration,
    Moment,
    Months,
    Options,
    Ordered,
    Period,
    Piece,
    Pieces,
    PropertyName,
    Regex,
    Scalar,
    TimeOfDay,
    Weekdays,
)
from waypost.segments.vocabulary import OPERATORS

TEXT_OPERATORS = ("equals", "not_equals", "in", "not_in", "contains", "contains_any", "contains_all", "contains_none",
                  "starts_with", "ends_with", "matches")  # fmt: skip
"""The operators that ``ignore_case`` goes with."""


class Comparison(Authored):
    """Exactly one operator, and ``ignore_case`` for text."""

    equals: Annotated[
        Scalar,
        Says(
            "values",
            "equals",
            "is exactly this text, number or yes/no",
            "{ attribute: city, equals: 上海市 }",
            '`"5"` is not `5`, `true` is not `1`; `5` is `5.0`. Capital letters count, unless `ignore_case: true` stands beside it. Cleaned names are the full ones (上海市); `region` takes any spelling.',
        ),
    ] = None
    not_equals: Annotated[
        Scalar,
        Says(
            "values",
            "not_equals",
            "is anything else, or is missing",
            "{ attribute: city, not_equals: 北京市 }",
            "A contact without the attribute is selected; add `exists: true` to leave those out.",
        ),
    ] = None
    in_: Annotated[
        Options | None,
        Says("values", "in", "is one of these", "{ attribute: city, in: [上海市, 杭州市, 苏州市] }"),
    ] = Field(None, alias="in")
    not_in: Annotated[
        Options | None,
        Says("values", "not_in", "is none of these, or is missing", "{ attribute: city, not_in: [北京市, 天津市] }"),
    ] = None
    exists: Annotated[
        bool | None,
        Says(
            "values",
            "exists: true",
            "is there",
            "{ attribute: birthday, exists: true }",
            "`null` counts as missing; empty text is there.",
        ),
        Says("values", "exists: false", "is missing", "{ attribute: company, exists: false }"),
    ] = None
    is_empty: Annotated[
        bool | None,
        Says(
            "values",
            "is_empty: true",
            "is missing, empty text, an empty list or an empty mapping",
            "{ attribute: nickname, is_empty: true }",
            "A text of blanks is not empty; cleaning trims it on the way in.",
        ),
        Says("values", "is_empty: false", "has something in it", "{ attribute: interests, is_empty: false }"),
    ] = None
    equals_trigger: Annotated[
        PropertyName | None,
        Says(
            "values",
            "equals_trigger",
            "is the same as this property of the event that started the journey",
            "{ attribute: referral_code, equals_trigger: code }",
            "Only in journeys: in a Pause, a goal or exit_on. Of a list, one element that is the same will do. Missing on either side: false.",
        ),
    ] = None
    equals_property: Annotated[
        PropertyName | None,
        Says(
            "values",
            "equals_property",
            "is the same as this property of the event",
            "{ attribute: referral_code, equals_property: code }",
            "Where an event is at hand: the trigger, `or`, goal and exits of a journey, a filter of past events. Missing on either side: false.",
        ),
    ] = None
    contains_property: Annotated[
        PropertyName | None,
        Says(
            "values",
            "contains_property",
            "is a list with this property of the event as an element, or text with it as a piece",
            "{ attribute: interests, contains_property: style }",
            "Where an event is at hand, as above: who waits for the `sku` that is back.",
        ),
    ] = None

    contains: Annotated[
        Piece,
        Says(
            "text",
            "contains",
            "is text with this piece, or a list with this element",
            "{ attribute: referral_code, contains: '-2026-' }",
            'In a text only text is found: `12` is not in `"12"`.',
        ),
    ] = None
    contains_any: Annotated[
        Pieces | None,
        Says(
            "lists",
            "contains_any",
            "is a list with at least one of these, or text with one of these pieces",
            "{ attribute: interests, contains_any: [make-up, perfume] }",
        ),
    ] = None
    contains_all: Annotated[
        Pieces | None,
        Says(
            "lists", "contains_all", "has all of these", "{ attribute: interests, contains_all: [make-up, skin-care] }"
        ),
    ] = None
    contains_none: Annotated[
        Pieces | None,
        Says(
            "lists",
            "contains_none",
            "has none of these, or is missing",
            "{ attribute: interests, contains_none: [fishing, cars] }",
        ),
    ] = None
    starts_with: Annotated[
        Annotated[str, Field(min_length=1)] | None,
        Says("text", "starts_with", "is text that starts so", "{ attribute: referral_code, starts_with: VIP- }"),
    ] = None
    ends_with: Annotated[
        Annotated[str, Field(min_length=1)] | None,
        Says("text", "ends_with", "is text that ends so", "{ attribute: email, ends_with: '@example.com' }"),
    ] = None
    matches: Annotated[
        Regex | None,
        Says(
            "text",
            "matches",
            "is text in which this regular expression finds something",
            "{ attribute: referral_code, matches: '^VIP-[0-9]{4}-' }",
            "RE2's syntax: no back-references, no look-around, and it cannot hang. It may match anywhere; `^` and `$` tie it to the ends. "
            "At most 1,000 characters.",
        ),
    ] = None
    length: Annotated[
        Length | None,
        Says(
            "text",
            "length",
            "is text of so many characters",
            "{ attribute: first_name, length: { at_most: 4 } }",
            "Characters, not bytes: 上海 has 2. Not for lists; those have a `size`.",
        ),
    ] = None
    ignore_case: Annotated[
        bool | None,
        Says(
            "text",
            "ignore_case: true",
            "beside a text operator: capital and small letters are the same",
            "{ attribute: referral_code, starts_with: vip, ignore_case: true }",
        ),
    ] = None

    at_least: Annotated[
        Ordered,
        Says(
            "numbers",
            "at_least",
            "is a number of at least this",
            "{ attribute: level, at_least: 2 }",
            "The number itself counts. Numbers compare with numbers only; text that looks like one does not. Dates compare too: see below.",
        ),
    ] = None
    at_most: Annotated[
        Ordered, Says("numbers", "at_most", "is a number of at most this", "{ attribute: level, at_most: 3 }")
    ] = None
    more_than: Annotated[
        Ordered, Says("numbers", "more_than", "is more than this", "{ attribute: level, more_than: 2 }")
    ] = None
    less_than: Annotated[
        Ordered, Says("numbers", "less_than", "is less than this", "{ attribute: level, less_than: 4 }")
    ] = None
    between: Annotated[
        Between | None,
        Says(
            "numbers",
            "between (numbers)",
            "is from the first to the second number, both included",
            "{ attribute: level, between: [2, 4] }",
        ),
        Says(
            "dates",
            "between (dates)",
            "is from the first to the second date, both whole days included",
            "{ attribute: birthday, between: [1990-01-01, 1999-12-31] }",
            "Two instants are both included to the microsecond.",
        ),
    ] = None

    before: Annotated[
        Moment | None,
        Says(
            "dates",
            "before",
            "is before this day (or instant)",
            "{ attribute: last_login_at, before: 2026-11-21 }",
            "The day itself does not count.",
        ),
    ] = None
    after: Annotated[
        Moment | None,
        Says(
            "dates",
            "after",
            "is after this day (or instant)",
            "{ attribute: last_login_at, after: 2026-11-19 }",
            "The day itself does not count: from 00:00 of the next one.",
        ),
    ] = None
    on: Annotated[
        Day | None, Says("dates", "on", "falls on this day", "{ attribute: last_login_at, on: 2026-11-20 }")
    ] = None
    within: Annotated[
        Duration | None,
        Says(
            "dates",
            "within",
            "lies in the last hours or days, to the second",
            "{ attribute: last_login_at, within: 24h }",
            "Rolling: `1d` is 24 hours. From exactly that long ago up to now, both included; the future is not.",
        ),
    ] = None
    within_next: Annotated[
        Duration | None,
        Says(
            "dates",
            "within_next",
            "lies in the next hours or days, to the second",
            "{ attribute: trial_ends_at, within_next: 48h }",
            "From now to exactly that far ahead, both included.",
        ),
    ] = None
    older_than: Annotated[
        Duration | None,
        Says(
            "dates",
            "older_than",
            "lies longer ago than this",
            "{ attribute: last_login_at, older_than: 6h }",
            "Exactly that long ago does not count: it is the opposite of `within` for everything past.",
        ),
    ] = None
    last_days: Annotated[
        Days | None,
        Says(
            "dates",
            "last_days",
            "falls on one of the last N calendar days, today included",
            "{ attribute: last_login_at, last_days: 2 }",
            "`1` is today alone. Days of the contact's zone.",
        ),
    ] = None
    next_days: Annotated[
        Days | None,
        Says(
            "dates",
            "next_days",
            "falls on one of the next N calendar days, today included",
            "{ attribute: renewal_date, next_days: 30 }",
        ),
    ] = None
    period: Annotated[
        Period | None,
        Says(
            "dates",
            "period",
            "falls into a period of the calendar: `today`, `yesterday`, `tomorrow`, "
            "`this_week`, `last_week`, `next_week`, `this_month`, `last_month`, `next_month`, `this_quarter`, `last_quarter`, `this_year`, `last_year`, `next_year`",
            "{ attribute: renewal_date, period: next_month }",
            "Whole periods, past and coming days of them alike; a week begins on Monday.",
        ),
    ] = None
    days_since: Annotated[
        DaysSince | None,
        Says(
            "dates",
            "days_since",
            "was so many calendar days ago",
            "{ attribute: last_login_at, days_since: { at_most: 7 } }",
            "Today is 0, yesterday 1, however few hours lie between. A day in the future has none.",
        ),
    ] = None
    days_until: Annotated[
        DaysUntil | None,
        Says(
            "dates",
            "days_until",
            "is so many calendar days ahead",
            "{ attribute: renewal_date, days_until: 14 }",
            "Today is 0. A day in the past has none.",
        ),
    ] = None
    weekday: Annotated[
        Weekdays | None,
        Says(
            "dates",
            "weekday",
            "falls on one of these days of the week: `mon` … `sun`",
            "{ attribute: last_login_at, weekday: [fri, sat] }",
        ),
    ] = None
    month: Annotated[
        Months | None,
        Says(
            "dates", "month", "falls into one of these months, of any year", "{ attribute: birthday, month: [10, 11] }"
        ),
    ] = None
    time_of_day: Annotated[
        TimeOfDay | None,
        Says(
            "dates",
            "time_of_day",
            "is at this time of the contact's day, the end not included",
            "{ attribute: last_login_at, time_of_day: ['20:00', '02:00'] }",
            "May go over midnight. A date has no time of day: false.",
        ),
    ] = None

    age: Annotated[
        Age | None,
        Says(
            "birthdays",
            "age",
            "is a date so many whole years ago",
            "{ attribute: birthday, age: { between: [25, 35] } }",
            "One more on each birthday, from 00:00 of the contact's zone. Born on 29 February: on the 28th in other years. A date in the future: false. For months take days: 6 to 12 months are `days_since: {between: [183, 365]}`.",
        ),
    ] = None
    anniversary: Annotated[
        Anniversary | None,
        Says(
            "birthdays",
            "anniversary: today",
            "has its day and month today (or `tomorrow`)",
            "{ attribute: birthday, anniversary: today }",
            "The year does not matter. 29 February falls on the 28th in other than leap years.",
            holds=False,
        ),
        Says(
            "birthdays",
            "anniversary: {next_days: N}",
            "comes round within the next N calendar days, today included",
            "{ attribute: birthday, anniversary: { next_days: 7 } }",
            "Goes over the end of the year. `last_days` looks back likewise.",
        ),
        Says(
            "birthdays",
            "anniversary: {in_days: N}",
            "comes round in exactly N days",
            "{ attribute: birthday, anniversary: { in_days: 4 } }",
            "The next time it comes round: 0 on the day itself, when the one in a year does not count yet.",
        ),
        Says(
            "birthdays",
            "anniversary: this_month",
            "has its birthday (or the like) this month, or `next_month`",
            "{ attribute: birthday, anniversary: this_month }",
            "Past and coming days of the month alike.",
        ),
    ] = None

    size: Annotated[
        Size | None,
        Says(
            "lists",
            "size",
            "is a list (or a mapping) with so many elements",
            "{ attribute: interests, size: { at_least: 2 } }",
            "A missing list has no size: false, even for `0`.",
        ),
    ] = None

    @model_validator(mode="after")
    def _has_one_operator(self) -> Self:
        given = [name for field in self.model_fields_set if (name := field.rstrip("_")) in OPERATORS]
        if len(given) != 1:
            what = ", ".join(sorted(given)) or "none"
            hint = "; put two comparisons in a list under 'all'" if given else ""
            raise ValueError(f"expected exactly one operator ({', '.join(OPERATORS)}), got {what}{hint}")
        if self.ignore_case and given[0] not in TEXT_OPERATORS:
            raise ValueError(f"'ignore_case' goes with {', '.join(TEXT_OPERATORS)}, not with {given[0]!r}")
        return self
