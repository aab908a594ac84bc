"""What is declared beside the journeys, one published file per section. Called by discovery.

A section is a function: it reads its files through the FileReader, adds a problem for whatever is wrong, and returns what
the run time reads (plain JSON), or an empty object when nothing is declared. Adding a section is adding a line here.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from waypost.authoring.reading import FileReader

Section = Callable[[FileReader], dict[str, Any]]

SECTIONS: Final[Mapping[str, Section]] = {}
"""The name of a section, which is that of its file in the layer (``tags`` → ``tags.json``), and who reads it."""


def declared(reader: FileReader) -> dict[str, dict[str, Any]]:
    """Every section's published form, by name."""
    return {name: section(reader) for name, section in SECTIONS.items()}
