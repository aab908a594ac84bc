"""The page behind an unsubscribe link."""

from html.parser import HTMLParser
from typing import Any

import pytest

from waypost.tracking import page
from waypost.tracking.tokens import Unsubscription

ASKED = Unsubscription(contact_id="c-1", journey="j", message_key="m-1", channel="email")


class Outline(HTMLParser):
    """The elements of a page with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def only(self, tag: str) -> dict[str, str | None]:
        (attributes,) = [attributes for name, attributes in self.elements if name == tag]
        return attributes


@pytest.mark.parametrize(
    ("accept_language", "lang", "expected"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "", "zh-CN"),
        ("en-GB,en;q=0.9", "", "en"),
        ("en;q=0.5, zh-TW;q=0.9", "", "zh-CN"),
        ("fr-FR, zh;q=0.1", "", "zh-CN"),
        ("en;q=0, zh;q=0.1", "", "zh-CN"),
        ("zh-CN", "en", "en"),
        ("en", "zh", "zh-CN"),
        ("en", "xx", "en"),
        ("", "", "en"),
        (";q=x,,;q=nan", "", "en"),
    ],
)
def test_the_page_speaks_the_visitors_language(accept_language: str, lang: str, expected: str) -> None:
    assert page.texts(accept_language, lang)["lang"] == expected


@pytest.mark.parametrize("lang", ["en", "zh-CN"])
def test_the_page_asks_with_one_labelled_button_that_posts(lang: str) -> None:
    words = page.texts("", lang)
    html = page.asking(words, ASKED)
    outline = Outline(html)
    assert outline.only("html")["lang"] == lang
    assert outline.only("form") == {"method": "post", "action": f"?lang={lang}"}
    assert outline.only("button")["type"] == "submit"
    assert {"main", "h1", "title"} <= {tag for tag, _ in outline.elements}
    assert words["email"] in html


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_no_page_loads_anything_or_runs_a_script(lang: str) -> None:
    words = page.texts("", lang)
    for html in (page.asking(words, ASKED), page.done(words, ASKED), page.not_ours(words), page.later(words)):
        outline = Outline(html)
        assert not {"script", "img", "link", "iframe"} & {tag for tag, _ in outline.elements}
        assert not any("src" in attributes for _, attributes in outline.elements)


def test_a_topic_is_named_and_never_read_as_html() -> None:
    asked = Unsubscription(contact_id="c", journey="j", message_key="m", channel="sms", topic="<b>{lang}")
    for words in (page.texts("en"), page.texts("zh")):
        for show in (page.asking, page.done):
            assert "&lt;b&gt;{lang}" in show(words, asked)


def test_both_languages_say_everything() -> None:
    english, chinese = page.texts("en"), page.texts("zh")
    assert set(english) == set(chinese)
    shown: Any = [text for name, text in chinese.items() if name not in {"lang", "other", "other_lang"}]
    assert not any(text.isascii() for text in shown)
