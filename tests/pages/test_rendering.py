"""Pages escape what they are given, allow nothing but their own style sheet, and can be read."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from minijinja import TemplateError

from waypost.pages import rendering
from waypost.pages.rendering import content_policy, integrity, render, served
from waypost.pages.texts import LANGUAGES

FOLDER = Path(rendering.__file__).parent
STYLE = (FOLDER / "style.css").read_text(encoding="utf-8")
HOSTILE = "<script>alert(1)</script>\"'{{ 7 * 7 }}"


class Parsed(HTMLParser):
    """The elements of a page, its styles and its texts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.styles: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert "style" not in dict(attrs)

    def handle_data(self, data: str) -> None:
        (self.styles if self.tags and self.tags[-1] == "style" and "{" in data else self.texts).append(data)


def test_a_value_is_text_and_nothing_else() -> None:
    page = Parsed(render("notice", language="en", title=HOSTILE, text=HOSTILE))
    assert "script" not in page.tags
    assert page.texts.count(HOSTILE) == 3  # the title of the window, the heading and the paragraph


def test_a_template_without_one_of_its_values_is_an_error() -> None:
    with pytest.raises(TemplateError, match="undefined"):
        render("notice", language="en", title="A title")


def test_the_policy_allows_the_style_sheet_of_the_page_and_no_other() -> None:
    [style] = Parsed(render("notice", language="en", title="A", text="B")).styles
    assert f"style-src {integrity(style)};" in content_policy()
    assert "default-src 'none'" in content_policy()
    assert "unsafe" not in content_policy()


def test_headers_of_a_served_page_forbid_frames_and_keep_its_address_secret() -> None:
    headers = served(form_action="'self'")
    policy = headers["Content-Security-Policy"]
    assert policy.endswith("form-action 'self'; frame-ancestors 'none'")
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"


def test_no_template_loads_anything_styles_an_element_or_runs_a_script_of_its_own() -> None:
    templates = sorted((FOLDER / "templates").glob("*.html"))
    assert templates
    for path in templates:
        source = path.read_text(encoding="utf-8")
        assert not re.search(r"\ssrc=|\sstyle=|\son\w+=|<link|<script>(?!{{)|https?:|\|\s*safe", source), path.name
    assert not re.search(r"url\(|@import", STYLE)


COLOURS = re.compile(r"--([a-z-]+): (#[0-9a-f]{6});")
TEXT_ON = {
    "ink": ("paper", "ground", "tint"),
    "quiet": ("paper", "ground", "tint"),
    "accent": ("paper", "ground", "tint"),
    "more": ("tint",),
    "less": ("tint", "paper"),
    "on-accent": ("accent",),
}
SHAPES_ON = {"accent": ("paper", "tint"), "other": ("paper", "ground"), "less": ("paper",)}


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours (WCAG 2.2, relative luminance)."""

    def luminance(colour: str) -> float:
        parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_can_be_read_in_the_light_and_in_the_dark(scheme: str) -> None:
    light, dark = STYLE.split("prefers-color-scheme: dark", 1)
    colours = dict(COLOURS.findall(light if scheme == "light" else dark))
    for places, least in ((TEXT_ON, 4.5), (SHAPES_ON, 3.0)):
        for colour, backgrounds in places.items():
            for background in backgrounds:
                found = contrast(colours[colour], colours[background])
                assert found >= least, f"{colour} on {background}: {found:.2f}"


def test_colours_are_named_once() -> None:
    rules = STYLE[STYLE.index("* { box-sizing") :]
    assert set(re.findall(r"#[0-9a-fA-F]{3,8}\b", rules)) <= {"#ffffff"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_of_a_report_can_be_chosen_without_a_script(language: str) -> None:
    assert f"#pick-{language}:checked ~ #{language}" in STYLE
    assert f'#pick-{language}:checked ~ .languages [for="pick-{language}"]' in STYLE
    assert f'#pick-{language}:focus-visible ~ .languages [for="pick-{language}"]' in STYLE
