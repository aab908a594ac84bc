"""A segment compared with the whole base, safe to share: values of too few contacts are merged or left out. Used by the page."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from waypost.audiences.persona import CLASSES, DIMENSIONS, SEVERAL, UNKNOWN, Tally

FEWEST: Final = 5
"""The fewest contacts that a number may represent: fewer could be identified."""

MOST_BARS: Final[Mapping[str, int]] = {"city": 8, "tag": 12, "level": 8, "lifecycle": 8, "rfm_segment": 8, "gender": 5}
OTHERS: Final = "…"
STAGES: Final = ("lead", "new", "active", "mature", "dormant", "churned")
"""The usual stages of a customer's life; a company may declare others, which follow by size."""

LONGEST_LABEL: Final = 24
MOST_HIGHLIGHTS: Final = 6

_CLEARLY_MORE: Final = 1.25
_CLEARLY_LESS: Final = 0.6
_ENOUGH_OF_THE_BASE: Final = 0.02
_ENOUGH_KNOWN: Final = 0.5
"""Of fewer, those of whom a value is known may differ from the others because it is known of them."""


Names = Mapping[str, Mapping[str, Mapping[str, str]]]
"""What the company calls values: by dimension, value and language."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One value: the part of the segment and of the base that has it (0 to 1).

    ``lift`` is how many times as frequent it is in the segment; None when the base hardly has it.
    """

    value: str
    share: float
    base_share: float

    @property
    def lift(self) -> float | None:
        """The ratio of the two shares."""
        return self.share / self.base_share if self.base_share > 0 else None


@dataclass(frozen=True, slots=True)
class Chart:
    """One dimension. ``known`` is the part of the segment of which it is known, 1 when that is nearly all, and ``base_known`` that
    of the base; ``about``: counts are estimates.
    """

    dimension: str
    bars: tuple[Bar, ...]
    known: float
    about: bool = False
    base_known: float = 1.0


@dataclass(frozen=True, slots=True)
class Highlight:
    """A value that distinguishes the segment from the base."""

    dimension: str
    value: str
    share: float
    lift: float


@dataclass(frozen=True, slots=True)
class Card:
    """Everything on the card. ``size`` is None when the segment is too small to say more of it than that.

    ``base`` is the number of contacts sampled from the ``contacts`` of the whole base. ``names`` are the declared ones.
    """

    name: str
    description: str
    owner: str
    at: datetime
    size: int | None
    share: float | None
    contacts: int
    base: int
    charts: Mapping[str, Chart]
    highlights: tuple[Highlight, ...]
    names: Names = field(default_factory=dict)


def card_of(
    segment: Tally,
    base: Tally,
    *,
    name: str,
    at: datetime,
    contacts: int,
    description: str = "",
    owner: str = "",
    asked: Mapping[str, frozenset[str] | None] | None = None,
    names: Names | None = None,
) -> Card:
    """The card of a segment; ``at`` in the zone in which it is to be shown.

    ``asked`` are the dimensions (and values) that the segment's rule is about, which are no highlights (``asked_by``).
    """
    is_shown = segment.contacts >= FEWEST
    charts = {each: chart for each in DIMENSIONS if is_shown and (chart := _chart(each, segment, base)) is not None}
    return Card(
        name=clean(name, 80),
        description=clean(description, 400),
        owner=clean(owner, 80),
        at=at,
        size=segment.contacts if is_shown else None,
        share=segment.contacts / contacts if is_shown and contacts else None,
        contacts=contacts,
        base=base.contacts,
        charts=charts,
        highlights=tuple(_highlights(charts.values(), asked or {})),
        names=names or {},
    )


def clean(text: str, longest: int = LONGEST_LABEL) -> str:
    """An untrusted text as a label: without control and direction characters, and shortened."""
    shown = "".join(char for char in unicodedata.normalize("NFC", text) if unicodedata.category(char)[0] != "C")
    shown = " ".join(shown.split())
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def _chart(dimension: str, segment: Tally, base: Tally) -> Chart | None:
    counter, base_counter = segment.dimensions[dimension], base.dimensions[dimension]
    counts = dict(counter.counts)
    unknown = counts.pop(UNKNOWN, 0) if dimension != "channel" else 0
    known = segment.contacts if dimension in SEVERAL else segment.contacts - unknown
    base_counts = base_counter.counts
    base_known = base.contacts - (0 if dimension in SEVERAL else base_counts.get(UNKNOWN, 0))
    chosen = _large_enough(_ordered(dimension, counts), shows_others=dimension not in SEVERAL)
    if not chosen or known < FEWEST:
        return None

    def bar(value: str, count: int) -> Bar:
        if value == OTHERS:
            named = {each for each, _ in chosen}
            in_base = sum(times for each, times in base_counts.items() if each not in named and each != UNKNOWN)
        else:
            in_base = base_counts.get(value, 0)
        base_share = in_base / base_known if base_known and in_base >= FEWEST else 0.0
        return Bar(value if value in (OTHERS, UNKNOWN) else clean(value), count / known, base_share)

    return Chart(
        dimension,
        tuple(bar(value, count) for value, count in chosen),
        known / segment.contacts if unknown >= FEWEST else 1.0,
        about=bool(counter.lost or base_counter.lost),
        base_known=base_known / base.contacts if base.contacts else 0.0,
    )


def _ordered(dimension: str, counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """The values in the order they are shown in, the many small ones as one."""
    if dimension in CLASSES:
        return [(value, counts[value]) for value in CLASSES[dimension] if value in counts]
    by_size = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    most = MOST_BARS.get(dimension, len(by_size))
    if dimension in SEVERAL:
        return by_size[:most]
    rest = sum(times for _, times in by_size[most:])
    largest = sorted(by_size[:most], key=_rank)
    return [*largest, (OTHERS, rest)] if rest else largest


def _rank(counted: tuple[str, int]) -> tuple[int, float, str]:
    """Levels by their number, stages of life in their order, everything else by size."""
    value, times = counted
    if value in STAGES:
        return 0, STAGES.index(value), value
    try:
        return 1, float(value), value
    except ValueError:
        return 2, -times, value


def _large_enough(values: list[tuple[str, int]], *, shows_others: bool) -> list[tuple[str, int]]:
    """Without values that fewer than ``FEWEST`` contacts have: they are others.

    Others that would be fewer themselves take in the next larger value, or they could be worked out from the rest.
    """
    kept = [each for each in values if each[1] >= FEWEST and each[0] != OTHERS]
    if not shows_others:
        return kept
    others = sum(times for value, times in values if times < FEWEST or value == OTHERS)
    while 0 < others < FEWEST and kept:
        smallest = min(kept, key=lambda each: each[1])
        kept.remove(smallest)
        others += smallest[1]
    return [*kept, (OTHERS, others)] if others >= FEWEST else kept


def _highlights(charts: Iterable[Chart], asked: Mapping[str, frozenset[str] | None]) -> list[Highlight]:
    """What is clearly more or less frequent than in the base, the clearest first; one of each dimension.

    Only of dimensions known of enough contacts, and nothing that the rule asks for.
    """
    found = []
    for chart in charts:
        values = asked.get(chart.dimension, frozenset())
        if values is None or min(chart.known, chart.base_known) < _ENOUGH_KNOWN:
            continue
        candidates = [
            Highlight(chart.dimension, bar.value, bar.share, bar.lift)
            for bar in chart.bars
            if bar.value not in (OTHERS, UNKNOWN)
            and bar.value not in values
            and bar.lift is not None
            and bar.base_share >= _ENOUGH_OF_THE_BASE
            and (bar.lift >= _CLEARLY_MORE or bar.lift <= _CLEARLY_LESS)
        ]
        if candidates:
            found.append(max(candidates, key=_weight))
    return sorted(found, key=_weight, reverse=True)[:MOST_HIGHLIGHTS]


def _weight(highlight: Highlight) -> float:
    """The weight of a highlight: its distance from the base, as a share of the segment."""
    return abs(highlight.share - highlight.share / highlight.lift)
