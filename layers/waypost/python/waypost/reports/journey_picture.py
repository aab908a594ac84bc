"""The picture of a journey: its graph alone, with one contact's way, or with counts. Used by pages and by the command that draws."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, assert_never
from zoneinfo import ZoneInfo

from waypost.journeys.enrolment import Enrolment
from waypost.pages.graph_drawing import Arrow, Picture, Shape
from waypost.pages.texts import Texts, gettext_noop
from waypost.reports.journey_counts import JourneyCounts
from waypost.reports.journey_graph import JourneyGraph, Step, StepKind, Way
from waypost.reports.journey_path import JourneyPath, Visit
from waypost.reports.step_words import condition_in_words, step_in_words, task_caption

MOST_NOTES: Final = 3
"""Visits of a step that are written into it; of more the last ones."""
LONGEST_LABEL: Final = 60

CAPTIONS: Final[Mapping[StepKind, str]] = {
    "send": gettext_noop("message"),
    "pause": gettext_noop("pause"),
    "update": gettext_noop("update"),
    "task": gettext_noop("task"),
    "choice": gettext_noop("choice"),
    "parallel": gettext_noop("body"),
    "map": gettext_noop("for each item"),
    "pass": gettext_noop("step"),
    "succeed": gettext_noop("end"),
    "fail": gettext_noop("failure"),
}
OUTCOMES: Final = {
    "sent": gettext_noop("sent"),
    "deferred": gettext_noop("deferred"),
    "skipped": gettext_noop("not sent"),
    "rejected": gettext_noop("rejected"),
    "unknown": gettext_noop("no answer"),
    "claimed": gettext_noop("no answer yet"),
}
LEFT: Final = {"GoalReached": gettext_noop("goal reached"), "JourneyExited": gettext_noop("left early")}


@dataclass(frozen=True, slots=True)
class Marks:
    """What a picture says of a step or a way besides its name: notes, a text, classes of the style sheet."""

    notes: Callable[[Step], Sequence[str]]
    step_classes: Callable[[Step], str]
    way_text: Callable[[Way], str]
    way_classes: Callable[[Way], str]


def plain(graph: JourneyGraph, words: Texts) -> Picture:
    """The graph alone."""
    marks = Marks(notes=lambda _: (), step_classes=lambda _: "", way_text=lambda _: "", way_classes=lambda _: "")
    return _picture(graph, words, marks)


def with_path(graph: JourneyGraph, path: JourneyPath, enrolment: Enrolment, zone: ZoneInfo, words: Texts) -> Picture:
    """The graph with the way of one contact, its visits in its own time."""
    visits: dict[str, list[Visit]] = {}
    for visit in path.visits:
        visits.setdefault(visit.step, []).append(visit)
    stands_at = enrolment.pause.state if enrolment.pause and enrolment.position == "parked" else ""
    failure = enrolment.failure

    def notes(step: Step) -> Sequence[str]:
        found = [note(visit, zone, words) for visit in visits.get(step.name, [])]
        if len(found) > MOST_NOTES:
            more = words.gettext("{count} visits before", count=len(found) - MOST_NOTES)
            found = [more, *found[-MOST_NOTES:]]
        if failure and failure.state == step.name:
            found.append(": ".join(part for part in (words.gettext("failed"), failure.error, failure.cause) if part))
        return found

    def step_classes(step: Step) -> str:
        if failure and failure.state == step.name:
            return "failed"
        if step.name == stands_at and enrolment.status != "ended":
            return "passed now"
        return "passed" if step.name in path.steps else "untouched"

    return _picture(
        graph,
        words,
        Marks(notes, step_classes, lambda _: "", lambda way: "passed" if way in path.ways else "untouched"),
    )


def with_counts(graph: JourneyGraph, counts: JourneyCounts, words: Texts) -> Picture:
    """The graph with the number of contacts on every way and at every step."""

    def notes(step: Step) -> Sequence[str]:
        came, waiting = f"{counts.steps[step.name]:,}", f"{counts.waiting[step.name]:,}"
        found = [words.gettext("{count} came here", count=came)] if came != "0" else []
        return [*found, words.gettext("{count} wait here", count=waiting)] if waiting != "0" else found

    def step_classes(step: Step) -> str:
        if counts.waiting[step.name]:
            return "passed now"
        return "passed" if counts.steps[step.name] else "untouched"

    def way_classes(way: Way) -> str:
        count = counts.ways[way]
        share = count / counts.passages if counts.passages else 0.0
        return f"passed weight-{min(4, 1 + int(share * 4))}" if count else "untouched"

    return _picture(graph, words, Marks(notes, step_classes, lambda way: f"{counts.ways[way]:,}", way_classes))


def _picture(
    graph: JourneyGraph, words: Texts, marks: Marks, *, start: str = "", around: str = "", branch: int = 0
) -> Picture:
    steps, ways = graph.region(around, branch)
    return Picture(
        start=start or graph.start,
        shapes=[_shape(graph, step, words, marks) for step in steps],
        arrows=[_arrow(way, words, marks) for way in ways],
    )


def _shape(graph: JourneyGraph, step: Step, words: Texts, marks: Marks) -> Shape:
    inside = [
        _picture(graph, words, marks, start=start, around=step.name, branch=branch)
        for branch, start in enumerate(step.starts)
    ]
    return Shape(
        name=step.name,
        caption=_caption(step, words),
        title=step.named(words.language),
        notes=marks.notes(step),
        classes=" ".join(part for part in (step.kind, marks.step_classes(step)) if part),
        inside=inside,
    )


def kind_in_words(step: Step, words: Texts) -> str:
    """What kind of step it is."""
    return task_caption(step.about, words) if step.kind == "task" else words.gettext(CAPTIONS[step.kind])


def _caption(step: Step, words: Texts) -> str:
    """The kind of the step and what it does: ``pause · 2 days``."""
    return " · ".join(part for part in (kind_in_words(step, words), step_in_words(step, words)) if part)


def _arrow(way: Way, words: Texts, marks: Marks) -> Arrow:
    full = way_label(way, words)
    shown = full if len(full) <= LONGEST_LABEL else full[: LONGEST_LABEL - 1] + "…"
    count = marks.way_text(way)
    return Arrow(
        source=way.source,
        target=way.target,
        text=f"{shown} · {count}" if shown and count else shown or count,
        full=full,
        classes=f"{way.kind} {marks.way_classes(way)}".strip(),
    )


def way_label(way: Way, words: Texts) -> str:
    """What is written on a way: its condition, what is caught, or nothing."""
    match way.kind:
        case "next":
            return ""
        case "choice":
            return condition_in_words(way.label, words)
        case "default":
            return words.gettext("otherwise")
        case "caught":
            names = [words.gettext(LEFT[name]) if name in LEFT else name for name in way.label.split(", ")]
            return ", ".join(names)
        case _:
            assert_never(way.kind)


def note(visit: Visit, zone: ZoneInfo, words: Texts) -> str:
    """A visit in one line, in the contact's time."""
    at = local(visit.at, zone, words)
    match visit.kind:
        case "update":
            return at
        case "message":
            return f"{at} {message_outcome(visit, zone, words)}"
        case "pause":
            return _pause_note(visit, at, zone, words)
        case _:
            assert_never(visit.kind)


def message_outcome(visit: Visit, zone: ZoneInfo, words: Texts) -> str:
    """What became of a message: sent by which channel, deferred until when, not sent."""
    outcome = words.gettext(OUTCOMES[visit.outcome])
    if visit.channel and visit.outcome == "sent":
        outcome += f" ({visit.channel})"
    if visit.until:
        return f"{outcome} → {local(visit.until, zone, words)}"
    if visit.ended_at:
        return f"{words.gettext('deferred')} → {local(visit.ended_at, zone, words)} {outcome}"
    return outcome


def _pause_note(visit: Visit, at: str, zone: ZoneInfo, words: Texts) -> str:
    if visit.ended_at:
        over_at_once = words.gettext("{at} over at once", at=at)
        return over_at_once if visit.ended_at == visit.at else f"{at} → {local(visit.ended_at, zone, words)}"
    until = local(visit.until, zone, words) if visit.until else ""
    if visit.awaited:
        return words.gettext("since {at}, until {until} or {event}", at=at, until=until, event=visit.awaited)
    return words.gettext("since {at}, until {until}", at=at, until=until)


def local(instant: datetime, zone: ZoneInfo, words: Texts) -> str:
    """A moment in a zone, short: month, day and minute."""
    there = instant.astimezone(zone)
    if words.language == "zh-CN":
        return f"{there.month}月{there.day}日 {there:%H:%M}"
    return f"{there.day} {there:%b %H:%M}"
