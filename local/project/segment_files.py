"""Saved segments as the tools see them: by the name of a file here, or as a file anywhere. Used by ``waypost segment``."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from local.problems import LocalError
from local.project.current_project import current_project
from waypost.authoring import segment_warnings
from waypost.authoring.authored_files import FileReader
from waypost.authoring.kept_sections import read_kept_sections
from waypost.authoring.problems import Problem, unknown
from waypost.authoring.rules.contradictions import never_together
from waypost.authoring.segment_warnings import Declared, Texts
from waypost.authoring.segments import (
    PLACE,
    Names,
    PlacedRule,
    Segment,
    circles,
    placed_rules,
    read_segment,
    written_rules,
)
from waypost.clock import clock
from waypost.segments.compile import decide_from_profile
from waypost.segments.dependencies import reads
from waypost.segments.inlining import inline
from waypost.segments.reads import Reads
from waypost.segments.subject import Subject

_READS_EVERYBODY = (
    "even of who did nothing the profile does not decide it, so a bulk run reads what each contact went through; ask for an"
    " attribute, a tag or a consent too"
)
_DID_NOTHING = Subject(attributes={}, tags=frozenset(), now=datetime(2000, 1, 1, tzinfo=UTC), seen={})


@dataclass(frozen=True, slots=True)
class CheckedSegment:
    """A segment and its findings. ``rule`` has the segments it names written out; empty with problems."""

    name: str
    file: str
    segment: Segment | None
    rule: Mapping[str, Any]
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    reads: Reads = field(default_factory=Reads)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        shown = [{"file": each.file, "field": each.field, "reason": each.reason} for each in self.problems]
        warned = [{"file": each.file, "field": each.field, "reason": each.reason} for each in self.warnings]
        return {"name": self.name, "file": self.file, "problems": shown, "warnings": warned, "rule": self.rule}


def declared_sections() -> Mapping[str, dict[str, Any]]:
    """What this project declares that rules may name. Raises LocalError with every problem of these files."""
    return _sections(current_project().statemachines)


@cache
def _sections(statemachines: Path) -> Mapping[str, dict[str, Any]]:
    reader = FileReader(statemachines)
    sections = read_kept_sections(reader)
    if reader.problems:
        raise LocalError("\n".join(map(str, reader.problems)), "correct these files of the project first")
    return sections


def segment_called(given: str) -> CheckedSegment:
    """The segment of a file or of a name, without problems. Raises LocalError."""
    checked = check(path_of(given))
    if checked.problems:
        raise LocalError("\n".join(map(str, checked.problems)), f"waypost segment check {given}")
    return checked


def saved_segments() -> Path:
    """The folder of the project's saved segments."""
    return current_project().statemachines / PLACE


def path_of(given: str) -> Path:
    """The file that is meant: a path, or the name of a saved segment. Raises LocalError."""
    path = Path(given)
    if path.is_file():
        return path
    if path.suffix in {".yaml", ".yml"} or len(path.parts) > 1:
        raise LocalError(f"there is no file {given!r}", "give the path of a segment's file, or the name of a saved one")
    folder = saved_segments()
    saved = folder / f"{given}.yaml"
    if not saved.is_file():
        names = [each.stem for each in folder.glob("*.yaml")]
        raise LocalError(unknown(given, names, "unknown segment"), "waypost segment list shows them all")
    return saved


def check(path: Path) -> CheckedSegment:
    """Everything there is to say of the file, against what this project declares. Raises LocalError."""
    path = path.resolve()
    shown = str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
    name, reader = path.stem, FileReader(path.parent)
    segment = read_segment(reader, path)
    if segment is None:
        return CheckedSegment(name, shown, None, {}, _in(shown, reader))
    published = segment.published()
    sections = {**declared_sections(), PLACE: {**declared_sections().get(PLACE, {}), name: published}}
    reader.extend(path, Names.of(sections).problems(published["rule"], "rule"))
    reader.extend(path, (("rule", reason) for reason in _circles(sections)))
    if reader.problems:
        return CheckedSegment(name, shown, segment, {}, _in(shown, reader))
    rule = inline(published["rule"], written_rules(sections)) or {}
    looks_at = reads(rule)
    statemachines = current_project().statemachines
    known = Declared.read(statemachines).beside(Texts.read(statemachines), but=[path])
    unmeant = segment_warnings.warnings(rule, known, clock()())
    warnings = tuple(
        Problem(shown, where, reason) for where, reason in (*warned(rule, looks_at, segment.refresh), *unmeant)
    )
    return CheckedSegment(name, shown, segment, rule, (), warnings, looks_at)


def _in(shown: str, reader: FileReader) -> tuple[Problem, ...]:
    """The problems, with the file as it was given."""
    return tuple(Problem(shown, each.field, each.reason) for each in reader.problems)


def _circles(sections: Mapping[str, dict[str, Any]]) -> Iterator[str]:
    rules: list[PlacedRule] = list(placed_rules(sections))
    return (reason for _, reason in circles(rules))


def warned(rule: Mapping[str, Any], looks_at: Reads, refresh: str) -> Iterator[tuple[str, str]]:
    """What works, but perhaps not as meant: rules for nobody, rules that time changes unseen, and rules that read a lot."""
    yield from never_together(rule, "rule")
    if looks_at.time and refresh == "off":
        yield "refresh", "is off, but time alone changes who belongs: nobody leaves until something happens to them"
    if looks_at.any_event:
        yield "rule", "asks about any event: every event of every contact has it evaluated, with the whole history"
    elif decide_from_profile(rule)(_DID_NOTHING) is None:
        yield "rule", _READS_EVERYBODY


def asked_by(looks_at: Reads) -> str:
    """What a rule looks at, in a few words."""
    named = [
        (what, sorted(getattr(looks_at, what)))
        for what in ("attributes", "events", "tags", "groups", "segments", "metrics", "consents", "journeys")
    ]
    parts = [f"{what} {', '.join(names)}" for what, names in named if names]
    parts += [what for what in ("lifecycle", "points", "identities", "suppressions", "time") if getattr(looks_at, what)]
    return "; ".join(parts)
