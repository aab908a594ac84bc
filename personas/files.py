"""The cards of a run as pages. Used by both commands."""

import re
from pathlib import Path

from personas.running import Found
from waypost.audiences.persona_page import page


def write_cards(found: Found, folder: Path, *, language: str = "zh-CN") -> list[Path]:
    """One HTML page for each persona, in the order of their size; what was there under the names is replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for number, (persona, card) in enumerate(zip(found.personas, found.cards, strict=True), start=1):
        words = re.sub(r"\W+", "-", persona.name).strip("-") or "persona"
        path = folder / f"{number}-{words[:60]}.html"
        path.write_text(page(card, language=language), encoding="utf-8")
        written.append(path)
    return written
