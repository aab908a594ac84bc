"""The declared metrics as the functions read them. Used by the nightly refresh and by personas."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any, Final, Self

from waypost.codec import JsonForm, load_fields
from waypost.contacts.reading_hours import READING_HOURS, READINGS
from waypost.published_sections import published_section
from waypost.segments.scores import Measure, ScoreRule

SECTION: Final = "metrics"

COMPUTED_AT: Final = "computed_at"
"""When the metrics of a contact last changed; a refresh that finds them unchanged does not touch it."""

RFM_LETTERS: Final[Mapping[Measure, str]] = {"recency": "r", "frequency": "f", "monetary": "m"}

PERSONA: Final = "persona"
"""The cluster of a contact, computed by ``waypost personas``."""

RESERVED: Final = frozenset({
    COMPUTED_AT, "rfm", "rfm_r", "rfm_f", "rfm_m", "rfm_frequency", "rfm_monetary", "rfm_segment", "churn_risk",
    "churn_score", READINGS, READING_HOURS, PERSONA,
})  # fmt: skip
"""The names of the metrics that are not declared by name; a score may have none of them."""


def is_kept(name: str) -> bool:
    """Whether the nightly refresh leaves this metric alone, because another run computes it."""
    return name == PERSONA


@dataclass(frozen=True, slots=True)
class RfmSegment:
    """A name for the contacts whose scores are among these; an empty set allows every score."""

    name: str
    r: frozenset[int] = frozenset()
    f: frozenset[int] = frozenset()
    m: frozenset[int] = frozenset()

    def includes(self, r: int, f: int, m: int) -> bool:
        """Whether a contact with these three scores is one of them."""
        return all(not allowed or found in allowed for allowed, found in ((self.r, r), (self.f, f), (self.m, m)))


@dataclass(frozen=True, slots=True)
class RfmRule(JsonForm):
    """Which event is a purchase (of those that match ``where``), its amount, and how far back purchases count."""

    event: str
    value: str
    where: Mapping[str, Any] | None = None
    window: timedelta | None = None
    segments: tuple[RfmSegment, ...] = ()

    def segment(self, r: int, f: int, m: int) -> str | None:
        """The name of the first declared segment with these scores."""
        return next((segment.name for segment in self.segments if segment.includes(r, f, m)), None)


@dataclass(frozen=True, slots=True)
class ChurnLevel:
    """A level of churn risk; without a rule it takes all contacts that match no level before it."""

    level: str
    score: int
    rule: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class BestHourRule(JsonForm):
    """After how long a reading weighs half."""

    half_life: timedelta


@dataclass(frozen=True, slots=True)
class MetricsDeclaration:
    """What is computed for every contact."""

    scores: Mapping[str, ScoreRule] = field(default_factory=dict)
    rfm: RfmRule | None = None
    churn: tuple[ChurnLevel, ...] = ()
    best_hour: BestHourRule | None = None

    def __bool__(self) -> bool:
        return bool(self.scores or self.rfm or self.churn or self.best_hour)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """From the published form; empty when nothing is declared."""
        if not value:
            return cls()
        return load_fields(cls, {**value, "churn": value["churn_risk"]})


@cache
def load_metrics() -> MetricsDeclaration:
    """The declared metrics of this deployment, from the journeys layer."""
    return MetricsDeclaration.from_dict(published_section(SECTION))
