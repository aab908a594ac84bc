"""Text in one spelling for comparisons: width, case, script, blanks and what nobody sees. Used by the lists of forbidden words."""

import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

_UNSEEN: Final = (
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180e\u3164\ufeff\uffa0"
    + "".join(map(chr, range(0x200B, 0x2010)))
    + "".join(map(chr, range(0x202A, 0x202F)))
    + "".join(map(chr, range(0x2060, 0x2070)))
    + "".join(map(chr, range(0xFE00, 0xFE10)))
)
"""Characters without a shape of their own. Source: Unicode, DerivedCoreProperties, Default_Ignorable_Code_Point."""

LINE_BREAKS: Final = "\u2028\u2029"


def fold(text: str) -> str:
    """The text as it is compared: half width, lower case, simplified characters, without blanks and what is not seen.

    The breaks of lines stay: what stands on both sides of one is not one phrase.
    """
    if not text.isascii() and not unicodedata.is_normalized("NFKC", text):
        text = unicodedata.normalize("NFKC", text)
    text = text.casefold()
    if any(line_break in text for line_break in LINE_BREAKS):
        text = text.replace("\u2028", "\n").replace("\u2029", "\n")
    text = "\n".join(["".join(line.split()) if line else "" for line in text.split("\n")])
    table, letters = _table()
    return text if letters.isdisjoint(text) else text.translate(table)


@cache
def _table() -> tuple[Mapping[int, int | None], frozenset[str]]:
    """Traditional → simplified and unseen → nothing; and the characters that it changes, which most texts have none of.

    ``traditional.txt`` holds the characters in one line and their simplified forms in the next, from ``TSCharacters`` of
    OpenCC (https://github.com/BYVoid/OpenCC, Apache License 2.0), the first form of each.
    """
    lines = Path(__file__).with_name("traditional.txt").read_text(encoding="utf-8").splitlines()
    table: dict[int, int | None] = {ord(one): ord(other) for one, other in zip(*lines, strict=True)}
    table.update((ord(unseen), None) for unseen in _UNSEEN)
    return table, frozenset(map(chr, table))
