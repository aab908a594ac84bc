"""Whether one event follows another, within a time and with a value in common. Used by filters over events."""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from waypost.durations import parse_duration
from waypost.errors import InvalidInput
from waypost.segments.comparing import each_scalar, identity_of, look_up

Happened = tuple[datetime, Mapping[str, Any]]
"""One event that a condition counts: its time and its properties."""


class Followed(NamedTuple):
    """What has to come (or, ``wanted`` false, must not come) later than an event, ``within`` a time.

    ``same``: the property of the event and that of what follows that must have a value in common.
    """

    within: timedelta | None
    same: tuple[str, str] | None
    wanted: bool

    def test(self, later: Sequence[Happened], now: datetime) -> Callable[[datetime, Mapping[str, Any]], bool]:
        """Whether the events that may follow do follow an event; called by compiled rules."""
        comes = self._any(later) if self.same is None else self._alike(later, *self.same)

        def passes(at: datetime, properties: Mapping[str, Any]) -> bool:
            found = comes(at, properties)
            if self.wanted or found:
                return found is self.wanted
            return self.within is None or now - at >= self.within

        return passes

    def _any(self, later: Sequence[Happened]) -> Callable[[datetime, Mapping[str, Any]], bool]:
        times = sorted(at for at, _ in later)
        return lambda at, _properties: self._comes(times, at)

    def _alike(
        self, later: Sequence[Happened], name: str, later_name: str
    ) -> Callable[[datetime, Mapping[str, Any]], bool]:
        """Lists have each of their values, so that a product viewed is found among those of an order."""
        times: dict[Any, list[datetime]] = {}
        for at, properties in later:
            for one in each_scalar(look_up(properties, later_name)):
                times.setdefault(identity_of(one), []).append(at)
        for each in times.values():
            each.sort()

        def comes(at: datetime, properties: Mapping[str, Any]) -> bool:
            for one in each_scalar(look_up(properties, name)):
                known = times.get(identity_of(one))
                if known and self._comes(known, at):
                    return True
            return False

        return comes

    def _comes(self, times: Sequence[datetime], at: datetime) -> bool:
        place = bisect_right(times, at)
        return place < len(times) and (self.within is None or times[place] - at <= self.within)


def property_pair(names: Any) -> tuple[str, str] | None:
    """The property of an event and that of what follows, of ``name`` or ``{name: name}``. Raises InvalidInput."""
    match names:
        case None:
            return None
        case str():
            return names, names
        case Mapping() if len(names) == 1 and all(isinstance(name, str) for pair in names.items() for name in pair):
            return next(iter(names.items()))
        case _:
            raise InvalidInput(
                "rule.same", f"expected a property, or {{property: property of what follows}}, got {names!r}"
            )


def span(within: Any) -> timedelta | None:
    """The duration, or None. Raises InvalidInput."""
    if within is None:
        return None
    try:
        return parse_duration(within)
    except ValueError as error:
        raise InvalidInput("rule.within", str(error)) from None
