"""Reads the small XML documents of callbacks, and nothing that XML can do besides: no document type, so no entities.

Entities can read files, call other hosts and grow without end, so a document that declares its type is refused before it is
read. Source: https://docs.python.org/3/library/xml.html#xml-security
"""

from typing import Any, Final
from xml.parsers import expat

MOST_BYTES: Final = 256 * 1024
DEEPEST: Final = 10


class NoDocument(ValueError):
    """The text is no XML document that is read here; the message says why and holds nothing of it."""


def read_xml(text: bytes) -> dict[str, Any]:
    """The children of the root by name: texts, dicts, and lists where a name stands several times. Raises NoDocument."""
    if len(text) > MOST_BYTES:
        raise NoDocument(f"has more than {MOST_BYTES:,} bytes")
    reader = _Reader()
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = reader.refuse
    parser.EntityDeclHandler = reader.refuse
    parser.ExternalEntityRefHandler = reader.refuse
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        raise NoDocument(f"is no XML: {expat.ErrorString(error.code)}") from None
    return reader.root if isinstance(reader.root, dict) else {}


class _Reader:
    """Builds the document as its parts come."""

    def __init__(self) -> None:
        self._open: list[tuple[str, dict[str, Any], list[str]]] = []
        self.root: dict[str, Any] | str = {}

    def refuse(self, *_: object) -> int:
        """A document type or an entity."""
        raise NoDocument("declares a document type")

    def start(self, name: str, _: dict[str, str]) -> None:
        """An element begins."""
        if len(self._open) >= DEEPEST:
            raise NoDocument(f"is more than {DEEPEST} elements deep")
        self._open.append((name, {}, []))

    def text(self, text: str) -> None:
        """Text of the innermost element."""
        self._open[-1][2].append(text)

    def end(self, _: str) -> None:
        """The innermost element ends: it is what it holds, or its text."""
        name, children, texts = self._open.pop()
        value: Any = children or "".join(texts).strip()
        if not self._open:
            self.root = value
            return
        siblings = self._open[-1][1]
        if name not in siblings:
            siblings[name] = value
        elif isinstance(siblings[name], list):
            siblings[name].append(value)
        else:
            siblings[name] = [siblings[name], value]
