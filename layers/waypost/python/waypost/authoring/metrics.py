"""Metrics as authors write them, ``statemachines/contacts/metrics.yaml``, checked. Called by declaring."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, Field, model_validator

from waypost.authoring.authored_files import FileReader
from waypost.authoring.problems import Authored, unknown
from waypost.authoring.rules import EventType, Rule, Where, dump_rule
from waypost.authoring.sending_policy import Locale
from waypost.authoring.tags import Span, Words, upkeep_problems
from waypost.durations import parse_duration
from waypost.metrics.declaration import RESERVED

PLACE: Final = "contacts/metrics.yaml"


def _metric_name(name: str) -> str:
    if name in RESERVED:
        raise ValueError(f"is the name of a metric of Waypost's own: {name!r}")
    return name


MetricName = Annotated[
    str, Field(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$", max_length=50), AfterValidator(_metric_name)
]
StageName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*([-_][a-z0-9]+)*$", max_length=50)]
Quintiles = Annotated[list[Annotated[int, Field(ge=1, le=5)]], Field(min_length=1, max_length=5)]


def _seconds(span: str | None) -> int | None:
    return None if span is None else int(parse_duration(span).total_seconds())


class Score(Authored):
    """A score of fading points: ``weights`` by event type, halved once per ``half_life``, forgotten after ``window``."""

    description: Words
    weights: Annotated[dict[EventType, float], Field(min_length=1)]
    half_life: Span
    window: Span

    def published(self) -> dict[str, Any]:
        """The form the run time reads."""
        return {
            "description": self.description.strip(),
            "weights": dict(self.weights),
            "half_life_seconds": _seconds(self.half_life),
            "window_seconds": _seconds(self.window),
        }


class RfmSegment(Authored):
    """A name for some of the 125 cells; a letter that is left out may have any score."""

    name: Words
    names: dict[Locale, Words] = Field(default_factory=dict)
    r: Quintiles | None = None
    f: Quintiles | None = None
    m: Quintiles | None = None


class Rfm(Authored):
    """Recency, frequency and monetary value of an event: ``value`` is the property with the amount."""

    event: EventType = "order_placed"
    where: Where | None = None
    value: Words = "total"
    within: Span | None = None
    segments: list[RfmSegment] = Field(default_factory=list)

    def published(self) -> dict[str, Any]:
        """The form the run time reads."""
        return {
            "event": self.event,
            "where": dump_rule(self.where),
            "value": self.value,
            "window_seconds": _seconds(self.within),
            "segments": [segment.model_dump(mode="json", exclude_none=True) for segment in self.segments],
        }


class BestHour(Authored):
    """At which hours contacts read: a reading weighs half after each ``half_life``, and nothing after the fourth."""

    half_life: Span = "30d"

    def published(self) -> dict[str, Any]:
        """The form the run time reads."""
        return {"half_life_seconds": _seconds(self.half_life)}


class ChurnLevel(Authored):
    """How likely it is that the contact is lost, from 0 to 100; the first level whose rule holds counts."""

    level: StageName
    score: Annotated[int, Field(ge=0, le=100)]
    description: Words | None = None
    rule: Rule | None = None

    def published(self) -> dict[str, Any]:
        """The form the run time reads."""
        return {"level": self.level, "score": self.score, "rule": dump_rule(self.rule)}


class LifecycleStage(Authored):
    """A stage of the life cycle; ``after`` are the stages it may follow."""

    stage: StageName
    description: Words
    names: dict[Locale, Words] = Field(default_factory=dict)
    after: list[StageName] = Field(default_factory=list)
    rule: Rule | None = None

    def published(self) -> dict[str, Any]:
        """The form the run time reads."""
        return {
            "stage": self.stage,
            "description": self.description.strip(),
            "names": dict(self.names),
            "after": list(self.after),
            "rule": dump_rule(self.rule),
        }


class MetricsFile(Authored):
    """``metrics.yaml``; what is left out is not computed."""

    scores: dict[MetricName, Score] = Field(default_factory=dict)
    rfm: Rfm | None = None
    churn_risk: list[ChurnLevel] = Field(default_factory=list)
    best_hour: BestHour | None = None
    lifecycle: list[LifecycleStage] = Field(default_factory=list)

    @model_validator(mode="after")
    def _computes_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("declares nothing; expected scores, rfm, churn_risk, best_hour or lifecycle")
        return self

    def published(self) -> dict[str, Any]:
        """The form the run time reads."""
        return {
            "scores": {name: score.published() for name, score in self.scores.items()},
            "rfm": None if self.rfm is None else self.rfm.published(),
            "churn_risk": [level.published() for level in self.churn_risk],
            "best_hour": None if self.best_hour is None else self.best_hour.published(),
            "lifecycle": {"stages": [stage.published() for stage in self.lifecycle]} if self.lifecycle else None,
        }


def metrics(reader: FileReader) -> dict[str, Any]:
    """The section ``metrics``; empty when there is no file."""
    path = reader.root / PLACE
    file = reader.declared(path, MetricsFile)
    if file is None:
        return {}
    reader.extend(path, (*_churn_problems(file.churn_risk), *_stage_problems(file.lifecycle)))
    return file.published()


def _churn_problems(levels: list[ChurnLevel]) -> Iterator[tuple[str, str]]:
    for name in _twice(level.level for level in levels):
        yield "churn_risk", f"the level {name!r} is there twice"
    for index, level in enumerate(levels):
        if level.rule is None and index + 1 < len(levels):
            yield f"churn_risk[{index}].rule", "is missing; only the last level may be for everybody else"
        for reason in upkeep_problems(level.rule):
            yield f"churn_risk[{index}].rule", reason


def _stage_problems(stages: list[LifecycleStage]) -> Iterator[tuple[str, str]]:
    names = [stage.stage for stage in stages]
    for name in _twice(names):
        yield "lifecycle", f"the stage {name!r} is there twice"
    for index, stage in enumerate(stages):
        for position, name in enumerate(stage.after):
            if name not in names:
                yield f"lifecycle[{index}].after[{position}]", unknown(name, names, "unknown stage")
            elif name == stage.stage:
                yield f"lifecycle[{index}].after[{position}]", "a stage does not follow itself; it stays by itself"
        for reason in upkeep_problems(stage.rule):
            yield f"lifecycle[{index}].rule", reason
    if stages and all(stage.rule is None for stage in stages):
        yield "lifecycle", "no stage has a rule; without one no contact ever leaves a stage"


def _twice(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]
