"""Keeps exported text from being run as a formula by a spreadsheet, and takes that back on import. Used by exports and cleaning.

Source: OWASP, CSV Injection: a cell that begins with = + - @, tab, CR or LF (full-width forms too, for some locales) is
taken for a formula; a quotation mark in front makes it text.
"""

import re
from typing import Final

_FORMULA: Final = re.compile(r"[\s']*[=+\-@＝＋－＠]|'*[\t\r\n]")
"""What a formula begins with, or what ``safe_cell`` has made of one: so that a second round trip is one, too."""

_KEPT: Final = re.compile(r"""="([^"]*)"|'([0-9].*|[^@\s]+@.*)""", re.DOTALL)


def safe_cell(text: str) -> str:
    """``text`` as a cell that no spreadsheet runs; ``original_cell`` is its inverse for every text."""
    return f"'{text}" if _FORMULA.match(text) else text


def original_cell(cell: str) -> str:
    """What ``safe_cell`` was given."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell, 1) else cell


def kept_text(cell: str) -> str:
    """An id or address as it was before a spreadsheet was made to keep it as text: ``="0138"`` and ``'0138`` are 0138."""
    found = _KEPT.fullmatch(cell)
    return (found[1] or found[2] or "") if found else cell
