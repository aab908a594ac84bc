"""Saved segments as authors write them, ``statemachines/segments/<name>.yaml``, checked. Used by declaring and the CLI.

After all sections are read, ``complete`` looks at the rules of all of them together: every name in them must exist, no rule
may depend on itself, and what is published has the segments it names written out, so that the run time resolves nothing.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from waypost.authoring.authored_files import FileReader
from waypost.authoring.problems import Authored, join, unknown
from waypost.authoring.rules import Rule, dump_rule
from waypost.authoring.tags import upkeep_problems
from waypost.errors import InvalidInput
from waypost.metrics.declaration import RESERVED
from waypost.segments.dependencies import reads
from waypost.segments.index import DERIVED, LIFECYCLE, depends_on, in_order
from waypost.segments.inlining import inline
from waypost.segments.vocabulary import names_of

PLACE: Final = "segments"
_POOLS: Final = "coupons"
_TAGS, _METRICS = Path("contacts/tags.yaml"), Path("contacts/metrics.yaml")
_NAME: Final = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")

_HOLDS_COUPON: Final = "holds_coupon"
_NAMED_BY: Final[Mapping[str, str]] = {LIFECYCLE: "stage", _HOLDS_COUPON: "pool"}
"""What a word names where it is not the word itself."""

_INSIDE: Final = ("not", "where", "having", "followed_by", "not_followed_by")

Words = Annotated[str, Field(min_length=1, max_length=500)]
Published = dict[str, Any]
Sections = Mapping[str, Published]
Rules = Mapping[str, Mapping[str, Any]]


class Segment(Authored):
    """One saved segment: whom its ``rule`` selects, and how often that is looked at when nothing happens.

    ``hold_out`` is a note for readers: who is kept out of it for comparison, and until when.
    """

    description: Words
    owner: Words
    rule: Rule
    refresh: Literal["off", "hourly", "daily"] = "daily"
    hold_out: Words | None = None

    def published(self) -> Published:
        """The form the run time reads, with the segments that its rule names not yet written out."""
        return {
            "description": self.description.strip(),
            "owner": self.owner,
            "rule": dump_rule(self.rule),
            "refresh": self.refresh,
            "hold_out": (self.hold_out or "").strip(),
        }


def segments(reader: FileReader) -> Published:
    """The section ``segments``, by name of the file; empty when there are none."""
    found = {path.stem: read_segment(reader, path) for path in reader.files(reader.root / PLACE)}
    return {name: segment.published() for name, segment in found.items() if segment is not None}


def read_segment(reader: FileReader, path: Path) -> Segment | None:
    """One file, by itself; None and its problems when it is wrong."""
    if not _NAME.fullmatch(path.stem) or len(path.stem) > 60:
        reader.add(path, "", "expected a file name of at most 60 characters in lower case, such as vip-members.yaml")
    segment = reader.model(path, Segment)
    if segment is not None:
        reader.extend(path, (("rule", reason) for reason in upkeep_problems(segment.rule)))
    return segment


def complete(reader: FileReader, sections: Sections) -> None:
    """Check the rules of all sections together, and write out in place the segments they name.

    With a problem in any file nothing is written out: what depends on a file that could not be read would be wrong too.
    """
    names = Names.of(sections, segment_files=_stems(reader, PLACE), pool_files=_stems(reader, _POOLS))
    rules = list(placed_rules(sections))
    for placed in rules:
        reader.extend(reader.root / placed.file, names.problems(placed.rule, placed.where))
    for placed, reason in circles(rules):
        reader.add(reader.root / placed.file, placed.where, reason)
    if not reader.problems:
        known = written_rules(sections)
        for placed, rule in [(placed, _written_out(reader, placed, known)) for placed in rules]:
            placed.holder["rule"] = rule


def _stems(reader: FileReader, folder: str) -> list[str]:
    """The names of the files in a folder."""
    return [path.stem for path in (reader.root / folder).glob("*.yaml")]


def written_rules(sections: Sections) -> Rules:
    """The rules of the saved segments by name."""
    return {name: segment["rule"] for name, segment in sections.get(PLACE, {}).items()}


def _written_out(reader: FileReader, placed: "PlacedRule", known: Rules) -> Mapping[str, Any]:
    try:
        return inline(placed.rule, known) or {}
    except InvalidInput as error:  # it has grown too large; its author can only split it
        reader.add(reader.root / placed.file, placed.where, error.reason)
        return placed.rule


@dataclass(frozen=True, slots=True)
class PlacedRule:
    """A rule in a section: the ``file`` under statemachines/ and the field it stands in, and the object that ``holds`` it.

    ``key`` is what the index of rules calls it; "" for a rule that no other can build on.
    """

    file: Path
    where: str
    key: str
    holder: Published

    @property
    def rule(self) -> Mapping[str, Any]:
        """The rule, in published form."""
        found: Mapping[str, Any] = self.holder["rule"]
        return found


def placed_rules(sections: Sections) -> Iterator[PlacedRule]:
    """Every rule of the sections that is kept true, and those by which metrics are computed."""
    for name, segment in sections.get(PLACE, {}).items():
        yield PlacedRule(Path(PLACE) / f"{name}.yaml", "rule", f"segment:{name}", segment)
    for name, tag in sections.get("tags", {}).get("tags", {}).items():
        if tag["rule"] is not None:
            yield PlacedRule(_TAGS, f"tags.{name}.rule", f"tag:{name}", tag)
    metrics = sections.get("metrics", {})
    for index, level in enumerate(metrics.get("churn_risk", ())):
        if level["rule"] is not None:
            yield PlacedRule(_METRICS, f"churn_risk[{index}].rule", "", level)
    for index, stage in enumerate((metrics.get("lifecycle") or {}).get("stages", ())):
        if stage["rule"] is not None:
            yield PlacedRule(_METRICS, f"lifecycle[{index}].rule", LIFECYCLE, stage)


def circles(rules: Sequence[PlacedRule]) -> Iterator[tuple[PlacedRule, str]]:
    """A rule that depends on itself, through others or directly, with the way round; the life cycle may look at itself."""
    first: dict[str, PlacedRule] = {}
    looked_at: dict[str, set[str]] = {}
    placed = [each for each in rules if each.key]
    keys = {each.key for each in placed}
    for each in placed:
        first.setdefault(each.key, each)
        looked_at.setdefault(each.key, set()).update(depends_on(reads(each.rule), keys))
    try:
        in_order(looked_at)
    except InvalidInput as circle:
        yield first[circle.field], circle.reason


@dataclass(frozen=True, slots=True)
class Names:
    """The names that a rule may use. None where nothing is declared, so that anything goes."""

    segments: frozenset[str]
    tags: frozenset[str] | None = None
    metrics: frozenset[str] | None = None
    stages: frozenset[str] | None = None
    pools: frozenset[str] | None = None

    @classmethod
    def of(cls, sections: Sections, *, segment_files: Iterable[str] = (), pool_files: Iterable[str] = ()) -> "Names":
        """What the sections declare; a segment or a pool whose file is wrong is known all the same."""
        tags, metrics = sections.get("tags"), sections.get("metrics") or {}
        lifecycle = metrics.get("lifecycle")
        return cls(
            segments=frozenset(segment_files) | frozenset(sections.get(PLACE, ())),
            tags=frozenset(tags["tags"]) if tags else None,
            metrics=RESERVED.union(metrics["scores"]) if metrics else None,
            stages=frozenset(stage["stage"] for stage in lifecycle["stages"]) if lifecycle else None,
            pools=frozenset(pool_files) or None,
        )

    def event_problems(self, event: str, rule: Mapping[str, Any] | None, where: str) -> Iterator[tuple[str, str]]:
        """The same for a rule over an event of this type: what Waypost's own events are about must exist."""
        about = DERIVED.get(event)
        known = {"segment": self.segments, "tag": self.tags, LIFECYCLE: self.stages}.get(about or "")
        for place, part in parts_of(where, rule or {}):
            if about == "tag" and "tag" in part:
                meant = f"{{property: tag, equals: {part['tag']}}}"
                yield (
                    join(place, "tag"),
                    f"asks whether the contact has the tag; for the tag of the event write {meant}",
                )
            elif known is not None and part.get("property") in {about, "from", "to"}:
                wanted = [part["equals"]] if "equals" in part else part.get("in", [])
                yield from ((place, unknown(name, known, f"unknown {about}")) for name in wanted if name not in known)

    def problems(self, rule: Mapping[str, Any] | None, where: str) -> Iterator[tuple[str, str]]:
        """Each name in the rule that nothing declares: its place and the reason, with the nearest name there is."""
        declared = {
            "segment": self.segments,
            "tag": self.tags,
            "metric": self.metrics,
            LIFECYCLE: self.stages,
            _HOLDS_COUPON: self.pools,
        }
        for place, part in parts_of(where, rule or {}):
            for word, known in declared.items():
                if known is None or word not in part:
                    continue
                for name in names_of(part[word]):
                    if name not in known:
                        what = _NAMED_BY.get(word, word)
                        yield join(place, word), unknown(name, known, f"unknown {what}")


def parts_of(where: str, rule: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every rule in a rule, with its place; those over the events it asks about included."""
    waiting = [(where, rule)]
    while waiting:
        place, one = waiting.pop()
        yield place, one
        for word in ("all", "any"):
            inner = one.get(word)
            if isinstance(inner, list):
                waiting.extend((f"{join(place, word)}[{index}]", each) for index, each in enumerate(inner))
        waiting.extend((join(place, word), one[word]) for word in _INSIDE if isinstance(one.get(word), Mapping))
