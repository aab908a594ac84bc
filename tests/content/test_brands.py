"""Brands: what a file may say of them, which messages go out under one, and what their templates see."""

from pathlib import Path

import pytest

from tests.content.test_library import MAIL, MJML
from waypost.authoring.authored_files import FileReader
from waypost.authoring.brands import brands, brands_under
from waypost.authoring.messages import MessageFolder
from waypost.content.brands import brands_of
from waypost.content.forbidden_words import ForbiddenWords

HARBOUR = """brands:
  harbour:
    name: {zh-CN: 海港, en: Harbour}
    sender: "Harbour <hello@mail.harbour.example>"
    reply_to: [care@harbour.example]
    identity: harbour.example
    tenant: true
    postal_address: {zh-CN: 码头路 1 号, en: 1 Quay Street}
  plain:
    name: {en: Plain}
    sender: hello@plain.example
"""
BRANDED = {
    "message.yaml": f"{MAIL['message.yaml']}brand: harbour\n",
    "email.en.mjml": MJML.format("{{ brand.name }}, {{ brand.postal_address }}"),
}


def declared(root: Path, text: str) -> tuple[dict[str, dict[str, object]], list[tuple[str, str]]]:
    (root / "brands.yaml").write_text(text, encoding="utf-8")
    reader = FileReader(root)
    return brands(reader), [(each.field, each.reason) for each in reader.problems]


def published(
    root: Path, files: dict[str, str], *, of_journey: str = ""
) -> tuple[dict[str, object] | None, list[tuple[str, str]]]:
    (root / "brands.yaml").write_text(HARBOUR, encoding="utf-8")
    path = root / "greeting"
    path.mkdir()
    for name, text in files.items():
        (path / name).write_text(text, encoding="utf-8")
    folder = MessageFolder(
        path, root / "look", "en", lambda each: each.name, ForbiddenWords(), brands_under(root), of_journey
    )
    message, problems = folder.read()
    return message, [(each.field, each.reason) for each in problems]


def test_a_brand_is_its_sender_and_its_words_in_each_language(tmp_path: Path) -> None:
    section, problems = declared(tmp_path, HARBOUR)
    assert problems == []
    harbour, plain = brands_of(section).values()
    assert (harbour.sender, harbour.reply_to, harbour.tenant) == (
        "Harbour <hello@mail.harbour.example>",
        ("care@harbour.example",),
        True,
    )
    assert harbour.shown("zh-TW", "en") == {"name": "海港", "postal_address": "码头路 1 号"}
    assert harbour.shown("fr", "en") == {"name": "Harbour", "postal_address": "1 Quay Street"}
    assert plain.shown("zh-CN", "zh-CN") == {"name": "Plain", "postal_address": ""}
    assert section["plain"]["identity"] == "plain.example"


def test_a_sender_beyond_ascii_is_written_as_mail_asks(tmp_path: Path) -> None:
    section, _ = declared(tmp_path, "brands: {a: {name: {en: A}, sender: '路标 <hello@a.example>'}}\n")
    assert section["a"]["sender"] == "=?utf-8?b?6Lev5qCH?= <hello@a.example>"


@pytest.mark.parametrize(
    ("text", "field", "reason"),
    [
        ("brands: {A: {name: {en: A}, sender: a@a.example}}", "brands.A", ""),
        ("brands: {a: {name: {en: A}, sender: no-address}}", "brands.a.sender", "must be an e-mail address"),
        ("brands: {a: {name: {en: A}, sender: a@a.example, reply_to: [b]}}", "brands.a.reply_to[0]", "an e-mail address"),
        ("brands: {a: {name: {english: A}, sender: a@a.example}}", "brands.a.name.english", "locale"),
        ("brands: {a: {sender: a@a.example}}", "brands.a.name", "is missing"),
        (
            "brands: {a: {name: {en: A}, sender: a@a.example, identity: b.example}}",
            "brands.a.identity",
            "does not cover the sender's domain, a.example",
        ),
        ("brands: {}", "brands", ""),
    ],
)  # fmt: skip
def test_what_no_mail_could_come_from_is_refused(tmp_path: Path, text: str, field: str, reason: str) -> None:
    _, problems = declared(tmp_path, text)
    assert [(where, reason in why) for where, why in problems] == [(field, True)], problems


def test_a_message_goes_out_under_its_own_brand_or_that_of_its_journey(tmp_path: Path) -> None:
    for number, (files, of_journey, expected) in enumerate(
        [(BRANDED, "", "harbour"), (BRANDED, "plain", "harbour"), (MAIL, "plain", "plain"), (MAIL, "", None)]
    ):
        root = tmp_path / str(number)
        root.mkdir()
        message, problems = published(root, files, of_journey=of_journey)
        assert problems == []
        assert message is not None
        assert message.get("brand") == expected


@pytest.mark.parametrize(
    ("files", "field", "reason"),
    [
        ({**BRANDED, "message.yaml": f"{MAIL['message.yaml']}brand: harbor\n"}, "brand", "did you mean 'harbour'?"),
        ({**BRANDED, "message.yaml": MAIL["message.yaml"]}, "", "message.yaml names no brand"),
        ({**BRANDED, "email.en.mjml": MJML.format("Hello")}, "", "{{ brand.postal_address }}"),
        ({**BRANDED, "email.en.mjml": MJML.format("{{ brand.slogan }} {{ brand.postal_address }}")}, "", "no 'slogan'"),
    ],
)  # fmt: skip
def test_a_message_that_does_not_fit_its_brand_is_refused(
    tmp_path: Path, files: dict[str, str], field: str, reason: str
) -> None:
    message, problems = published(tmp_path, files)
    assert message is None
    assert any(where == field and reason in why for where, why in problems), problems
