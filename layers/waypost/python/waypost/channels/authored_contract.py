"""What authors write for a channel, and its checks. Implemented by ``channels/<name>/authored.py``; not shipped to Lambda.

The files of a message on a channel are ``<channel>.<locale>.<kind>``, with an optional companion beside each.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, NamedTuple, Protocol

import yaml
from pydantic import AfterValidator

LOCALE = r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?"
"""How the locale is spelled in file names and fields: ``en``, ``zh-CN``, ``zh-Hant-TW``."""


def wrong_locale(text: str) -> str:
    """Why the text is no locale, with what it probably means; empty when it is one."""
    if re.fullmatch(LOCALE, text):
        return ""
    language, *others = re.split(r"[-_]", text.strip())
    meant = "-".join([language.lower(), *(each.title() if len(each) == 4 else each.upper() for each in others)])
    advice = f"; write {meant}" if re.fullmatch(LOCALE, meant) else ""
    return f"expected a locale such as zh-CN or en, got {text!r}{advice}"


def _locale(text: str) -> str:
    if reason := wrong_locale(text):
        raise ValueError(reason)
    return text


LocaleName = Annotated[str, AfterValidator(_locale)]
"""In a field of ``message.yaml``: a locale as file names spell it."""


class UnusableFile(Exception):
    """A file of a message is wrong; ``field`` is empty where the whole file is meant."""

    def __init__(self, path: Path, field: str, reason: str) -> None:
        super().__init__(reason)
        self.path = path
        self.field = field
        self.reason = reason


class TemplateChecks(Protocol):
    """Checks a template against the variables that this message may use."""

    def check(self, path: Path, field: str, template: str, kind: str) -> None:
        """Check syntax, names and values for contacts of whom little is known. Raises UnusableFile."""
        ...

    def check_names(self, path: Path, field: str, template: str) -> None:
        """Check syntax and names alone. Raises UnusableFile."""
        ...

    def shown(self, template: str, kind: str) -> str:
        """The template filled in for a contact of whom nothing is known."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One authored file of a message.

    ``fields`` are the channel's own fields of ``message.yaml``, which is ``manifest``. ``include`` gives a file of the
    folder ``look`` and raises FileNotFoundError. ``unsubscribe_url`` is what ``links.unsubscribe`` shows in checks,
    ``postal_address`` what ``brand.postal_address`` does: "" for a brand that has none, or no brand.
    """

    path: Path
    locale: str
    text: str
    manifest: Path
    is_marketing: bool
    fields: Mapping[str, Any]
    templates: TemplateChecks
    include: Callable[[str], str]
    unsubscribe_url: str
    postal_address: str = ""


class Missing(NamedTuple):
    """Something an author forgot: in which file of the message's folder, in which field, and why it is needed."""

    file: str
    field: str
    reason: str


class AuthoredChannel(ABC):
    """What authors write for one channel.

    ``kind`` is the extension of a locale's file, ``companion`` that of a second one that may accompany it. ``fields`` are
    fields of ``message.yaml`` that only this channel reads: name → (type, pydantic's Field).
    """

    kind: ClassVar[str]
    companion: ClassVar[str] = ""
    fields: ClassVar[Mapping[str, tuple[Any, Any]]] = {}

    @abstractmethod
    def compile(self, source: Source) -> dict[str, str]:
        """The templates of one locale, checked, as the channel's ``fill`` takes them. Raises UnusableFile."""

    def hints(self, templates: Mapping[str, str]) -> Iterator[str]:
        """What of one locale's compiled templates works, and is perhaps not meant."""
        del templates
        return iter(())

    def missing(
        self, channel: str, fields: Mapping[str, Any], *, locales: Collection[str], default_locale: str
    ) -> Iterator[Missing]:
        """What the fields and the ``locales`` that have a file lack of each other."""
        del channel, fields, locales, default_locale
        return iter(())

    def lacks(self, provider: str, variants: Mapping[str, Mapping[str, str]]) -> str:
        """Why this provider could send nothing of a message, given its templates by locale; "" when it could."""
        del provider, variants
        return ""

    def answers_at_once(self, variants: Mapping[str, Mapping[str, str]]) -> str:
        """Why a message, given its templates by locale, cannot be sent as the answer to an event within seconds; "" when it can."""
        del variants
        return "is on a channel that answers nothing at once"

    def answers_only(self, variants: Mapping[str, Mapping[str, str]]) -> Mapping[str, str]:
        """The values that properties of an event must have for such a message to answer it."""
        del variants
        return {}

    def warnings(self, variants: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
        """What a provider will probably not take of a message, given its templates by locale."""
        del variants
        return iter(())


def missing_by_locale(
    field: str, texts: Collection[str], *, locales: Collection[str], file: str, default_locale: str
) -> Iterator[Missing]:
    """Where a field with a text for each locale and the files of a channel lack each other.

    ``texts`` are the locales of the field, ``locales`` those that have a file; ``file`` is its name, such as
    ``push.{locale}.txt``. The default locale's file is asked for of every channel.
    """
    for locale in sorted(set(locales) ^ set(texts)):
        if locale in locales:
            yield Missing("message.yaml", f"{field}.{locale}", "is missing")
        elif locale != default_locale:
            yield Missing(file.format(locale=locale), "", f"is missing: message.yaml has a {field} for it")


def read(path: Path) -> str:
    """The text of a file. Raises UnusableFile when it is not UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UnusableFile(path, "", f"not UTF-8 text: {error.reason} at byte {error.start}") from None


_QUOTES = 'put what begins with {{ into quotes: "{{ … }}"'


def yaml_texts(source: Source, *, example: str) -> dict[str, str]:
    """The texts of a locale's YAML file by name, such as the ``example``. Raises UnusableFile."""
    try:
        content = yaml.load(source.text, Loader=yaml.BaseLoader)  # noqa: S506 -- the loader that makes texts and nothing else
    except yaml.YAMLError as error:
        raise UnusableFile(source.path, "", f"not YAML: {str(error).splitlines()[0]}; {_QUOTES}") from None
    if not isinstance(content, dict) or not content:
        raise UnusableFile(source.path, "", f"should have a line for each text, such as {example}")
    for name, text in content.items():
        if not isinstance(text, str):
            raise UnusableFile(source.path, str(name), f"should be one text; {_QUOTES}")
    return {str(name): text.strip() for name, text in content.items()}
