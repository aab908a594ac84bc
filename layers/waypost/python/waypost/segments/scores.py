"""The arithmetic of metrics: scores that fade, recency, frequency and monetary value, and ranks over the whole base.

Used by the nightly refresh and the rehearsal of metrics. Everything here is a pure function of its arguments, and none of
them depends on the order of the events.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, assert_never, get_args

Happening = tuple[str, datetime, Mapping[str, Any]]
"""An event as rules see it: (type, occurred_at, properties)."""

Measure = Literal["recency", "frequency", "monetary"]
MEASURES: Final[tuple[Measure, ...]] = get_args(Measure)

CLASSES: Final = 5
"""Quintiles: scores from 1 to 5, as RFM is usually defined (Hughes, "Strategic Database Marketing", 1994)."""

DIGITS: Final = 3
"""Significant digits that count for a rank; what is equal in them is equal."""


@dataclass(frozen=True, slots=True)
class ScoreRule:
    """A score: what an event of each type is worth on its day, how fast that fades, and when it is forgotten."""

    weights: Mapping[str, float]
    half_life: timedelta
    window: timedelta


def score(happened: Iterable[Happening], rule: ScoreRule, *, now: datetime) -> float:
    """The sum of the events' weights, each halved once per half life since it occurred, to one decimal.

    Counted is what occurred in the window that ends now, its first instant included; an event that arrived late counts
    by its own time, one with a time still ahead does not count yet. With a half life of 14 days, an order worth 10 that
    was placed 28 days ago counts 2.5.
    """
    worth = math.fsum(  # fsum is exact, so the order of the events cannot show
        rule.weights[kind] * 2 ** -((now - occurred_at) / rule.half_life)
        for kind, occurred_at, _properties in happened
        if kind in rule.weights and timedelta() <= now - occurred_at <= rule.window
    )
    return round(worth, 1)


@dataclass(frozen=True, slots=True)
class Purchases:
    """What a contact bought: ``recency`` in whole days (24 hours) since the last time, ``frequency`` in times,
    ``monetary`` as the sum of the value, in its own unit."""

    recency: int
    frequency: int
    monetary: float

    def ranked(self, measure: Measure) -> float:
        """The value by which the contact is ranked in this measure; more is better, so recency counts backwards."""
        match measure:
            case "recency":
                return significant(-self.recency)
            case "frequency":
                return significant(self.frequency)
            case "monetary":
                return significant(self.monetary)
            case _:
                assert_never(measure)


def purchases(
    happened: Iterable[Happening], *, event: str, value: str, window: timedelta | None, now: datetime
) -> Purchases | None:
    """Of the events of type ``event`` in the window that ends now; None for a contact without any.

    ``value`` is the property that holds the amount; where it is missing or no finite number, the purchase counts as one
    of nothing.
    """
    found = [
        (occurred_at, _amount(properties.get(value)))
        for kind, occurred_at, properties in happened
        if kind == event and timedelta() <= now - occurred_at and (window is None or now - occurred_at <= window)
    ]
    if not found:
        return None
    return Purchases(
        recency=(now - max(occurred_at for occurred_at, _ in found)).days,
        frequency=len(found),
        monetary=round(math.fsum(amount for _, amount in found), 2),
    )


def _amount(value: Any) -> float:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else 0.0


def significant(value: float) -> float:
    """The value to three significant digits: 1,234.5 is 1,230.

    This bounds the number of different values: 900 for each power of ten, however many contacts there are. Counts and
    days below 1,000 stay as they are.
    """
    return float(f"{value:.{DIGITS}g}")


def boundaries(histogram: Mapping[float, int], *, classes: int = CLASSES) -> tuple[float, ...]:
    """The values at which the higher classes begin: for 2, 3, 4, 5 in turn, as far as there are any.

    Class ``k`` begins at the smallest value that at least ``(k - 1) / classes`` of the contacts are below. Equal values
    so share a class, the lowest they could be in: if 70 of 100 customers ordered once, once is 1 and twice is 4. A
    class that no contact reaches is missing, and every higher one with it. Exact: the histogram is counted through.
    """
    total = sum(histogram.values())
    return tuple(_begins(sorted(histogram.items()), total, classes))


def _begins(counted: list[tuple[float, int]], total: int, classes: int) -> Iterator[float]:
    below, wanted = 0, 2
    for value, count in counted:
        while wanted <= classes and below * classes >= (wanted - 1) * total:
            yield value
            wanted += 1
        below += count


def class_of(value: float, begins: Iterable[float]) -> int:
    """The class of a value, from 1 up, by the ``boundaries`` of the base."""
    return 1 + sum(value >= begin for begin in begins)
