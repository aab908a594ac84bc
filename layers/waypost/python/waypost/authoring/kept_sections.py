"""The sections whose rules are kept true for every contact, and may name each other. Called by declaring, and by ``waypost segment``.

They are read by themselves where only segments matter: the other sections take several times as long to load and to read,
and nothing in them changes what a segment means.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from waypost.authoring.authored_files import FileReader
from waypost.authoring.metrics import metrics
from waypost.authoring.segments import complete, segments
from waypost.authoring.tags import tags

Section = Callable[[FileReader], dict[str, Any]]

SECTIONS: Final[Mapping[str, Section]] = {"metrics": metrics, "segments": segments, "tags": tags}
"""The name of a section, and who reads it."""


def read_kept_sections(reader: FileReader) -> dict[str, dict[str, Any]]:
    """The published form of these sections, by name; the rules in them are checked against each other."""
    sections = {name: section(reader) for name, section in SECTIONS.items()}
    complete(reader, sections)
    return sections
