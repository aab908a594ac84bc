"""What is declared beside the journeys, one published file per section. Called by discovery.

A section is a function: it reads its files through the FileReader, adds a problem for whatever is wrong, and returns what
the run time reads (plain JSON), or an empty object when nothing is declared. Adding a section is adding a line here.
"""

from collections.abc import Mapping
from typing import Any, Final

from waypost.authoring.attributes import attributes
from waypost.authoring.authored_files import FileReader
from waypost.authoring.brands import brands
from waypost.authoring.bus import bus
from waypost.authoring.coupons import coupons
from waypost.authoring.destinations import destinations
from waypost.authoring.filling import filling
from waypost.authoring.forbidden_words import forbidden_words
from waypost.authoring.identity import identity
from waypost.authoring.imports import imports
from waypost.authoring.kept_sections import SECTIONS as STANDING
from waypost.authoring.kept_sections import Section, read_kept_sections
from waypost.authoring.pages import pages
from waypost.authoring.products import products
from waypost.authoring.public_keys import public_keys
from waypost.authoring.replies import replies
from waypost.authoring.retention import retention
from waypost.authoring.scenes import scenes
from waypost.authoring.sources import sources
from waypost.authoring.staff import staff
from waypost.authoring.workdays import workdays

SECTIONS: Final[Mapping[str, Section]] = {
    "attributes": attributes,
    "brands": brands,
    "bus": bus,
    "coupons": coupons,
    "destinations": destinations,
    "filling": filling,
    "identity": identity,
    "imports": imports,
    "pages": pages,
    "products": products,
    "public_keys": public_keys,
    "replies": replies,
    "retention": retention,
    "scenes": scenes,
    "sources": sources,
    "staff": staff,
    "words": forbidden_words,
    "workdays": workdays,
    **STANDING,
}
"""The name of a section, which is that of its file in the layer (``tags`` → ``tags.json``), and who reads it."""


def declared(reader: FileReader) -> dict[str, dict[str, Any]]:
    """Every section's published form, by name; the rules in them are checked against each other."""
    others = {name: section(reader) for name, section in SECTIONS.items() if name not in STANDING}
    return others | read_kept_sections(reader)
