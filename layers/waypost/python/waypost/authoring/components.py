"""The components that journeys are made of: what each is for, what it takes and gives, and a journey that shows it. Used by the page and command that list them.

A component is a folder under ``examples/components/``: ``component.yaml`` and the files of a journey that anybody may copy and
rehearse. What it takes is compared with the models by which journeys are checked, so a field that is new or gone is noticed.
"""

import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, get_args

from pydantic import Field, model_validator

from waypost.authoring import manifest
from waypost.authoring.authored_files import FileReader
from waypost.authoring.problems import Authored, unknown
from waypost.authoring.product import PRODUCT
from waypost.authoring.tasks import journey_tasks

COMPONENTS: Final = PRODUCT / "examples" / "components"
FILE: Final = "component.yaml"

ComponentClass = Literal["trigger", "split", "action"]
CLASSES: Final[tuple[ComponentClass, ...]] = get_args(ComponentClass)
"""What starts a journey; where it waits and which way it goes on; what it does."""

TriggerKind = Literal["event", "tag", "segment", "schedule", "date", "anniversary", "manual"]
_TRIGGERS: Final[Mapping[TriggerKind, type[Authored]]] = {
    "event": manifest.EventTrigger,
    "tag": manifest.MembershipTrigger,
    "segment": manifest.MembershipTrigger,
    "schedule": manifest.ScheduleTrigger,
    "date": manifest.DateTrigger,
    "anniversary": manifest.DateTrigger,
    "manual": manifest.ManualTrigger,
}
_SHORT: Final = frozenset({"kind", "name", "attribute"})
"""Fields of triggers whose short form is the kind itself: ``{tag: vip}``."""
_EVERYWHERE: Final = frozenset({"context", "occurrence"})
"""Fields of tasks that mean the same in each: the page says so once."""
_STATES: Final[Mapping[str, frozenset[str]]] = {"Choice": frozenset({"Condition", "Default"})}


class Words(Authored):
    """A text in both languages of the page."""

    zh: Annotated[str, Field(alias="zh-CN", min_length=1)]
    en: Annotated[str, Field(min_length=1)]


class Part(Authored):
    """What of a journey's files it is: a function of a task, a kind of trigger, a field of journey.yaml, or a type of state."""

    function: str | None = None
    trigger: TriggerKind | None = None
    manifest: Literal["splits", "holdout"] | None = None
    state: Literal["Choice"] | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("expected one of function, trigger, manifest, state")
        return self

    def fields(self) -> frozenset[str]:
        """The fields that an author may write in it. Raises ValueError for a function that no journey may call."""
        if self.function is not None:
            tasks = journey_tasks()
            if self.function not in tasks:
                raise ValueError(unknown(self.function, tasks, "no task of journeys is called"))
            return _fields(tasks[self.function].payload) - _EVERYWHERE
        if self.trigger is not None:
            kind = frozenset() if self.trigger == "manual" else frozenset({self.trigger})
            return kind | _fields(_TRIGGERS[self.trigger]) - _SHORT
        return frozenset({self.manifest}) if self.manifest else _STATES[self.state or "Choice"]

    def __str__(self) -> str:
        if self.function is not None:
            return f"${{{self.function}}}"
        return (
            f"trigger: {self.trigger}"
            if self.trigger
            else f"journey.yaml: {self.manifest}"
            if self.manifest
            else f"{self.state}"
        )


class ComponentEntry(Authored):
    """``component.yaml``. ``shows`` is the state of its definition, or the field of its journey.yaml, that the page prints."""

    class_: ComponentClass = Field(alias="class")
    title: Words
    purpose: Words
    part: Part
    fields: dict[str, Words] = Field(default_factory=dict)
    outcomes: dict[str, Words] = Field(default_factory=dict)
    shows: str

    @model_validator(mode="after")
    def _knows_its_fields(self) -> Self:
        known = self.part.fields()
        for name in self.fields:
            if name not in known:
                raise ValueError(f"fields: {unknown(name, known, f'{self.part} has no')}")
        return self


@dataclass(frozen=True, slots=True)
class Component:
    """A component: its name, its folder, its words in both languages, and the piece of its journey that shows it."""

    name: str
    path: Path
    entry: ComponentEntry
    example: str

    def to_dict(self) -> dict[str, Any]:
        """The form that commands print."""
        entry = self.entry
        return {
            "name": self.name,
            "class": entry.class_,
            "part": str(entry.part),
            "title": _both(entry.title),
            "purpose": _both(entry.purpose),
            "fields": {name: _both(words) for name, words in entry.fields.items()},
            "outcomes": {name: _both(words) for name, words in entry.outcomes.items()},
            "example": self.example,
        }


def components(folder: Path = COMPONENTS) -> list[Component]:
    """Every component, by class and name. Raises InvalidJourney with every problem."""
    reader = FileReader(folder)
    found = [each for path in reader.folders(folder) if (each := _component(reader, path)) is not None]
    reader.raise_problems()
    return sorted(found, key=lambda each: (CLASSES.index(each.entry.class_), each.name))


def undocumented(found: list[Component]) -> Iterator[str]:
    """The tasks, triggers and their fields that no component speaks of."""
    for kind in get_args(TriggerKind):
        own = [each for each in found if each.entry.part.trigger == kind]
        yield from _silent(f"trigger: {kind}", own, Part(trigger=kind).fields())
    for function in journey_tasks():
        own = [each for each in found if each.entry.part.function == function]
        yield from _silent(f"${{{function}}}", own, Part(function=function).fields())


def _silent(what: str, own: list[Component], fields: frozenset[str]) -> Iterator[str]:
    if not own:
        yield what
    documented = {name for each in own for name in each.entry.fields}
    yield from (f"{what}: {name}" for name in sorted(fields - documented) if own)


def _component(reader: FileReader, path: Path) -> Component | None:
    entry = reader.model(path / FILE, ComponentEntry)
    if entry is None:
        return None
    example = _excerpt(path, entry.shows)
    if not example:
        reader.add(path / FILE, "shows", f"neither a state nor a field of journey.yaml is called {entry.shows!r}")
        return None
    return Component(path.name, path, entry, example)


def _excerpt(path: Path, shows: str) -> str:
    """The lines of the definition's state, or of the field of journey.yaml, as they are written."""
    for file in ("definition.asl.yaml", "journey.yaml"):
        lines = (path / file).read_text(encoding="utf-8").splitlines()
        for index, line in enumerate(lines):
            if re.match(rf"\s*{re.escape(shows)}:(\s|$)", line):
                depth = len(line) - len(line.lstrip())
                rest = lines[index + 1 :]
                end = next((at for at, each in enumerate(rest) if _depth(each) <= depth), len(rest))
                return textwrap.dedent("\n".join([line, *rest[:end]])).rstrip()
    return ""


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _fields(model: type[Authored]) -> frozenset[str]:
    return frozenset(field.alias or name for name, field in model.model_fields.items())


def _both(words: Words) -> dict[str, str]:
    return {"zh-CN": words.zh, "en": words.en}
