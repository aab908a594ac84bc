"""The planning tables of a journey, made from its files: 流程配置表 and 触发条件与动作配置表. Used by the command that exports them.

The first has a row for every step, the second one for every condition with the action that follows it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, assert_never

from waypost.authoring.discovery import JourneyFolder
from waypost.authoring.trigger_words import (
    entry_in_words,
    exits_in_words,
    goal_in_words,
    re_entry_in_words,
    target_in_words,
    trigger_in_words,
)
from waypost.contacts.channels import channel_named, declared_channels
from waypost.pages.texts import Texts, gettext_noop
from waypost.reports.journey_graph import Step, StepKind, Way
from waypost.reports.journey_picture import kind_in_words, way_label
from waypost.reports.step_words import span_in_words, step_in_words

_CLASSES: Final[Mapping[StepKind, str]] = {
    "send": gettext_noop("action"),
    "pause": gettext_noop("wait"),
    "update": gettext_noop("action"),
    "task": gettext_noop("action"),
    "choice": gettext_noop("split"),
    "parallel": gettext_noop("body"),
    "map": gettext_noop("for each item"),
    "pass": gettext_noop("step"),
    "succeed": gettext_noop("end"),
    "fail": gettext_noop("failure"),
}
_SPLITS: Final = frozenset({"EvaluateSegment"})
"""Tasks that ask something, so that a Choice may decide by it."""
LONGEST_TITLE: Final = 60
_FILLED: Final = re.compile(r"\{\{\s*(?P<name>\w+(?:\.\w+)*)[^}]*\}\}")
_LOGIC: Final = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
_EMPTY_LINES: Final = re.compile(r"\n\s*\n+")


class Table(NamedTuple):
    """A table with its name for files, its title, its headings and its rows of texts, in one language."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class _Planned:
    """A journey in one language."""

    journey: JourneyFolder
    words: Texts

    def steps(self) -> Iterator[Step]:
        """The steps that do or decide something, in the order of the file."""
        return (step for step in self.journey.graph.steps if step.kind not in {"parallel", "map"})

    def name(self, step: Step) -> str:
        """The name of a step in this language."""
        return step.named(self.words.language)

    def kind(self, step: Step) -> str:
        """Trigger, wait, split or action, of the classes of components."""
        is_split = step.kind == "task" and step.about in _SPLITS
        return self.words.gettext(gettext_noop("split") if is_split else _CLASSES[step.kind])

    def channels(self, step: Step) -> str:
        """The channels of what a step sends, in the order in which they are tried."""
        message = self.message(step)
        return channels_in_words(message, self.words) if message else ""

    def message(self, step: Step) -> Mapping[str, Any] | None:
        """The message that a step sends; None for other steps, and where its name is computed."""
        return self.journey.messages.get(step.about) if step.kind == "send" else None

    def content(self, step: Step) -> str:
        """What a step does: of a message its subject or first line too."""
        done = step_in_words(step, self.words)
        message = self.message(step)
        title = message_title(message, self.words.language) if message else ""
        return f"{done}: {title}" if title else done

    def responsible(self, step: Step) -> str:
        """Who answers for the step: as named for it, for all steps, or the owner."""
        given = self.journey.manifest.responsible
        return given.steps.get(step.name, given.default) if given else self.journey.manifest.owner

    def first(self, step: Step) -> Step:
        """The step that is really done where the way leads into a body."""
        steps = self.journey.graph.by_name()
        while step.starts:
            step = steps[step.starts[0]]
        return step


def flow_table(journeys: Iterable[JourneyFolder], words: Texts) -> Table:
    """模板1, the flow: a row for what starts each journey, for each of its steps, and for what ends it early."""
    columns = (
        words.gettext("journey"), words.gettext("scenario"), words.gettext("no."), words.gettext("step"),
        words.gettext("class"), words.gettext("kind"), words.gettext("content"), words.gettext("channels"),
        words.gettext("responsible"), words.gettext("department"), words.gettext("target"), words.gettext("finished within"),
    )  # fmt: skip
    rows = [row for journey in journeys for row in _flow_rows(_Planned(journey, words))]
    return Table("flow", words.gettext("Flow configuration"), columns, rows)


def condition_table(journeys: Iterable[JourneyFolder], words: Texts) -> Table:
    """模板2, triggers and actions: a row for each condition of each journey, with the action that follows."""
    columns = (
        words.gettext("journey"), words.gettext("no."), words.gettext("at the step"), words.gettext("kind of condition"),
        words.gettext("condition"), words.gettext("what is done"), words.gettext("content"), words.gettext("channels"), words.gettext("next step"),
    )  # fmt: skip
    rows = [row for journey in journeys for row in _condition_rows(_Planned(journey, words))]
    return Table("conditions", words.gettext("Trigger conditions and actions"), columns, rows)


def message_subject(message: Mapping[str, Any], language: str) -> str:
    """The subject or title of a message in a language; "" where its channels have none. What is filled in stands in ‹›."""
    return next(_lines(message, language, ("subject", "title")), "")


def message_title(message: Mapping[str, Any], language: str) -> str:
    """The subject of a message, or how its text begins."""
    title = message_subject(message, language) or next(_lines(message, language, ("text",)), "")
    return title if len(title) <= LONGEST_TITLE else title[: LONGEST_TITLE - 1] + "…"


def _lines(message: Mapping[str, Any], language: str, fields: Iterable[str]) -> Iterator[str]:
    for variants in message["variants"].values():
        variant: Mapping[str, str] = variants.get(language) or next(iter(variants.values()), {})
        for field in fields:
            yield from (line for line in readable(variant.get(field, "")).splitlines() if line)


def readable(template: str) -> str:
    """A template for readers: ``{{ contact.first_name | default("you") }}`` is ‹first_name›, conditions are left out."""
    filled = _FILLED.sub(lambda found: f"‹{found['name'].rpartition('.')[2]}›", template)
    return _EMPTY_LINES.sub("\n\n", _LOGIC.sub("", filled)).strip()


def channels_in_words(message: Mapping[str, Any], words: Texts) -> str:
    """The channels of a message, in the order in which they are tried."""
    return " → ".join(declared_channels()[channel_named(each)].names[words.language] for each in message["channels"])


def _flow_rows(planned: _Planned) -> Iterator[tuple[str, ...]]:
    manifest, words = planned.journey.manifest, planned.words
    shown = manifest.in_language(words.language)
    within = span_in_words(manifest.finishes_within, words) if manifest.finishes_within else ""
    whole = (manifest.department or "", target_in_words(manifest), within)
    rows = [_entry_row(planned)]
    rows += [
        (
            planned.name(step),
            planned.kind(step),
            kind_in_words(step, words),
            planned.content(step),
            planned.channels(step),
            planned.responsible(step),
        )
        for step in planned.steps()
    ]
    if manifest.goal:
        goal = words.gettext("goal")
        rows.append((goal, words.gettext("trigger"), goal, goal_in_words(manifest, words), "", manifest.owner))
    for ending in exits_in_words(manifest, words):
        left = words.gettext("early end")
        rows.append((left, words.gettext("trigger"), left, ending, "", manifest.owner))
    for number, row in enumerate(rows, start=1):
        yield (planned.journey.name, shown.scenario or "", str(number), *row, *whole)


def _entry_row(planned: _Planned) -> tuple[str, ...]:
    manifest, words = planned.journey.manifest, planned.words
    parts = [trigger_in_words(manifest, words)]
    if entry := entry_in_words(manifest, words):
        parts.append(words.gettext("only if {condition}", condition=entry))
    parts.append(re_entry_in_words(manifest, words))
    entry_point = words.gettext("entry")
    return (entry_point, words.gettext("trigger"), entry_point, "; ".join(parts), "", manifest.owner)


def _condition_rows(planned: _Planned) -> Iterator[tuple[str, ...]]:
    graph, words = planned.journey.graph, planned.words
    steps = graph.by_name()
    rows = [
        (
            words.gettext("entry"),
            words.gettext("trigger"),
            _entry_row(planned)[3],
            *_action(planned, steps[graph.start]),
        )
    ]
    for step in graph.steps:
        for way in (each for each in graph.ways if each.source == step.name):
            kind, condition = _condition(planned, step, way)
            rows.append((planned.name(step), kind, condition, *_action(planned, steps[way.target])))
    for number, row in enumerate(rows, start=1):
        yield (planned.journey.name, str(number), *row)


def _condition(planned: _Planned, step: Step, way: Way) -> tuple[str, str]:
    """What kind of condition leads on from a step, and which."""
    words = planned.words
    match way.kind:
        case "choice" | "default":
            return words.gettext("split"), way_label(way, words)
        case "caught":
            return way_label(way, words), "; ".join(_caught(planned, way)) or way.label
        case "next" if step.kind == "pause":
            return words.gettext("wait"), step_in_words(step, words)
        case "next":
            return words.gettext("done before"), planned.name(step)
        case _:
            assert_never(way.kind)


def _caught(planned: _Planned, way: Way) -> Iterator[str]:
    """The events that end the body of the journey for this way."""
    manifest, words = planned.journey.manifest, planned.words
    errors = way.label.split(", ")
    if "GoalReached" in errors and manifest.goal:
        yield goal_in_words(manifest, words)
    if "JourneyExited" in errors:
        yield from exits_in_words(manifest, words)


def _action(planned: _Planned, target: Step) -> tuple[str, ...]:
    """The kind, the content, the channels and the name of the step that follows."""
    step = planned.first(target)
    return (kind_in_words(step, planned.words), planned.content(step), planned.channels(step), planned.name(step))
