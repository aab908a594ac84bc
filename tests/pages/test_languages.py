"""A page speaks the visitor's language, and its catalogues hold every text of code and templates."""

import re
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.frontend import CommandLineInterface
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from infra.project import ROOT
from waypost.pages import texts as pages_texts
from waypost.pages.texts import DEFAULT, LANGUAGES, negotiate, texts

SOURCE = ROOT / "layers" / "waypost" / "python" / "waypost"
LOCALE = Path(pages_texts.__file__).parent / "locale"
TRANSLATED = [tag for tag in LANGUAGES if tag != DEFAULT]


def catalogue(language: str, kind: str) -> Path:
    return LOCALE / language.replace("-", "_") / "LC_MESSAGES" / f"pages.{kind}"


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_mo(file) if path.suffix == ".mo" else read_po(file)


def strings(path: Path) -> dict[str, str]:
    return {str(message.id): str(message.string) for message in read(path) if message.id}


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The texts that `make texts` finds today."""
    path = tmp_path_factory.mktemp("texts") / "pages.pot"
    command = [
        "pybabel",
        "--quiet",
        "extract",
        "-F",
        str(ROOT / "pyproject.toml"),
        "-k",
        "gettext_noop",
        "-o",
        str(path),
    ]
    interface: Any = CommandLineInterface()  # its types are not declared
    interface.run([*command, str(SOURCE)])
    return set(strings(path))


@pytest.mark.parametrize(
    ("accept_language", "chosen", "expected"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "", "zh-CN"),
        ("en-GB,en;q=0.9", "", "en"),
        ("en;q=0.5, zh-TW;q=0.9", "", "zh-CN"),
        ("en; q=0.5, zh ; q = 0.9", "", "zh-CN"),
        ("fr-FR, zh;q=0.1", "", "zh-CN"),
        ("en;q=0, zh;q=0.1", "", "zh-CN"),
        ("zh;q=0", "", "en"),
        ("zh-CN", "en", "en"),
        ("en", "zh", "zh-CN"),
        ("en", "xx", "en"),
        ("", "", "en"),
        ("*", "", "en"),
        (";q=x,,;q=nan, zh;q=nan, zh;q=7, zh;q=-1", "", "en"),
        ("x," * 100_000 + "zh", "", "en"),
    ],
)
def test_a_page_speaks_the_visitors_language(accept_language: str, chosen: str, expected: str) -> None:
    assert negotiate(accept_language, chosen) == expected


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_has_exactly_the_texts_of_code_and_templates(language: str, extracted: set[str]) -> None:
    assert extracted
    assert set(strings(catalogue(language, "po"))) == extracted, "make texts collects them"


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_is_translated_with_the_same_places_for_values(language: str) -> None:
    for message in read(catalogue(language, "po")):
        assert message.string, message.id
        assert not message.fuzzy, message.id
        places = [set(re.findall(r"{\w*}", str(text))) for text in (message.id, message.string)]
        assert places[0] == places[1], message.id


@pytest.mark.parametrize("language", TRANSLATED)
def test_what_is_read_is_what_was_translated(language: str) -> None:
    """`make texts` compiles; the compiled catalogues are kept with the source, so that a checkout needs no build."""
    assert strings(catalogue(language, "mo")) == strings(catalogue(language, "po"))


def test_there_is_a_catalogue_for_every_language_and_no_other() -> None:
    assert {path.name.replace("_", "-") for path in LOCALE.iterdir()} == set(TRANSLATED)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_value_is_never_read_as_a_text_or_a_place(language: str) -> None:
    text = texts(language).gettext("You will get no more {channel} from us.", channel="{topic} %s Age")
    assert "{topic} %s Age" in text
    assert texts(language).gettext("") == ""
