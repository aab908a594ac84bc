"""The lists of forbidden words, ``statemachines/words/``, checked. Used by declaring, which publishes them, and by messages.

A list is ``<name>.yaml``; a long one has its phrases in ``<name>.txt`` beside it, a line each.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from waypost.authoring.authored_files import FileReader
from waypost.authoring.channels import ChannelName
from waypost.authoring.problems import Authored
from waypost.content.folding import fold
from waypost.content.forbidden_words import ForbiddenWords
from waypost.content.message import MessageKind
from waypost.content.visible_text import visible_of_template

FOLDER: Final = "words"
MOST_PHRASES: Final = 50_000
"""Phrases of all lists: the automaton takes about 30 MB, and half a second of the first message that is checked."""


def _phrase(text: str) -> str:
    if len(fold(text)) < 2:
        raise ValueError(f"{text!r} is too short: a phrase has at least two characters beside blanks")
    return text


Phrase = Annotated[str, Field(max_length=100), AfterValidator(_phrase)]


class WordsFile(Authored):
    """One list. ``allowed`` are phrases in which a forbidden one may stand, of whatever list: 最佳实践 beside 最佳."""

    description: str
    source: Annotated[str, Field(min_length=1)] = ""
    way_out: Annotated[str, Field(min_length=1)] = (
        "say it otherwise, or add the phrase in which it may stand under allowed"
    )
    channels: list[ChannelName] = Field(default_factory=list)
    languages: list[Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]] = Field(default_factory=list)
    kinds: list[MessageKind] = Field(default_factory=list)
    phrases: list[Phrase] = Field(default_factory=list)
    allowed: list[Phrase] = Field(default_factory=list)


def forbidden_words(reader: FileReader) -> dict[str, Any]:
    """The lists as the guard reads them; empty where there is none."""
    lists: list[dict[str, Any]] = []
    owners: dict[str, list[int]] = {}
    spelled: dict[str, str] = {}
    allowed: list[str] = []
    for path in _files(reader):
        file = reader.model(path, WordsFile)
        if file is None:
            continue
        for phrase in (*file.phrases, *_lines(reader, path.with_suffix(".txt"))):
            folded = fold(phrase)
            spelled.setdefault(folded, phrase)
            if len(lists) not in (owning := owners.setdefault(folded, [])):
                owning.append(len(lists))
        allowed += [fold(phrase) for phrase in file.allowed]
        given = file.model_dump(exclude={"description", "phrases", "allowed"})
        lists.append({"name": path.stem, **given, "source": file.source or f"statemachines/{FOLDER}/{path.name}"})
    if len(owners) > MOST_PHRASES:
        reader.add(reader.root / FOLDER, "", f"has {len(owners):,} phrases; at most {MOST_PHRASES:,} can be checked")
        return {}
    if not lists:
        return {}
    return {
        "lists": lists,
        "phrases": list(spelled.values()),
        "folded": list(spelled),
        "owners": list(owners.values()),
        "allowed": list(dict.fromkeys(allowed)),
    }


def _files(reader: FileReader) -> Iterator[Path]:
    """The YAML files; what is neither one nor the text beside one is a problem."""
    folder = reader.root / FOLDER
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name[0] in "._":
            continue
        if path.suffix == ".yaml":
            yield path
        elif path.suffix != ".txt" or not path.with_suffix(".yaml").exists():
            reader.add(path, "", f"belongs to no list; expected {path.stem}.yaml with description and source beside it")


def _lines(reader: FileReader, path: Path) -> Iterator[str]:
    """The phrases of a text file, without blank lines and those that begin with ``#``."""
    if not path.exists():
        return
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        reader.add(path, "", f"not UTF-8 text: {error.reason} at byte {error.start}")
        return
    for number, line in enumerate(lines, 1):
        phrase = line.strip()
        if not phrase or phrase.startswith("#"):
            continue
        try:
            yield _phrase(phrase)
        except ValueError as error:
            reader.add(path, f"line {number}", str(error))


def lists_of(statemachines: Path) -> ForbiddenWords:
    """The lists that messages are checked with; empty while a list is wrong, which is a problem of its own."""
    newest = max((path.stat().st_mtime_ns for path in (statemachines / FOLDER).glob("*")), default=0)
    return _lists_of(statemachines, newest)


@cache
def _lists_of(statemachines: Path, newest: int) -> ForbiddenWords:
    del newest  # the lists are read once for as long as no file of them changes
    reader = FileReader(statemachines)
    section = forbidden_words(reader)
    return ForbiddenWords.from_dict({} if reader.problems else section)


def problems_of(
    words: ForbiddenWords, templates: Mapping[str, str], *, channel: str, locale: str, kind: str
) -> Iterator[tuple[str, str]]:
    """The templates of one channel and locale that may not be published, each with the reason."""
    for name, template in templates.items():
        found = words.find(visible_of_template(template), channel=channel, locale=locale, kind=kind)
        if found is not None:
            seen = "" if found.found == found.phrase else f" (as {found.found!r})"
            where = f"{found.words.name}, {found.words.source}"
            yield name, f"has the forbidden phrase {found.phrase!r}{seen} of {where}; {found.words.way_out}"
