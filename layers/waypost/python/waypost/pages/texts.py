"""The languages of pages and their texts: English in the source, other languages from gettext catalogues.

A catalogue is a pair in ``locale/<language>/LC_MESSAGES``: ``pages.po`` is what translators edit, ``pages.mo`` what is read
here. ``make texts`` collects the texts of code and templates, and compiles; a test fails while the three disagree.
"""

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import gettext as catalogues

LANGUAGES: Final = {"zh-CN": "中文", "en": "English"}
"""The languages of every page by their BCP 47 tag, each under its own name. English is the language of the source."""

DEFAULT: Final = "en"

_FOLDER: Final = Path(__file__).parent / "locale"
_LONGEST_HEADER: Final = 500
_WEIGHT: Final = re.compile(r"(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)", re.ASCII)


class Texts:
    """The texts of one language. ``{name}`` in a text stands for a value; values are never read as text again."""

    __slots__ = ("_catalogue", "language")

    def __init__(self, language: str, catalogue: "catalogues.NullTranslations") -> None:
        self.language = language
        self._catalogue = catalogue

    def gettext(self, message: str, /, **values: object) -> str:
        """The text for the English ``message``, which itself is the answer where no translation is known."""
        translated = self._catalogue.gettext(message) if message else ""
        return translated.format(**values) if values else translated


def gettext_noop(message: str) -> str:
    """Mark a text for the catalogues that is translated where it is shown."""
    return message


@cache
def texts(language: str) -> Texts:
    """The texts of one of ``LANGUAGES``."""
    import gettext as catalogues  # noqa: PLC0415 - what only marks its texts, such as a guard, reads no catalogue

    if language == DEFAULT:
        return Texts(language, catalogues.NullTranslations())
    return Texts(language, catalogues.translation("pages", _FOLDER, [language.replace("-", "_")]))


def negotiate(accept_language: str, chosen: str = "") -> str:
    """The language of a visitor: ``chosen`` by hand, else by the ``Accept-Language`` header (RFC 9110, section 12.5.4).

    Languages are distinguished by their primary subtag: a reader of zh-TW is better served with zh-CN than with English.
    """
    by_primary_subtag = {tag.partition("-")[0]: tag for tag in LANGUAGES}
    for tag in [chosen, *_by_preference(accept_language)]:
        if language := by_primary_subtag.get(tag.lower().partition("-")[0]):
            return language
    return DEFAULT


def _by_preference(accept_language: str) -> list[str]:
    """The language tags of an ``Accept-Language`` header, the most wanted first; what cannot be read is left out."""
    weighted: list[tuple[float, str]] = []
    for entry in accept_language[:_LONGEST_HEADER].split(","):
        tag, _, parameter = entry.partition(";")
        name, _, weight = parameter.strip().partition("=") if parameter.strip() else ("q", "", "1")
        if name.strip().lower() == "q" and _WEIGHT.fullmatch(weight.strip()):
            weighted.append((float(weight), tag.strip()))
    return [tag for weight, tag in sorted(weighted, key=lambda pair: pair[0], reverse=True) if weight]
