"""Words of a message are changed by name: in one language, in every part of a mail, and never more than what was named."""

from typing import Any

import pytest

from waypost.approvals.edited_texts import MOST_CHANGES, TextChanges
from waypost.approvals.text_difference import ChangedLine, changed_lines
from waypost.content.message import PublishedMessage
from waypost.errors import InvalidInput

MAIL = {
    "subject": "{{ contact.first_name | default('Friend') }}, the winter guide",
    "html": '<p>Bread &amp;\n  butter for the winter</p><a href="https://shop.example/a?x=1&amp;y=2">Read</a> <a href="https://shop.example/a?x=1&amp;y=2">it</a>',
    "text": "Bread & butter for the\nwinter\n\nRead: https://shop.example/a?x=1&y=2",
}
PUBLISHED: dict[str, Any] = {
    "name": "guide",
    "kind": "marketing",
    "topic": "guides",
    "priority": "normal",
    "channels": ["email", "push"],
    "variants": {
        "email": {"en": MAIL, "zh-CN": {**MAIL, "subject": "冬季指南"}},
        "push": {"en": {"title": "The winter guide", "text": "Bread & butter", "link": "shop://winter"}},
    },
    "tracked": False,
    "coupon": "spring",
    "sells": ["p-1"],
    "for_segments": [["vip", "guide-vip"]],
}  # fmt: skip


def changed(**request: Any) -> dict[str, Any]:
    changes = TextChanges.read({"locale": "en", **request})
    assert changes is not None
    made = changes.made_in(PUBLISHED)
    assert {**made, "variants": ""} == {**PUBLISHED, "variants": ""}
    variants: dict[str, Any] = made["variants"]
    return variants


def test_a_field_is_changed_in_its_language_alone() -> None:
    variants = changed(fields={"subject": "{{ contact.first_name | default('Friend') }}, spring"}, channel="email")
    assert variants["email"]["en"]["subject"].endswith(", spring")
    assert variants["email"]["zh-CN"] == PUBLISHED["variants"]["email"]["zh-CN"]
    assert variants["push"] == PUBLISHED["variants"]["push"]


def test_words_are_changed_in_both_parts_of_a_mail_however_their_lines_break() -> None:
    variants = changed(replace={"Bread & butter for the winter": "Salt <&> pepper"})
    assert "<p>Salt &lt;&amp;&gt; pepper</p>" in variants["email"]["en"]["html"]
    assert variants["email"]["en"]["text"].startswith("Salt <&> pepper\n")


def test_a_link_is_changed_wherever_it_stands() -> None:
    variants = changed(replace={"https://shop.example/a?x=1&y=2": "https://shop.example/spring"})
    mail = variants["email"]["en"]
    assert (mail["html"].count("https://shop.example/spring"), mail["text"].count("https://shop.example/spring")) == (
        2,
        1,
    )


def test_a_field_of_several_channels_is_changed_in_each() -> None:
    assert changed(fields={"title": "Spring", "link": "shop://spring"})["push"]["en"]["link"] == "shop://spring"
    assert changed(replace={"Bread & butter": "Salt"}, channel="push")["email"] == PUBLISHED["variants"]["email"]


@pytest.mark.parametrize(
    ("request_", "field", "reason"),
    [
        ({"fields": {"headline": "x"}}, "fields.headline", "there are link, subject, text, title"),
        ({"fields": {"html": "x"}}, "fields.html", "replace"),
        ({"replace": {"Sugar": "x"}}, "replace.Sugar", "copy them from the message"),
        ({"replace": {"e": "x"}}, "replace.e", "times; give more of the words"),
        ({"fields": {"subject": "{{ contact.email }}"}}, "fields.subject", "{{ contact.email }} is not in the words"),
        ({"replace": {"Bread & butter": "{% if 1 %}"}}, "replace.Bread & butter", "takes the file"),
        ({"fields": {"subject": "x"}, "locale": "fr"}, "locale", "it has en, zh-CN"),
        ({"fields": {"subject": "x"}, "locale": None}, "locale", "is missing"),
        ({"fields": {"subject": "x"}, "file": "library/inbox/1.json"}, "file", "a file or changed words"),
        ({"fields": {"subject": " "}}, "fields.subject", "should be text"),
        ({"fields": {str(each): "x" for each in range(MOST_CHANGES + 1)}}, "fields", "at most"),
        ({"replace": ["x"]}, "replace", "texts by name"),
    ],
)  # fmt: skip
def test_what_cannot_be_changed_is_refused_with_its_field(request_: dict[str, Any], field: str, reason: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        changed(**request_)
    assert refused.value.field == field
    assert reason in str(refused.value)


def test_words_of_the_html_that_the_text_part_has_otherwise_take_the_file() -> None:
    published = {**PUBLISHED, "variants": {"email": {"en": {**MAIL, "text": "Something else"}}}}
    changes = TextChanges.read({"locale": "en", "replace": {"Bread & butter for the winter": "x"}})
    assert changes is not None
    with pytest.raises(InvalidInput, match="not in its text part"):
        changes.made_in(published)


def test_a_request_without_changes_is_none() -> None:
    assert TextChanges.read({"file": "library/inbox/1.json"}) is None


def test_a_published_message_can_be_written_as_it_was_read() -> None:
    assert PublishedMessage.from_dict(PUBLISHED).to_dict() == PUBLISHED
    plain = {name: PUBLISHED[name] for name in ("name", "kind", "topic", "priority", "channels", "variants")}
    assert PublishedMessage.from_dict(plain).to_dict() == plain


def test_the_difference_is_the_lines_that_are_gone_and_those_that_came() -> None:
    before = {"subject": "Winter", "text": "one\ntwo\nthree"}
    assert changed_lines(before, {"subject": "Winter", "text": "one\n2\nthree\nfour"}) == [
        ChangedLine("text", "removed", "two"),
        ChangedLine("text", "added", "2"),
        ChangedLine("text", "added", "four"),
    ]
    assert changed_lines(before, before) == []
    assert changed_lines({}, {"title": "New"}) == [ChangedLine("title", "added", "New")]
    assert changed_lines({"title": "Old"}, {}) == [ChangedLine("title", "removed", "Old")]
