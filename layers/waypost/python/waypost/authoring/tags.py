"""The tag system as authors write it, ``statemachines/contacts/tags.yaml``, checked. Called by declaring."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from waypost.authoring.authored_files import FileReader
from waypost.authoring.problems import Authored
from waypost.authoring.rules import Rule, dump_rule
from waypost.authoring.sending_policy import Locale
from waypost.channels.wecom.people import LONGEST_NAME
from waypost.contacts.tag_system import Dimension
from waypost.durations import parse_duration
from waypost.segments.dependencies import reads

PLACE: Final = "contacts/tags.yaml"
MOST_OUTSIDE: Final = 100
"""Tags that are kept alike in WeCom: a profile has room for the names of those that were there last."""


def _tag_name(name: str) -> str:
    if name != name.strip() or not 0 < len(name) <= 100:
        raise ValueError(f"expected a name of 1 to 100 characters without blanks around it, got {name!r}")
    return name


def _span(text: str) -> str:
    parse_duration(text)
    return text


TagName = Annotated[str, AfterValidator(_tag_name)]
Words = Annotated[str, Field(min_length=1, max_length=500)]
Span = Annotated[str, AfterValidator(_span)]


class OutsideName(Authored):
    """A tag of the company in WeCom (企业标签): its group, and its name within it."""

    group: Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
    name: Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]


class Tag(Authored):
    """One tag: what it is about, what it says, who answers for it, and how it comes and goes.

    With a ``rule`` it is given and taken by that rule alone; with ``expires_after`` it ends so long after it was last
    given; with both the rule gives it for that time, and again when it still holds at the end; with neither it stays
    until it is taken by hand. ``names`` are what a report calls it, by locale. With ``wecom`` it is kept alike in WeCom.
    """

    dimension: Dimension
    description: Words
    owner: Words
    names: dict[Locale, Words] = Field(default_factory=dict)
    rule: Rule | None = None
    expires_after: Span | None = None
    wecom: OutsideName | None = None

    def published(self) -> dict[str, Any]:
        """The form the run time reads."""
        span = None if self.expires_after is None else int(parse_duration(self.expires_after).total_seconds())
        return {
            "dimension": self.dimension,
            "description": self.description.strip(),
            "owner": self.owner,
            "names": dict(self.names),
            "rule": dump_rule(self.rule),
            "expires_after_seconds": span,
            **({"outside": {"wecom": self.wecom.model_dump()}} if self.wecom else {}),
        }


class TagFile(Authored):
    """``tags.yaml``."""

    tags: dict[TagName, Tag]


def tags(reader: FileReader) -> dict[str, Any]:
    """The section ``tags``; empty when there is no file.

    A journey that is dropped in may bring the tags of its own, in a ``tags.yaml`` in its folder.
    """
    path = reader.root / PLACE
    file = reader.declared(path, TagFile)
    if file is None:
        return {}
    for name, tag in file.tags.items():
        reader.extend(path, ((f"tags.{name}.rule", reason) for reason in upkeep_problems(tag.rule)))
    published = {name: tag.published() for name, tag in file.tags.items()}
    for folder in reader.folders(reader.root / "journeys"):
        _add_journey(reader, folder / "tags.yaml", published)
    reader.extend(path, _shared_outside(published))
    if (count := sum("outside" in each for each in published.values())) > MOST_OUTSIDE:
        reader.add(path, "tags", f"{count} tags are kept alike in WeCom; at most {MOST_OUTSIDE} can be")
    return {"tags": published}


def _add_journey(reader: FileReader, path: Path, published: dict[str, Any]) -> None:
    """The tags of one journey; one that is declared already is a problem, because its two meanings would be mixed."""
    file = reader.declared(path, TagFile)
    for name, tag in ({} if file is None else file.tags).items():
        if name in published:
            reader.add(path, f"tags.{name}", "is declared elsewhere already; name the same tag once")
        elif tag.rule is not None:
            reader.add(
                path, f"tags.{name}.rule", f"belongs into {PLACE}: it holds for everybody, in the journey or not"
            )
        else:
            published[name] = tag.published()


def _shared_outside(published: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Tags that are the same one in WeCom: which of them would be meant there?"""
    seen: dict[tuple[str, str], str] = {}
    for name, tag in published.items():
        if meant := tag.get("outside", {}).get("wecom"):
            there = (meant["group"], meant["name"])
            if (first := seen.setdefault(there, name)) != name:
                yield f"tags.{name}.wecom", f"{there[0]} / {there[1]} is that of {first} already"


def upkeep_problems(rule: Rule | None) -> Iterator[str]:
    """Why a rule cannot be kept true of a contact at any time: it looks at an event at hand, where there is none."""
    looks_at = reads(dump_rule(rule))
    if looks_at.trigger:
        yield "compares with the event that started a journey (equals_trigger); here there is none"
    if looks_at.property:
        yield "looks at a property of an event at hand; here there is none: ask about past events (event: …, where: …)"
