"""What a contact did: conditions over its events, the messages among them, and its journeys."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from waypost.authoring.problems import Authored, is_expression
from waypost.authoring.rules.contradictions import in_words, no_number_passes
from waypost.authoring.rules.documentation import Says
from waypost.authoring.rules.event_times import EventTimes
from waypost.authoring.rules.numbers import Limit, Occurrence, is_whole
from waypost.authoring.rules.values import (
    Duration,
    EventTypes,
    Options,
    PropertyName,
    Same,
    Scalar,
)
from waypost.segments.vocabulary import COUNT_WORDS, MEASURES

if TYPE_CHECKING:
    from waypost.authoring.rules.language import Where


class FollowingEvent(Authored):
    """What comes, or must not come, later than an event."""

    event: EventTypes
    where: "Where | None" = None
    within: Duration | None = None
    same: Same | None = None
    followed_by: "FollowingEvent | None" = None
    not_followed_by: "FollowingEvent | None" = None


class Counted(EventTimes):
    """What is counted or measured of the events that match, and what it is compared with."""

    where: Annotated[
        "Where | None",
        Says(
            "properties",
            "where",
            "only events whose properties are so: `{coupon: [A, B], total: {at_least: 50}}`",
            "{ event: order_placed, where: { coupon: [WELCOME10, BEAUTY15], total: { at_least: 50 } } }",
            "Every line must hold; a list means one of these; any operator may stand in braces. Rules with `all`, `any`, `not`, `property` may stand here too.",
        ),
    ] = None
    at_least: Annotated[
        Limit | None,
        Says(
            "counts",
            "at_least",
            "did it at least N times",
            "{ event: order_placed, at_least: 2 }",
            "Together with `at_most`: from … to …, both included.",
        ),
    ] = None
    at_most: Annotated[
        Limit | None,
        Says(
            "counts", "at_most", "did it at most N times, which includes never", "{ event: order_placed, at_most: 5 }"
        ),
        Says(
            "counts",
            "at_least and at_most",
            "did it between N and M times, both included",
            "{ event: order_placed, at_least: 2, at_most: 5 }",
        ),
    ] = None
    exactly: Annotated[
        Limit | None,
        Says("counts", "exactly", "did it exactly N times", "{ event: order_placed, exactly: 3 }"),
        Says(
            "counts",
            "exactly: 0",
            "never did it (in the window, with these properties)",
            "{ event: refund_requested, exactly: 0 }",
            "The same as `not: {event: …}`.",
        ),
    ] = None
    more_than: Annotated[
        Limit | None, Says("counts", "more_than", "did it more than N times", "{ event: product_viewed, more_than: 2 }")
    ] = None
    less_than: Annotated[
        Limit | None,
        Says(
            "counts",
            "less_than",
            "did it less than N times, which includes never",
            "{ event: order_placed, less_than: 4 }",
        ),
    ] = None

    count: Annotated[
        Literal["times", "days", "weeks", "months", "days_in_a_row"] | None,
        Says(
            "counts",
            "count: days",
            "did it on so many different days (or `weeks`, `months`)",
            "{ event: cart_updated, count: days, at_least: 3, within: 30d }",
            "Days, ISO weeks and months of the contact's zone; several times on one day count once.",
        ),
        Says(
            "counts",
            "count: days_in_a_row",
            "did it on so many days in a row",
            "{ event: cart_updated, count: days_in_a_row, at_least: 3, last_days: 30 }",
            "The longest run among the events that match, at any time in the window. For a run up to today: `count: days, last_days: 3, at_least: 3`.",
        ),
    ] = None
    sum: Annotated[
        PropertyName | None,
        Says(
            "properties",
            "sum",
            "the sum of a property compares so",
            "{ event: order_placed, sum: total, at_least: 500, within: 365d }",
            "Values that are no numbers are left out; nothing at all sums to 0.",
        ),
    ] = None
    average: Annotated[
        PropertyName | None,
        Says(
            "properties",
            "average",
            "the average of a property compares so",
            "{ event: order_placed, average: total, at_least: 100 }",
            "Of the events that have a number there; false when none has.",
        ),
    ] = None
    smallest: Annotated[
        PropertyName | None,
        Says(
            "properties",
            "smallest",
            "the smallest value of a property compares so",
            "{ event: order_placed, smallest: total, less_than: 100 }",
            "False when no event has a number there.",
        ),
    ] = None
    largest: Annotated[
        PropertyName | None,
        Says(
            "properties",
            "largest",
            "the largest value of a property compares so",
            "{ event: order_placed, largest: total, more_than: 300 }",
            "False when no event has a number there.",
        ),
    ] = None
    distinct: Annotated[
        PropertyName | None,
        Says(
            "properties",
            "distinct",
            "so many different values of a property",
            "{ event: product_viewed, distinct: product_id, at_least: 2 }",
            "A list counts by its elements. Missing values do not count.",
        ),
    ] = None
    repeated: Annotated[
        PropertyName | None,
        Says(
            "properties",
            "repeated",
            "so many times with one and the same value of a property, whichever it is",
            "{ event: product_viewed, repeated: product_id, at_least: 2, within: 7d }",
            "The value that comes most often counts. A list counts by its elements. Missing values do not count.",
        ),
    ] = None
    most_frequent: Annotated[
        PropertyName | None,
        Says(
            "properties",
            "most_frequent",
            "the most frequent value of a property is this (`equals`) or one of these (`in`)",
            "{ event: product_viewed, most_frequent: category, equals: make-up }",
            "A list counts by its elements. When several are equally frequent, each of them is.",
        ),
    ] = None
    equals: Scalar = None
    in_: Options | None = Field(None, alias="in")

    occurrence: Annotated[
        Occurrence | None,
        Says(
            "occurrences",
            "occurrence: first",
            "the first time lies in the window",
            "{ event: order_placed, occurrence: first, before: 2026-07-01 }",
            "`where`, `weekday`, `month`, `time_of_day` and what follows choose the events; the first of those is taken; then the window and `having` are asked of it. So `time_of_day` here means the first time in those hours.",
        ),
        Says(
            "occurrences",
            "occurrence: last",
            "the last time lies in the window",
            "{ event: order_placed, occurrence: last, older_than: 14d }",
            "A contact that never did it is not selected.",
        ),
        Says(
            "occurrences",
            "occurrence: N",
            "the N-th time lies in the window",
            "{ event: order_placed, occurrence: 3, within: 30d }",
            "Without a window: there was an N-th time. Events of the same instant keep the order in which they are stored.",
        ),
    ] = None
    having: Annotated[
        "Where | None",
        Says(
            "occurrences",
            "having",
            "the first, last or N-th time had such properties",
            "{ event: order_placed, occurrence: last, having: { total: { less_than: 100 } } }",
            "`where` would choose among the events; `having` asks the chosen one.",
        ),
    ] = None
    followed_by: Annotated[
        FollowingEvent | None,
        Says(
            "sequences",
            "followed_by",
            "did it and later did something else, `within` a time if given",
            "{ event: product_viewed, followed_by: { event: cart_updated, within: 7d } }",
            "Later means later: the same instant does not count. `within` counts from the first, to the second. It may go on: `followed_by` in `followed_by`.",
        ),
        Says(
            "sequences",
            "same",
            "… with the same value of a property in both",
            "{ event: checkout_started, followed_by: { event: order_placed, same: cart_id } }",
            "Missing in one of them: not the same. Lists are the same when they have a value in common.",
        ),
        Says(
            "sequences",
            "same: {a: b}",
            "… where the property is called `a` in the first event and `b` in what follows",
            "{ event: product_viewed, not_followed_by: { event: order_placed, same: { product_id: product_ids } } }",
            "One value and a list go together: who viewed a product and did not buy that one.",
        ),
    ] = None
    not_followed_by: Annotated[
        FollowingEvent | None,
        Says(
            "sequences",
            "not_followed_by",
            "did it, and what should follow did not come within a time",
            "{ event: checkout_started, within: 30d, not_followed_by: { event: order_placed, same: cart_id, within: 2h } }",
            "Holds only when that time is over, whatever comes after it; for whom it has not come up to now leave `within` out.",
        ),
    ] = None

    @model_validator(mode="after")
    def _measures_one_thing(self) -> Self:
        given = self.given
        measures = [word for word in ("count", "occurrence", *MEASURES) if word in given]
        counts = [word for word in COUNT_WORDS if word in given]
        if len(measures) > 1:
            raise ValueError(
                f"expected only one of count, occurrence, {', '.join(MEASURES)}, got {' and '.join(measures)}"
            )
        kind = measures[0] if measures else "count"
        if "exactly" in counts and len(counts) > 1:
            raise ValueError(
                "expected only one of at_least, at_most, exactly (at_least and at_most may stand together)"
            )
        if kind in {"occurrence", "most_frequent"} and counts:
            raise ValueError(f"{kind!r} and {counts[0]!r} cannot stand together")
        if kind in {"sum", "average", "smallest", "largest", "distinct", "repeated"} and not counts:
            raise ValueError(f"{kind!r} needs one of {', '.join(COUNT_WORDS)}")
        if kind == "count" and self.count not in {None, "times"} and not counts:
            raise ValueError(f"'count' needs one of {', '.join(COUNT_WORDS)}")
        if (kind == "most_frequent") is not bool({"equals", "in_"} & given) or {"equals", "in_"} <= given:
            raise ValueError("'most_frequent' goes with 'equals' or 'in', and they with it")
        if "having" in given and kind != "occurrence":
            raise ValueError("'having' needs an 'occurrence' beside it: first, last or a number")
        return self._counts_whole_numbers(kind, counts)

    def _counts_whole_numbers(self, kind: str, counts: Sequence[str]) -> Self:
        limits = {word: limit for word in counts if not is_expression(limit := getattr(self, word))}
        whole = kind in {"count", "distinct", "repeated"}
        for word, limit in limits.items():
            if whole and (not is_whole(limit) or limit < 0):
                raise ValueError(f"{word}: expected a whole number from 0 on, got {limit!r}")
            if whole and word == "at_least" and limit < 1:
                raise ValueError(
                    "at_least: expected 1 or more; 0 holds for everybody, exactly: 0 for whom it never did"
                )
        if no_number_passes(limits.items(), whole=whole, least=0 if whole else None):
            raise ValueError(f"can never hold: no number is {in_words(limits)}; correct the limits")
        self._has_days_enough(limits)
        return self

    def _has_days_enough(self, limits: Mapping[str, Any]) -> None:
        days = self.last_days
        if self.count not in {"days", "days_in_a_row"} or not isinstance(days, int):
            return
        if no_number_passes(limits.items(), whole=True, least=0, most=days):
            raise ValueError(f"last_days {days} has no number of days that is {in_words(limits)}; correct one of them")

    @property
    def given(self) -> set[str]:
        """The words that have a value."""
        return {name for name in self.model_fields_set if getattr(self, name) is not None}
