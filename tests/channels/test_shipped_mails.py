"""The mails we ship, as a reader sees them: enough contrast, and their own colours in the dark."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from waypost.channels.email.authored import compile_mail

STATEMACHINES = Path(__file__).parents[2] / "statemachines"
MAILS = sorted(STATEMACHINES.glob("journeys/*/messages/*/email.*.mjml"))
ENOUGH = 4.5
"""Source: WCAG 2.2, success criterion 1.4.3, for text of this size."""

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
COLOUR = re.compile(r"(?:^|;)\s*color:\s*(#[0-9a-fA-F]{6})")
BACKGROUND = re.compile(r"(?:^|;)\s*background(?:-color)?:\s*(#[0-9a-fA-F]{6})")


class Words(HTMLParser):
    """Every piece of text with its colour and what is behind it."""

    def __init__(self, link: str) -> None:
        super().__init__()
        self.link = link
        self.around: list[tuple[str, str, str, bool]] = [("html", "#000000", "#ffffff", True)]
        self.found: list[tuple[str, str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in VOID:
            return
        style = dict(attrs).get("style") or ""
        _, colour, behind, shown = self.around[-1]
        own, under = COLOUR.search(style), BACKGROUND.search(style)
        colour = own[1] if own else self.link if tag == "a" else colour
        shown = shown and tag not in {"style", "title", "head"} and "display:none" not in style
        self.around.append((tag, colour, under[1] if under else behind, shown))

    def handle_endtag(self, tag: str) -> None:
        while len(self.around) > 1 and self.around.pop()[0] != tag:
            continue

    def handle_data(self, data: str) -> None:
        _, colour, behind, shown = self.around[-1]
        if data.strip() and shown:
            self.found.append((data.strip(), colour, behind))


def luminance(colour: str) -> float:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def html_of(path: Path) -> str:
    html, _ = compile_mail(
        path.read_text(encoding="utf-8"), lambda part: (STATEMACHINES / "look" / part).read_text(encoding="utf-8")
    )
    return re.sub(r"<!--.*?-->", "", html, flags=re.DOTALL)


def words_of(path: Path) -> Iterator[tuple[str, str, str]]:
    html = html_of(path)
    link = re.search(r"\ba \{ color: (#[0-9a-f]{6})", html)
    words = Words(link[1] if link else "#0000ee")
    words.feed(html)
    yield from words.found


@pytest.mark.parametrize("path", MAILS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_every_word_of_a_mail_can_be_read(path: Path) -> None:
    words = list(words_of(path))
    assert len(words) > 5
    for text, colour, behind in words:
        assert contrast(colour, behind) >= ENOUGH, (text, colour, behind)


@pytest.mark.parametrize("path", MAILS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_mail_says_how_it_looks_in_the_dark(path: Path) -> None:
    html = html_of(path)
    assert '<meta name="color-scheme" content="light dark"' in html
    dark = re.search(r"@media \(prefers-color-scheme: dark\) \{(.*?\})\s*\}", html, re.DOTALL)
    assert dark is not None
    behind = set(re.findall(r"background-color: (#[0-9a-f]{6})", dark[1]))
    for colour in re.findall(r"[{;] color: (#[0-9a-f]{6})", dark[1]):
        assert all(contrast(colour, each) >= ENOUGH for each in behind)


def test_contrast_is_measured_as_wcag_does() -> None:
    assert round(contrast("#8a867c", "#f3f1ec"), 2) == 3.22
    assert round(contrast("#000000", "#ffffff"), 1) == 21.0


def test_no_mail_promises_one_click_where_two_are_needed() -> None:
    for path in [*MAILS, *(STATEMACHINES / "look").glob("*.mjml")]:
        assert not re.search(r"one click|one-click|一键", path.read_text(encoding="utf-8"), re.IGNORECASE), path
