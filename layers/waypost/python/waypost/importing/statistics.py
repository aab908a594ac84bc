"""What is usual in a file: mean, median and most frequent value of an attribute, for rules that fill by it. Used by split_import."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, assert_never, get_args

Statistic = Literal["mean", "median", "most_frequent"]
STATISTICS: Final[tuple[Statistic, ...]] = get_args(Statistic)

MOST_ROWS: Final = 2_000_000
"""Rows that are looked at, from the beginning of the file: some minutes of an invocation's fifteen."""

MOST_VALUES: Final = 100_000
"""Different values of an attribute that are counted; of more, median and most frequent are those of the first ones."""

_DECIMALS: Final = 6


@dataclass(slots=True)
class Values:
    """The values of one attribute, counted."""

    counts: Counter[Any] = field(default_factory=Counter)
    total: float = 0
    numbers: int = 0

    def add(self, value: Any) -> None:
        """Count a value; lists and objects are none."""
        if value is None or isinstance(value, (list, dict)):
            return
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            self.total += value
            self.numbers += 1
        if value in self.counts or len(self.counts) < MOST_VALUES:
            self.counts[value] += 1

    def of(self, statistic: Statistic) -> Any:
        """The statistic; None when there is no value it can be made of."""
        match statistic:
            case "mean":
                return round(self.total / self.numbers, _DECIMALS) if self.numbers else None
            case "median":
                return self._median()
            case "most_frequent":
                return min(self.counts, key=lambda value: (-self.counts[value], str(value)), default=None)
            case never:
                assert_never(never)

    def _median(self) -> Any:
        """The middle number, or the middle of the two that are."""
        numbers = sorted(
            value for value in self.counts if isinstance(value, (int, float)) and not isinstance(value, bool)
        )
        times = sum(self.counts[value] for value in numbers)
        if not times:
            return None
        lower, upper = (self._at(numbers, place) for place in ((times - 1) // 2, times // 2))
        return lower if lower == upper else round((lower + upper) / 2, _DECIMALS)

    def _at(self, numbers: list[Any], place: int) -> Any:
        for value in numbers:
            place -= self.counts[value]
            if place < 0:
                return value
        raise IndexError(place)


def statistics_of(profiles: Iterable[Mapping[str, Any]], wanted: Mapping[str, Statistic]) -> dict[str, Any]:
    """The wanted statistic of each attribute in these profiles; without those of which there is no value."""
    found = {name: Values() for name in wanted}
    for profile in profiles:
        for name, values in found.items():
            values.add(profile.get(name))
    usual = {name: found[name].of(statistic) for name, statistic in wanted.items()}
    return {name: value for name, value in usual.items() if value is not None}
