"""The page behind an unsubscribe link."""

from html.parser import HTMLParser

import pytest

from waypost.contacts.channels import Channel, declared_channels
from waypost.pages import notices
from waypost.pages.texts import LANGUAGES, texts
from waypost.tracking import unsubscribe_page as page
from waypost.tracking.tokens import Unsubscription

ASKED = Unsubscription(contact_id="c-1", journey="j", message_key="m-1", channel="email")


class Outline(HTMLParser):
    """The elements of a page with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.shown: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if data.strip() and self.elements[-1][0] != "style":
            self.shown.append(data.strip())

    def only(self, tag: str) -> dict[str, str | None]:
        (attributes,) = [attributes for name, attributes in self.elements if name == tag]
        return attributes


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_asks_with_one_labelled_button_that_posts(lang: str) -> None:
    words = texts(lang)
    html = page.asking(words, ASKED)
    outline = Outline(html)
    assert outline.only("html")["lang"] == lang
    assert outline.only("form") == {"method": "post", "action": f"?lang={lang}"}
    assert outline.only("button")["type"] == "submit"
    assert {"main", "h1", "title"} <= {tag for tag, _ in outline.elements}
    assert declared_channels()[Channel("email")].messages[words.language] in html


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_page_loads_anything_or_runs_a_script(lang: str) -> None:
    words = texts(lang)
    for html in (page.asking(words, ASKED), page.done(words, ASKED), notices.not_ours(words), notices.later(words)):
        outline = Outline(html)
        assert not {"script", "img", "link", "iframe"} & {tag for tag, _ in outline.elements}
        assert not any("src" in attributes for _, attributes in outline.elements)


def test_a_topic_is_named_and_never_read_as_html() -> None:
    asked = Unsubscription(contact_id="c", journey="j", message_key="m", channel="sms", topic="<b>{lang}")
    for words in map(texts, LANGUAGES):
        for show in (page.asking, page.done):
            assert "&lt;b&gt;{lang}" in show(words, asked)


def test_the_other_language_is_a_link_in_that_language() -> None:
    link = Outline(page.asking(texts("en"), ASKED)).only("a")
    assert link == {"href": "?lang=zh-CN", "lang": "zh-CN", "hreflang": "zh-CN"}


def test_nothing_of_the_chinese_pages_is_left_in_english() -> None:
    words = texts("zh-CN")
    for html in (page.asking(words, ASKED), page.done(words, ASKED), notices.not_ours(words), notices.later(words)):
        shown = Outline(html).shown
        assert shown
        assert not [text for text in shown if text.isascii() and text != LANGUAGES["en"]]


def test_a_channel_that_has_no_name_yet_is_called_as_it_is() -> None:
    asked = Unsubscription(contact_id="c", journey="j", message_key="m", channel="pigeon")
    assert "no more pigeon from us" in page.asking(texts("en"), asked)
